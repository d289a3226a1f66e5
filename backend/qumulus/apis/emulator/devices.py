"""Devices, and what an administrator sets for them."""

from __future__ import annotations

from qumulus.apis.dependencies import Board, Jobs
from qumulus.apis.dependencies import Devices as Catalogue
from qumulus.openapi.contract import Operations

from . import translate
from .callers import Administrator
from .schemas.devices import DeviceDetails, DeviceName, Devices, DeviceSettings

operation = Operations()


@operation("listDevices")
def list_devices(administrator: Administrator, catalogue: Catalogue, board: Board, jobs: Jobs) -> Devices:
    """All devices, by name."""
    pending = jobs.pending()
    known = sorted(catalogue.devices(), key=lambda device: device.name)
    return Devices(
        devices=[translate.device(each, board.settings(each.name), pending.get(each.name, 0)) for each in known]
    )


@operation("getDevice")
def get_device(
    device: DeviceName, administrator: Administrator, catalogue: Catalogue, board: Board, jobs: Jobs
) -> DeviceDetails:
    """One device, with its gates."""
    known = catalogue.device(device)
    return translate.device_details(known, board.settings(known.name), jobs.pending(known.name)[known.name])


@operation("setDevice")
def set_device(
    device: DeviceName, body: DeviceSettings, administrator: Administrator, catalogue: Catalogue, board: Board
) -> DeviceSettings:
    """All settings of a device at once."""
    known = catalogue.device(device)
    board.set(known.name, translate.core_settings(body))
    return translate.device_settings(board.settings(known.name))
