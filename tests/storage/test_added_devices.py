"""Devices that people add are kept with their calibrations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import databases
from qumulus.core.devices import Calibration, DescribedDevice, Device, DeviceKind
from qumulus.storage import Storage, open_storage

AT = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(tmp_path, url=databases.url(tmp_path))
    yield opened
    opened.close()


def described(*temperatures: float) -> DescribedDevice:
    """A device with so many calibrations, all of one moment."""
    device = Device(name="mine", kind=DeviceKind.QPU, n_qubits=1, basis_gates=("x",), calibrated_at=AT)
    calibrations = tuple(Calibration(id="one", device="mine", at=AT, properties={"t": each}) for each in temperatures)
    return DescribedDevice(device=device, configuration={"n_qubits": 1}, calibrations=calibrations)


def test_of_calibrations_of_one_moment_the_last_counts(storage):
    storage.added_devices.add(described(1.0, 2.0, 3.0))
    (only,) = storage.added_devices.all()["mine"].series
    assert storage.added_devices.properties("mine", only.id) == {"t": 3.0}


def test_a_calibration_that_is_added_again_replaces_the_one_of_its_moment(storage):
    for temperature in (1.0, 2.0):
        storage.added_devices.add(described(temperature))
    (only,) = storage.added_devices.all()["mine"].series
    assert only.at == AT
