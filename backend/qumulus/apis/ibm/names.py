"""What IBM calls devices: `ibm_` in front of the core's name."""

from __future__ import annotations

from datetime import datetime

from qumulus.core.devices import Device, DeviceKind
from qumulus.core.errors import UnknownCalibration, UnknownDevice
from qumulus.core.ports import Catalogue

PREFIX = "ibm_"
MOCKS = ("test_", "mock_")


def to_wire(name: str) -> str:
    """`brisbane` is `ibm_brisbane`; devices for tests and for dry runs go by their own names."""
    return name if name.startswith(MOCKS) else f"{PREFIX}{name}"


def to_core(name: str) -> str:
    """`ibm_brisbane`, in any case, is `brisbane`.

    Raises:
        UnknownDevice: it is not a name of this form.
    """
    known = name.lower()
    if known.startswith(MOCKS):
        return known
    if not known.startswith(PREFIX):
        raise UnknownDevice(name)
    return known.removeprefix(PREFIX)


def core_or_unknown(name: str) -> str:
    """The core's name; one that no device has for what is not a name of this form. For filters."""
    try:
        return to_core(name)
    except UnknownDevice:
        return ""


def mocks(catalogue: Catalogue) -> frozenset[str]:
    """The core's names of the devices for tests and for dry runs, which are hidden unless asked for."""
    return frozenset(device.name for device in catalogue.mocks())


def device(catalogue: Catalogue, name: str) -> Device:
    """The device that IBM calls so.

    Raises:
        UnknownDevice: there is none, or it is not one that IBM has.
    """
    try:
        found = catalogue.device(to_core(name))
    except UnknownDevice:
        raise UnknownDevice(name) from None
    if found.kind is not DeviceKind.QPU or not catalogue.offers(found.stands_for or found.name):
        raise UnknownDevice(name)
    return found


def calibration_id(
    catalogue: Catalogue, device: Device, *, calibration_id: str | None = None, before: datetime | None = None
) -> str:
    """The id of a calibration of a device; see `Catalogue.calibration_id`.

    Raises:
        UnknownCalibration: it has none with that id; the message names the device as IBM does.
    """
    try:
        return catalogue.calibration_id(device.name, calibration_id=calibration_id, before=before)
    except UnknownCalibration:
        raise UnknownCalibration(to_wire(device.name), str(calibration_id)) from None


def devices(catalogue: Catalogue, *, mocks: bool = False) -> list[Device]:
    """All devices that IBM has; its cloud has no simulators."""
    found = (*catalogue.devices(), *(catalogue.mocks() if mocks else ()))
    return [device for device in found if device.kind is DeviceKind.QPU]
