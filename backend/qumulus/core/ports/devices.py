"""Devices: what is known of them, and what is said of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from qumulus.core.devices import AddedDevice, Calibration, DescribedDevice, Device, DeviceReport, DeviceSettings
from qumulus.core.queues import OthersQueue, QueueSetting

Document = Literal["configuration", "properties", "defaults"]


class Catalogue(Protocol):
    """The devices and their calibrations, as data."""

    def devices(self) -> tuple[Device, ...]: ...

    def mocks(self) -> tuple[Device, ...]:
        """Devices that exist for tests and for dry runs, which `devices` leaves out."""
        ...

    def device(self, name: str) -> Device:
        """By the core's name, in any case.

        Raises:
            UnknownDevice
        """
        ...

    def offers(self, name: str) -> bool:
        """Say whether a device is there and may be used; one that is known may not be."""
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


class AddedDevices(Protocol):
    """Devices that somebody added to those of the package, with their documents."""

    def all(self) -> Mapping[str, AddedDevice]:
        """Return all of them by name; from memory, unless something has changed."""
        ...

    def configuration(self, device: str) -> Mapping[str, Any]:
        """Return the configuration of one of them.

        Raises:
            UnknownDevice
        """
        ...

    def properties(self, device: str, calibration_id: str) -> Mapping[str, Any]:
        """Return the document of a calibration of one of them.

        Raises:
            UnknownCalibration
        """
        ...

    def add(self, added: DescribedDevice, *, made: Collection[str] = ()) -> None:
        """Add a device, or to the calibrations of one; its configuration takes the place of an earlier one.

        ``made`` are the ids of calibrations that nobody has measured.
        """
        ...

    def unmake(self, device: str) -> bool:
        """Remove the calibrations of a device that nobody has measured; say whether there were any.

        Raises:
            WrongState: jobs of it wait or run.
        """
        ...

    def remove(self, device: str) -> None:
        """Remove a device with its calibrations.

        Raises:
            UnknownDevice: it was not added.
            WrongState: jobs of it wait or run.
        """
        ...


class DeviceImports(Protocol):
    """How devices come into the catalogue, and go."""

    def add(self, documents: Sequence[Mapping[str, Any]], *, name: str | None = None) -> tuple[Device, ...]:
        """Add the devices that the documents describe, in any form that `catalogue.forms` knows, or calibrations to them.

        ``name`` is the device of documents that name none, and of all where they name one only.

        Raises:
            InvalidRequest: a document is of no known form, or describes what can't be.
        """
        ...

    def own(self, name: str) -> bool:
        """Say whether a device was added, and did not come with the package."""
        ...

    def add_series(self, name: str, calibrations: Sequence[Calibration]) -> tuple[Calibration, ...]:
        """Let calibrations follow those of a device, and return all that there are then, without their documents.

        Raises:
            UnknownDevice
            TooLarge: a device has no more than so many.
        """
        ...

    def remove_series(self, name: str) -> None:
        """Remove the calibrations that were let follow those of a device.

        Raises:
            WrongState: jobs of it wait or run.
        """
        ...

    def series(self, name: str) -> tuple[Calibration, ...]:
        """Return the calibrations of a device, oldest first, without their documents, also those to come.

        Raises:
            UnknownDevice
        """
        ...

    def measured(self, name: str) -> Calibration:
        """Return the newest calibration of a device with its document, whatever a fault makes of it.

        Raises:
            UnknownDevice
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a device that was added. See `AddedDevices.remove`."""
        ...


class DeviceRules(Protocol):
    """What is set for a device."""

    def settings(self, device: str) -> DeviceSettings: ...

    def queue(self, device: str) -> OthersQueue | None:
        """Return the queue that others cause there; None where nobody else is served."""
        ...


class DeviceSettingsStore(DeviceRules, Protocol):
    """What an administrator, or a device's engine, says of a device."""

    def stored(self, device: str) -> DeviceSettings:
        """Return what was set, whatever a fault makes of it."""
        ...

    def set(self, device: str, settings: DeviceSettings) -> None: ...

    def report(self, device: str) -> DeviceReport: ...

    def set_report(self, device: str, report: DeviceReport) -> None: ...

    def queues(self) -> Mapping[str, OthersQueue]:
        """Return all queues that others cause, by device."""
        ...

    def set_queue(self, device: str, setting: QueueSetting, since: datetime) -> OthersQueue:
        """Let others queue at a device from then on, which serves one job at a time."""
        ...

    def remove_queue(self, device: str) -> None:
        """Let nobody else be served; whether the device serves one job at a time stays as it is."""
        ...
