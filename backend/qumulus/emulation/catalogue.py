"""The devices under faults: one that was retired is found no more, one that is broken says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from qumulus.core.devices import Calibration, Device
from qumulus.core.errors import UnknownDevice
from qumulus.core.faults import FaultKind
from qumulus.core.ports import Catalogue, FaultStore

from .broken import broken, calibration, found


class FaultyCatalogue:
    """`core.ports.Catalogue` over another one."""

    def __init__(self, catalogue: Catalogue, faults: FaultStore) -> None:
        self._catalogue = catalogue
        self._faults = faults

    def devices(self) -> tuple[Device, ...]:
        """Return the devices that are left."""
        devices = self._catalogue.devices()
        if not self._faults.active():
            return devices
        return tuple(self._shown(device) for device in devices if not self._retired(device.name))

    def mocks(self) -> tuple[Device, ...]:
        """Return the devices that exist for tests."""
        return self._catalogue.mocks()

    def device(self, name: str) -> Device:
        """Return a device by its name. See `Catalogue.device`."""
        device = self._catalogue.device(name)
        if self._retired(device.name):
            raise UnknownDevice(name)
        return self._shown(device)

    def offers(self, name: str) -> bool:
        """Say whether a device is there and may be used. See `Catalogue.offers`."""
        return self._catalogue.offers(name) and not self._retired(self._catalogue.device(name).name)

    def calibration(
        self, device: str, *, calibration_id: str | None = None, before: datetime | None = None
    ) -> Calibration:
        """Return a calibration, which says what is broken. See `Catalogue.calibration`."""
        rules = self._faults.of_device(device.lower())
        if calibration_id is not None:
            return found(self._catalogue, broken(rules), device, calibration_id)
        parts, base = broken(rules, before), self._catalogue.calibration(device, before=before)
        return base if parts is None else calibration(base, parts)

    def calibration_id(self, device: str, *, calibration_id: str | None = None, before: datetime | None = None) -> str:
        """Return the id of a calibration. See `Catalogue.calibration_id`."""
        if not self._faults.of_device(device.lower()):
            return self._catalogue.calibration_id(device, calibration_id=calibration_id, before=before)
        return self.calibration(device, calibration_id=calibration_id, before=before).id

    def configuration(self, device: str, *, fractional_gates: bool = False) -> Mapping[str, Any]:
        """Return the configuration of a device. See `Catalogue.configuration`."""
        return self._catalogue.configuration(device, fractional_gates=fractional_gates)

    def _retired(self, device: str) -> bool:
        return any(rule.kind is FaultKind.DEVICE_RETIRED for rule in self._faults.of_device(device))

    def _shown(self, device: Device) -> Device:
        parts = broken(self._faults.of_device(device.name))
        if parts is None or device.calibrated_at is None:
            return device
        return replace(device, calibrated_at=max(device.calibrated_at, parts.since))
