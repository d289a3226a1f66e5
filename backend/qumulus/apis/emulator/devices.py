"""Devices, and what an administrator sets for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import DeviceImports, DeviceSettingsStore, Jobs
from qumulus.apis.dependencies import Devices as Catalogue
from qumulus.apis.given import given
from qumulus.core.devices import DeviceKind
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas.devices import (
    AddedDevices,
    AllMedians,
    Calibration,
    CalibrationId,
    DeviceDetails,
    DeviceName,
    Devices,
    DeviceSettings,
    Medians,
    NewDevices,
)
from .translate import devices as translate

operation = Operations()


Known = dict[str, tuple[str, Medians]]  # by device: of which calibration they are, and what they are


def _fleet(request: Request) -> str:
    return request.app.state.fleet


def _known_medians(request: Request) -> Known:
    return request.app.state.medians


Fleet = Annotated[str, Depends(_fleet)]
KnownMedians = Annotated[Known, Depends(_known_medians)]


@operation("listDevices")
def list_devices(
    administrator: Administrator, catalogue: Catalogue, device_settings: DeviceSettingsStore, jobs: Jobs, fleet: Fleet
) -> Devices:
    """All devices, by name."""
    pending = jobs.pending()
    known = sorted(catalogue.devices(), key=lambda device: device.name)
    return Devices(
        fleet=fleet,
        devices=[
            translate.device(each, device_settings.stored(each.name), pending.get(each.name, 0)) for each in known
        ],
    )


@operation("listMedians")
def list_medians(administrator: Administrator, catalogue: Catalogue, known: KnownMedians) -> AllMedians:
    """The medians of the current calibration of each device that has one."""
    names = [device.name for device in catalogue.devices() if device.kind is DeviceKind.QPU]
    return AllMedians(medians=[_medians(name, catalogue, known) for name in sorted(names)])


def _medians(name: str, catalogue: Catalogue, known: Known) -> Medians:
    """The medians of a device; its document is read once a calibration, and those of the last one are kept."""
    current = catalogue.calibration_id(name)
    if (kept := known.get(name)) is None or kept[0] != current:
        calibration = catalogue.calibration(name, calibration_id=current)
        kept = current, translate.medians(translate.calibration(calibration, catalogue.configuration(name)))
        known[name] = kept
    return kept[1]


@operation("getDevice")
def get_device(
    device: DeviceName,
    administrator: Administrator,
    catalogue: Catalogue,
    device_settings: DeviceSettingsStore,
    jobs: Jobs,
) -> DeviceDetails:
    """One device, with its gates."""
    known = catalogue.device(device)
    return translate.device_details(known, device_settings.stored(known.name), jobs.pending(known.name)[known.name])


@operation("getDeviceCalibration")
def get_device_calibration(
    device: DeviceName,
    administrator: Administrator,
    catalogue: Catalogue,
    calibration_id: CalibrationId | None = None,
) -> Calibration:
    """What it says of qubits and gates."""
    calibration = catalogue.calibration(device, calibration_id=calibration_id)
    return translate.calibration(calibration, catalogue.configuration(calibration.device))


@operation("setDevice")
def set_device(
    device: DeviceName,
    body: DeviceSettings,
    administrator: Administrator,
    catalogue: Catalogue,
    device_settings: DeviceSettingsStore,
) -> DeviceSettings:
    """All settings of a device at once."""
    known = catalogue.device(device)
    device_settings.set(known.name, translate.core_settings(body))
    return translate.device_settings(device_settings.stored(known.name))


@operation("addDevices")
def add_devices(
    body: NewDevices,
    administrator: Administrator,
    imports: DeviceImports,
    device_settings: DeviceSettingsStore,
    jobs: Jobs,
) -> AddedDevices:
    """Add devices, or calibrations to devices."""
    added, pending = imports.add(body.documents, name=given(body.name)), jobs.pending()
    return AddedDevices(
        devices=[
            translate.device_details(each, device_settings.stored(each.name), pending.get(each.name, 0))
            for each in added
        ]
    )


@operation("removeDevice")
def remove_device(device: DeviceName, administrator: Administrator, imports: DeviceImports) -> None:
    """Remove a device that was added."""
    imports.remove(device)
