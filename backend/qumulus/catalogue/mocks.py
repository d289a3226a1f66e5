"""Mocks: each device once more, for jobs that are checked and counted but not executed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from qumulus.core.devices import Calibration, Device, DeviceKind
from qumulus.core.errors import UnknownDevice
from qumulus.core.ports import Catalogue

PREFIX = "mock_"


class MockedCatalogue:
    """`core.ports.Catalogue` over another one, in which `mock_brisbane` stands for `brisbane` wherever that is offered.

    What is told of a mock is told of the device that it stands for, faults included. A device that is itself called so comes first.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def devices(self) -> tuple[Device, ...]:
        """Every device but the mocks."""
        return self._catalogue.devices()

    def mocks(self) -> tuple[Device, ...]:
        """Return the devices that exist for tests, and a mock of each device that is offered."""
        offered = self._catalogue.devices()
        known = {device.name for device in offered}
        mocks = (_mock(device) for device in offered if device.kind is DeviceKind.QPU)
        return (*self._catalogue.mocks(), *(mock for mock in mocks if mock.name not in known))

    def device(self, name: str) -> Device:
        """Return a device, or a mock of one, by its name. See `Catalogue.device`."""
        real = self._real(name)
        return self._catalogue.device(name) if real is None else _mock(real)

    def offers(self, name: str) -> bool:
        """Say whether a device may be used. A mock is for those alone who know what it stands for: it is not offered."""
        return self._real(name) is None and self._catalogue.offers(name)

    def calibration(
        self, device: str, *, calibration_id: str | None = None, before: datetime | None = None
    ) -> Calibration:
        """Return a calibration with its document. See `Catalogue.calibration`."""
        return self._catalogue.calibration(self._behind(device), calibration_id=calibration_id, before=before)

    def calibration_id(self, device: str, *, calibration_id: str | None = None, before: datetime | None = None) -> str:
        """Return the id of a calibration. See `Catalogue.calibration_id`."""
        return self._catalogue.calibration_id(self._behind(device), calibration_id=calibration_id, before=before)

    def configuration(self, device: str, *, fractional_gates: bool = False) -> Mapping[str, Any]:
        """Return a device's configuration. See `Catalogue.configuration`."""
        return self._catalogue.configuration(self._behind(device), fractional_gates=fractional_gates)

    def _behind(self, name: str) -> str:
        real = self._real(name)
        return name if real is None else real.name

    def _real(self, name: str) -> Device | None:
        """Return the device that a mock stands for; None where the name is a device's own.

        Raises:
            UnknownDevice: it is called like a mock, and there is no device for which that would stand.
        """
        if not name.lower().startswith(PREFIX):
            return None
        with suppress(UnknownDevice):
            self._catalogue.device(name)
            return None
        try:
            real = self._catalogue.device(name.lower().removeprefix(PREFIX))
        except UnknownDevice:
            raise UnknownDevice(name) from None
        if real.kind is not DeviceKind.QPU:
            raise UnknownDevice(name)
        return real


def _mock(device: Device) -> Device:
    return replace(device, name=f"{PREFIX}{device.name}", description=f"Mock of {device.name}", stands_for=device.name)
