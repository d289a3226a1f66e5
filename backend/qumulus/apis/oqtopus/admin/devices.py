"""The devices of the cloud."""

from __future__ import annotations

from qumulus.apis.dependencies import DeviceImports, Devices, DeviceSettingsStore, Jobs
from qumulus.openapi.contract import Operations

from .callers import Caller
from .registration import change, register
from .schemas.device import DeviceBase, DeviceId, DeviceInfo
from .schemas.success import SuccessResponse
from .translate import devices as translate

operation = Operations()


@operation("listDevices")
def list_devices(
    caller: Caller, devices: Devices, device_settings: DeviceSettingsStore, jobs: Jobs
) -> list[DeviceInfo]:
    pending = jobs.pending()
    return [translate.listed(each, device_settings, pending) for each in devices.devices()]


@operation("registerDevice")
def register_device(
    body: DeviceBase, caller: Caller, devices: Devices, imports: DeviceImports, device_settings: DeviceSettingsStore
) -> SuccessResponse:
    register(body, devices, imports, device_settings)
    return SuccessResponse(message="Device registered successfully")


@operation("getDevice")
def get_device(
    device_id: DeviceId, caller: Caller, devices: Devices, device_settings: DeviceSettingsStore, jobs: Jobs
) -> DeviceInfo:
    device = devices.device(device_id)
    return translate.device(device, devices, device_settings, jobs.pending(device.name))


@operation("updateDevice")
def update_device(
    device_id: DeviceId,
    body: DeviceBase,
    caller: Caller,
    devices: Devices,
    imports: DeviceImports,
    device_settings: DeviceSettingsStore,
) -> SuccessResponse:
    change(devices.device(device_id), body, imports, device_settings)
    return SuccessResponse(message="Device updated successfully")


@operation("deleteDevice")
def delete_device(device_id: DeviceId, caller: Caller, devices: Devices, imports: DeviceImports) -> None:
    imports.remove(devices.device(device_id).name)
