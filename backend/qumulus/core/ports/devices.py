"""Devices: what is known of them, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

from qumulus.core.devices import Calibration, Device, DeviceReport, DeviceSettings

Document = Literal["configuration", "properties", "defaults"]


class Catalogue(Protocol):
    """The devices and their calibrations, as data."""

    def devices(self) -> tuple[Device, ...]: ...

    def mocks(self) -> tuple[Device, ...]:
        """Devices that exist for tests, which `devices` leaves out."""
        ...

    def device(self, name: str) -> Device:
        """By the core's name, in any case.

        Raises:
            UnknownDevice
        """
        ...

    def calibration(
        self, device: str, *, calibration_id: str | None = None, before: datetime | None = None
    ) -> Calibration:
        """Return the newest calibration, the one with that id, or the newest not after ``before`` (the oldest if all are after).

        Raises:
            UnknownDevice, UnknownCalibration
        """
        ...

    def calibration_id(self, device: str, *, calibration_id: str | None = None, before: datetime | None = None) -> str:
        """Return the id of the calibration that `calibration` gives; its document is not read.

        Raises:
            UnknownDevice, UnknownCalibration
        """
        ...

    def configuration(self, device: str, *, fractional_gates: bool = False) -> Mapping[str, Any]:
        """Return the snapshot's configuration document, with the snapshot's own names replaced.

        ``fractional_gates`` adds rx and rzz where the processor has them; without it, a transpiler keeps to the snapshot.

        Raises:
            UnknownDevice
        """
        ...


class DeviceRules(Protocol):
    """What is set for a device."""

    def settings(self, device: str) -> DeviceSettings: ...

    def any_lingers(self) -> bool:
        """Say whether any device has a least run time."""
        ...


class DeviceSettingsStore(DeviceRules, Protocol):
    """What an administrator, or a device's engine, says of a device."""

    def set(self, device: str, settings: DeviceSettings) -> None: ...

    def report(self, device: str) -> DeviceReport: ...

    def set_report(self, device: str, report: DeviceReport) -> None: ...
