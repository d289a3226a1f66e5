"""Devices, and what an administrator sets for them."""

from __future__ import annotations

from qumulus.apis.dependencies import Devices as Catalogue
from qumulus.apis.dependencies import DeviceSettingsStore, Jobs
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas.devices import (
    Calibration,
    CalibrationId,
    DeviceDetails,
    DeviceName,
    Devices,
    DeviceSettings,
)
from .translate import devices as translate

operation = Operations()


@operation("listDevices")
def list_devices(
    administrator: Administrator, catalogue: Catalogue, device_settings: DeviceSettingsStore, jobs: Jobs
) -> Devices:
    """All devices, by name."""
    pending = jobs.pending()
    known = sorted(catalogue.devices(), key=lambda device: device.name)
    return Devices(
        devices=[
            translate.device(each, device_settings.settings(each.name), pending.get(each.name, 0)) for each in known
        ]
    )


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
    return translate.device_details(known, device_settings.settings(known.name), jobs.pending(known.name)[known.name])


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
    return translate.device_settings(device_settings.settings(known.name))
