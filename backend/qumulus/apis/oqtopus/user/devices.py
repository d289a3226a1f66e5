"""Devices."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Devices, DeviceSettingsStore, Jobs
from qumulus.apis.oqtopus.names import offered
from qumulus.core.services import queue_beside
from qumulus.openapi.contract import Operations, Rendered

from .callers import Caller, Information
from .schemas.device import DeviceId, DeviceInfo
from .translate import devices as translate

operation = Operations()


async def _kept(request: Request) -> translate.RenderedDevices:
    return request.app.state.rendered_devices


Kept = Annotated[translate.RenderedDevices, Depends(_kept)]


@operation("listDevices")
def list_devices(
    caller: Caller,
    devices: Devices,
    device_settings: DeviceSettingsStore,
    jobs: Jobs,
    information: Information,
    kept: Kept,
) -> Rendered[list[DeviceInfo]]:
    pending = jobs.pending()
    return Rendered.joined(kept.rendered(each, device_settings, pending, information) for each in devices.devices())


@operation("getDevice")
def get_device(
    device_id: DeviceId,
    caller: Caller,
    devices: Devices,
    device_settings: DeviceSettingsStore,
    jobs: Jobs,
    information: Information,
) -> DeviceInfo:
    device = offered(device_id, devices)
    pending = {**jobs.pending(device.name), **jobs.pending(queue_beside(device.name))}
    return translate.device(device, device_settings, pending, information)
