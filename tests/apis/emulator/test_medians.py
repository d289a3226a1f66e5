"""The medians of devices, which are computed once a calibration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from qumulus.apis.emulator.devices import Known, list_medians
from qumulus.catalogue import SnapshotCatalogue
from qumulus.core.devices import Calibration, Device


class Recalibrated(SnapshotCatalogue):
    """One device, with another calibration each time that somebody looks."""

    looks = 0

    def devices(self) -> tuple[Device, ...]:
        return (self.device("lima"),)

    def calibration_id(self, device: str, *, calibration_id: str | None = None, before: datetime | None = None) -> str:
        self.looks += 1
        return f"{device} {self.looks}"

    def calibration(
        self, device: str, *, calibration_id: str | None = None, before: datetime | None = None
    ) -> Calibration:
        assert calibration_id == f"{device} {self.looks}"
        return super().calibration(device)


def test_those_of_earlier_calibrations_are_not_kept():
    known: Known = {}
    nobody: Any = None
    catalogue = Recalibrated()
    told = [list_medians(nobody, catalogue, known).medians for _ in range(3)]
    assert catalogue.looks == 3
    assert [len(each) for each in told] == [1, 1, 1]
    assert len(known) == 1
