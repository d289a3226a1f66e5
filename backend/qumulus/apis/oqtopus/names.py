"""What OQTOPUS calls devices: the snapshot's folder with a capital, and simulators as they are."""

from __future__ import annotations

from qumulus.core.devices import Device, DeviceKind
from qumulus.core.errors import DeviceUnavailable
from qumulus.core.ports import Catalogue, DeviceBoard


def name_of(device: Device) -> str:
    """`Kawasaki`, `qulacs`."""
    return device.name.capitalize() if device.kind is DeviceKind.QPU else device.name


def shown(device: str, devices: Catalogue) -> str:
    """The name to show for the core's name ``device``."""
    return name_of(devices.device(device))


def accepting(name: str, devices: Catalogue, board: DeviceBoard) -> Device:
    """The device of that name, in any case, which takes jobs now.

    Raises:
        UnknownDevice, DeviceUnavailable
    """
    device = devices.device(name)
    if not board.settings(device.name).online:
        raise DeviceUnavailable(name_of(device))
    return device
