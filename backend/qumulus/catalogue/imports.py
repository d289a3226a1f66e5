"""How devices come into the catalogue: described in one of the forms, checked, made uniform, and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid5

from qumulus.core.devices import AddedDevice, Calibration, DescribedDevice, Device, from_values
from qumulus.core.errors import InvalidRequest, TooLarge, UnknownDevice
from qumulus.core.ports.devices import AddedDevices, Catalogue

from . import documents as ibm
from . import index, uniform
from .forms import Described, described

MOST_CALIBRATIONS = 1000  # of one device
MOST_DEVICES = 200


class Imports:
    """`core.ports.DeviceImports`."""

    def __init__(self, known: Catalogue, added: AddedDevices) -> None:
        """``known`` has all devices that there are, ``added`` keeps those that come."""
        self._known = known
        self._added = added

    def add(self, documents: Sequence[Mapping[str, Any]], *, name: str | None = None) -> tuple[Device, ...]:
        """Add devices, or calibrations to devices. See `DeviceImports.add`."""
        distinct = {
            json.dumps(each, sort_keys=True): each for each in documents
        }  # to describe a device takes milliseconds
        made = [self._made(device, parts) for device, parts in described(list(distinct.values()), name).items()]
        kept = self._added.all()
        if len({*kept, *(each.device.name for each in made)}) > MOST_DEVICES:
            raise TooLarge(f"There may be {MOST_DEVICES} devices besides those of the package: remove one first.")
        for each in made:
            if not _has(kept.get(each.device.name), each):
                self._added.add(each)
        return tuple(self._known.device(each.device.name) for each in made)

    def own(self, name: str) -> bool:
        """Say whether a device was added. See `DeviceImports.own`."""
        return name.lower() in self._added.all()

    def add_series(self, name: str, calibrations: Sequence[Calibration]) -> tuple[Calibration, ...]:
        """Let calibrations follow those of a device. See `DeviceImports.add_series`."""
        device = self._known.device(name)
        if len(self.series(device.name)) + len(calibrations) > MOST_CALIBRATIONS:
            raise TooLarge(f"{device.name} would have more than {MOST_CALIBRATIONS} calibrations: remove some first.")
        kept = self._added.all().get(device.name)
        first = () if kept else (self._known.calibration(device.name),)  # of the package: it stays, under its id
        described = DescribedDevice(
            device=kept.device if kept else device,
            configuration=self._known.configuration(device.name),
            calibrations=(*first, *calibrations),
        )
        self._added.add(described, made=[each.id for each in calibrations])
        return self.series(device.name)

    def remove_series(self, name: str) -> None:
        """Remove the calibrations that were let follow those of a device. See `DeviceImports.remove_series`."""
        if not self._added.unmake(name) and name in index.load() and name in self._added.all():
            self._added.remove(name)  # what an earlier version has let follow: it kept no account of that

    def series(self, name: str) -> tuple[Calibration, ...]:
        """Return the calibrations of a device. See `DeviceImports.series`."""
        device = self._known.device(name)
        kept = self._added.all().get(device.name)
        if kept:
            return kept.series
        return (replace(self._known.calibration(device.name), properties={}),)

    def measured(self, name: str) -> Calibration:
        """Return the newest calibration of a device. See `DeviceImports.measured`."""
        return self._known.calibration(name)

    def remove(self, name: str) -> None:
        """Remove a device that was added. See `DeviceImports.remove`."""
        self._added.remove(name.lower())

    def _made(self, name: str, parts: Described) -> DescribedDevice:
        if not parts.properties:
            raise InvalidRequest(f"Nothing says how good {name} is: add its properties, such as backend.properties().")
        calibrations = [ibm.properties(each) for each in parts.properties]
        if parts.configuration is None:
            base = self._configuration(name)
        else:
            read = {"online_date": min(each["last_update_date"] for each in calibrations)} | ibm.configuration(
                parts.configuration
            )
            base = uniform.configuration(read, lambda: calibrations[0])
        configuration = {**base, "backend_name": name}
        if any(len(each["qubits"]) != configuration["n_qubits"] for each in calibrations):
            raise InvalidRequest(f"The configuration of {name} and its properties differ in the number of qubits.")
        if len(calibrations) + len(self._series(name)) > MOST_CALIBRATIONS:
            raise TooLarge(f"{name} would have more than {MOST_CALIBRATIONS} calibrations: remove the device first.")
        series = sorted((_calibration(name, configuration, each) for each in calibrations), key=lambda one: one.at)
        newest = max([*series, *self._series(name)], key=lambda one: one.at)
        shown = index.row(name, configuration, series[-1].properties)
        device = from_values({**shown, "calibrated_at": newest.at.isoformat()})
        return DescribedDevice(device=device, configuration=configuration, calibrations=tuple(series))

    def _series(self, name: str) -> tuple[Calibration, ...]:
        kept = self._added.all().get(name)
        return () if kept is None else kept.series

    def _configuration(self, name: str) -> Mapping[str, Any]:
        try:
            return self._known.configuration(name)
        except UnknownDevice:
            raise InvalidRequest(
                f"Nothing says what {name} is: add its configuration, such as backend.configuration()."
            ) from None


def _has(kept: AddedDevice | None, made: DescribedDevice) -> bool:
    """Say whether all of a device is kept already, as at each further start with a folder."""
    return (
        kept is not None
        and kept.device == made.device
        and {each.id for each in made.calibrations} <= {each.id for each in kept.series}
    )


def _calibration(name: str, configuration: Mapping[str, Any], properties: Mapping[str, Any]) -> Calibration:
    """A calibration with an id that follows from all that is known of it."""
    document = {**properties, "backend_name": name}
    at = datetime.fromisoformat(properties["last_update_date"])
    digest = hashlib.sha256(json.dumps([configuration, document], sort_keys=True).encode()).hexdigest()
    return Calibration(id=str(uuid5(index.CALIBRATIONS, f"{name} {digest}")), device=name, at=at, properties=document)
