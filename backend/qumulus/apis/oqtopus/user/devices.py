"""Devices."""

from __future__ import annotations

from qumulus.apis.dependencies import Devices, DeviceSettingsStore, Jobs
from qumulus.core.services import queue_beside
from qumulus.openapi.contract import Operations, Rendered

from .callers import Caller, Information
from .schemas.device import DeviceId, DeviceInfo
from .translate import devices as translate

operation = Operations()


@operation("listDevices")
def list_devices(
    caller: Caller, devices: Devices, device_settings: DeviceSettingsStore, jobs: Jobs, information: Information
) -> Rendered[list[DeviceInfo]]:
    pending = jobs.pending()
    return Rendered.joined(
        translate.rendered(each, device_settings, pending, information) for each in devices.devices()
    )


@operation("getDevice")
def get_device(
    device_id: DeviceId,
    caller: Caller,
    devices: Devices,
    device_settings: DeviceSettingsStore,
    jobs: Jobs,
    information: Information,
) -> DeviceInfo:
    device = devices.device(device_id)
    pending = {**jobs.pending(device.name), **jobs.pending(queue_beside(device.name))}
    return translate.device(device, device_settings, pending, information)
