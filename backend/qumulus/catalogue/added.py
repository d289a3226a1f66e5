"""Devices that somebody added, as a catalogue; and several catalogues as one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from qumulus.core.devices import AddedDevice, Calibration, DescribedDevice, Device
from qumulus.core.errors import UnknownCalibration, UnknownDevice
from qumulus.core.ports.devices import AddedDevices, Catalogue

from . import fractional
from .series import choose


class AddedCatalogue:
    """`core.ports.Catalogue` of devices that were added to those of the package."""

    def __init__(self, added: AddedDevices, now: Callable[[], datetime] | None = None) -> None:
        """``added`` keeps them; ``now`` is what time it is in the cloud: of calibrations to come nobody knows yet."""
        self._added = added
        self._now = now or (lambda: None)

    def devices(self) -> tuple[Device, ...]:
        """Every device, by name."""
        known = self._added.all()
        return tuple(self._shown(known[name]) for name in sorted(known))

    def mocks(self) -> tuple[Device, ...]:
        """Return none: whoever adds a device wants to see it."""
        return ()

    def device(self, name: str) -> Device:
        """By the core's name, in any case. See `Catalogue.device`."""
        return self._shown(self._found(name))

    def offers(self, name: str) -> bool:
        """Say whether the device is there. See `Catalogue.offers`."""
        return name.lower() in self._added.all()

    def calibration(
        self, device: str, *, calibration_id: str | None = None, before: datetime | None = None
    ) -> Calibration:
        """Return a calibration with its document. See `Catalogue.calibration`."""
        found = self._found(device)
        chosen, name = choose(found.series, calibration_id, before, self._now()), found.device.name
        properties = self._added.properties(name, chosen.id)
        if fractional.has(self._added.configuration(name)):
            properties = fractional.in_properties(properties)
        return replace(chosen, properties=properties)

    def calibration_id(self, device: str, *, calibration_id: str | None = None, before: datetime | None = None) -> str:
        """Return the id of a calibration. See `Catalogue.calibration_id`."""
        return choose(self._found(device).series, calibration_id, before, self._now()).id

    def configuration(self, device: str, *, fractional_gates: bool = False) -> Mapping[str, Any]:
        """Return a device's configuration. See `Catalogue.configuration`."""
        configuration = self._added.configuration(self._found(device).device.name)
        if fractional_gates and fractional.has(configuration):
            return fractional.in_configuration(configuration)
        return configuration

    def _shown(self, added: AddedDevice) -> Device:
        at = choose(added.series, None, None, self._now()).at
        return added.device if added.device.calibrated_at == at else replace(added.device, calibrated_at=at)

    def _found(self, name: str) -> AddedDevice:
        try:
            return self._added.all()[name.lower()]
        except KeyError:
            raise UnknownDevice(name) from None


class SentDevice:
    """`core.ports.AddedDevices` of a worker: the device of the program that runs, if it came along."""

    def __init__(self) -> None:
        self._sent: DescribedDevice | None = None

    def take(self, sent: DescribedDevice | None) -> None:
        """Have a device from now on, and no other."""
        self._sent = sent

    def all(self) -> Mapping[str, AddedDevice]:
        """Return the one device, or none."""
        if (sent := self._sent) is None:
            return {}
        return {sent.device.name: AddedDevice(device=sent.device, series=sent.calibrations)}

    def configuration(self, device: str) -> Mapping[str, Any]:
        """Return its configuration. See `AddedDevices.configuration`."""
        return self._described(device).configuration

    def properties(self, device: str, calibration_id: str) -> Mapping[str, Any]:
        """Return the document of its calibration. See `AddedDevices.properties`."""
        for each in self._described(device).calibrations:
            if each.id == calibration_id:
                return each.properties
        raise UnknownCalibration(device, calibration_id)

    def add(self, added: DescribedDevice, *, made: Collection[str] = ()) -> None:  # noqa: ARG002
        """Have another device."""
        self.take(added)

    def unmake(self, device: str) -> bool:
        """Have what came along: a worker knows nothing of how it was made."""
        self._described(device)
        return False

    def remove(self, device: str) -> None:
        """Have none."""
        self._described(device)
        self.take(None)

    def _described(self, device: str) -> DescribedDevice:
        if self._sent is None or self._sent.device.name != device:
            raise UnknownDevice(device)
        return self._sent


class CombinedCatalogue:
    """Several catalogues as one; of two devices with one name, that of the first counts."""

    def __init__(self, *catalogues: Catalogue) -> None:
        """``catalogues``: those asked first come first."""
        self._catalogues = catalogues

    def devices(self) -> tuple[Device, ...]:
        """Every device; see `Catalogue.devices`."""
        return self._once(catalogue.devices() for catalogue in self._catalogues)

    def mocks(self) -> tuple[Device, ...]:
        """Every device for tests that `devices` leaves out."""
        return self._once(catalogue.mocks() for catalogue in self._catalogues)

    def device(self, name: str) -> Device:
        """By the core's name, in any case. See `Catalogue.device`."""
        return self._of(name).device(name)

    def offers(self, name: str) -> bool:
        """Say whether one of them offers the device. See `Catalogue.offers`."""
        return any(catalogue.offers(name) for catalogue in self._catalogues)

    def calibration(
        self, device: str, *, calibration_id: str | None = None, before: datetime | None = None
    ) -> Calibration:
        """Return a calibration with its document. See `Catalogue.calibration`."""
        return self._of(device).calibration(device, calibration_id=calibration_id, before=before)

    def calibration_id(self, device: str, *, calibration_id: str | None = None, before: datetime | None = None) -> str:
        """Return the id of a calibration. See `Catalogue.calibration_id`."""
        return self._of(device).calibration_id(device, calibration_id=calibration_id, before=before)

    def configuration(self, device: str, *, fractional_gates: bool = False) -> Mapping[str, Any]:
        """Return a device's configuration. See `Catalogue.configuration`."""
        return self._of(device).configuration(device, fractional_gates=fractional_gates)

    def _of(self, name: str) -> Catalogue:
        for catalogue in self._catalogues:
            try:
                catalogue.device(name)
            except UnknownDevice:
                continue
            return catalogue
        raise UnknownDevice(name)

    @staticmethod
    def _once(found: Iterable[Iterable[Device]]) -> tuple[Device, ...]:
        by_name: dict[str, Device] = {}
        for device in chain.from_iterable(found):
            by_name.setdefault(device.name, device)
        return tuple(by_name.values())
