"""Devices."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Accounts, Devices, DeviceSettingsStore, Jobs
from qumulus.apis.oqtopus.names import offered
from qumulus.core.errors import DeviceNotAllowed
from qumulus.core.services import queue_beside
from qumulus.openapi.contract import Operations, Rendered

from .callers import Caller, Information
from .schemas.device import DeviceId, DeviceInfo
from .translate import devices as translate

operation = Operations()


def _kept(request: Request) -> translate.RenderedDevices:
    return request.app.state.rendered_devices


Kept = Annotated[translate.RenderedDevices, Depends(_kept)]


@operation("listDevices")
def list_devices(
    caller: Caller,
    accounts: Accounts,
    devices: Devices,
    device_settings: DeviceSettingsStore,
    jobs: Jobs,
    information: Information,
    kept: Kept,
) -> Rendered[list[DeviceInfo]]:
    pending = jobs.pending()
    account = accounts.account(caller.account)
    shown = [each for each in devices.devices() if account.may_use(each.name)]
    return Rendered.joined(kept.rendered(each, device_settings, pending, information) for each in shown)


@operation("getDevice")
def get_device(
    device_id: DeviceId,
    caller: Caller,
    accounts: Accounts,
    devices: Devices,
    device_settings: DeviceSettingsStore,
    jobs: Jobs,
    information: Information,
) -> DeviceInfo:
    device = offered(device_id, devices)
    if not accounts.account(caller.account).may_use(device.name):
        raise DeviceNotAllowed(device.name)
    pending = {**jobs.pending(device.name), **jobs.pending(queue_beside(device.name))}
    return translate.device(device, device_settings, pending, information)
