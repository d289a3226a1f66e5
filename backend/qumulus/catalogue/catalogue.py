"""The port `Catalogue`, answered from the snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from qumulus.core.devices import Calibration, Device
from qumulus.core.errors import UnknownDevice

from . import fractional, ideal, index, snapshots, uniform
from .series import choose

MOCKS = {"test_eagle": "sherbrooke"}  # devices that exist for tests, and the snapshot that each is


class SnapshotCatalogue:
    """All snapshots of the qiskit-ibm-runtime package, and the ideal simulators.

    A snapshot is one calibration of its device, so that the series of each device has one member: asked for a time before
    it, the catalogue gives that one. Documents name the device by the core's name.
    """

    def __init__(self, *, show_mocks: bool = False) -> None:
        """``show_mocks``: list the devices that exist for tests among the others."""
        self._show_mocks = show_mocks

    def devices(self) -> tuple[Device, ...]:
        """Every device, in the order of their names, the ideal simulators last."""
        return (*(self._mocks() if self._show_mocks else ()), *index.load().values())

    def mocks(self) -> tuple[Device, ...]:
        """Return the devices that exist for tests: snapshots under another name, which `devices` leaves out."""
        return () if self._show_mocks else self._mocks()

    def _mocks(self) -> tuple[Device, ...]:
        return tuple(self.device(name) for name in MOCKS)

    def device(self, name: str) -> Device:
        """By the core's name, in any case.

        Raises:
            UnknownDevice
        """
        key = name.lower()
        try:
            found = index.load()[MOCKS.get(key, key)]
        except KeyError:
            raise UnknownDevice(name) from None
        return replace(found, name=key, description="For tests") if key in MOCKS else found

    def offers(self, name: str) -> bool:
        """Say whether the device is there. See `Catalogue.offers`."""
        return name.lower() in MOCKS or name.lower() in index.load()

    def calibration(
        self, device: str, *, calibration_id: str | None = None, before: datetime | None = None
    ) -> Calibration:
        """Return the device's calibration with its document, gate lengths in ns, T1 and T2 in µs and frequencies in GHz as the document says.

        Raises:
            UnknownDevice, UnknownCalibration
        """
        chosen = self._chosen(device, calibration_id, before)
        return replace(chosen, properties=_properties(chosen.device))

    def calibration_id(self, device: str, *, calibration_id: str | None = None, before: datetime | None = None) -> str:
        """Return the id of the calibration that `calibration` gives, without its document.

        Raises:
            UnknownDevice, UnknownCalibration
        """
        return self._chosen(device, calibration_id, before).id

    def _chosen(self, device: str, calibration_id: str | None, before: datetime | None) -> Calibration:
        return choose(_series(self.device(device)), calibration_id, before)

    def configuration(self, device: str, *, fractional_gates: bool = False) -> Mapping[str, Any]:
        """Return the device's configuration; with rx and rzz on request, where its processor has them.

        Raises:
            UnknownDevice
        """
        name = self.device(device).name
        configuration = _configuration(name)
        if fractional_gates and fractional.has(configuration):
            return fractional.in_configuration(configuration)
        return configuration


def _series(device: Device) -> tuple[Calibration, ...]:
    """Return the device's calibrations, oldest first, without their documents."""
    if device.calibrated_at is None:
        raise ValueError(f"The index has no time of calibration for {device.name}: generate it again.")
    at = device.calibrated_at
    return (Calibration(id=index.calibration_id(device.name, at), device=device.name, at=at),)


def _configuration(name: str) -> dict[str, Any]:
    if name in ideal.IDEALS:
        return ideal.configuration(name)
    return uniform.configuration(_snapshot(name, "conf"), lambda: _snapshot(name, "props"))


def _properties(name: str) -> dict[str, Any]:
    if name in ideal.IDEALS:
        return ideal.properties(name)
    properties = _snapshot(name, "props")
    return fractional.in_properties(properties) if fractional.has(_snapshot(name, "conf")) else properties


def _snapshot(name: str, part: snapshots.Part) -> dict[str, Any]:
    if name in MOCKS:
        return snapshots.read(MOCKS[name], part) | {"backend_name": name}
    return snapshots.read(name, part)
