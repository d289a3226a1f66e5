"""What OQTOPUS calls devices: the snapshot's folder with a capital, and simulators as they are."""

from __future__ import annotations

from qumulus.core.devices import Device, DeviceKind
from qumulus.core.errors import DeviceUnavailable, UnknownDevice, WrongState
from qumulus.core.ports import Catalogue, DeviceSettingsStore
from qumulus.core.services import device_beside

IDEAL = "qulacs"  # the ideal simulator
IDEAL_BESIDE = "sse"  # the same, under the name that the examples of programs beside a device use


TRANSLATED = "cx"
"""The gate that every device takes, also one whose own two-qubit gate is another: OQTOPUS' programs have it."""


def gates_of(device: Device) -> list[str]:
    """What programs may use that are not transpiled."""
    own = list(device.basis_gates)
    return own if TRANSLATED in own or device.kind is DeviceKind.SIMULATOR else [TRANSLATED, *own]


REGISTERED = "OQTOPUS"
"""The family of devices whose engines told what they are; they are called as they call themselves."""


def name_of(device: Device) -> str:
    """`Kawasaki`, `qulacs`, `anemone`."""
    as_it_is = device.kind is DeviceKind.SIMULATOR or device.family == REGISTERED
    return device.name if as_it_is else device.name.capitalize()


def shown(device: str, devices: Catalogue) -> str:
    """The name to show for the core's name ``device``, or for the queue of programs beside it."""
    return name_of(devices.device(device_beside(device)))


def offered(name: str, devices: Catalogue) -> Device:
    """The device of that name, in any case.

    Raises:
        UnknownDevice: there is none, or it is not offered.
    """
    device = devices.device(name)
    if not devices.offers(device.name):
        raise UnknownDevice(name)
    return device


def accepting(name: str, devices: Catalogue, device_settings: DeviceSettingsStore) -> Device:
    """The device of that name, in any case, which takes tasks now.

    Raises:
        UnknownDevice, DeviceUnavailable
        WrongState: its own engine runs it, and knows nothing of tasks.
    """
    device = offered(name, devices)
    settings = device_settings.settings(device.name)
    if not settings.online:
        raise DeviceUnavailable(name_of(device))
    if settings.provider:
        raise WrongState(
            f"Device {name_of(device)} is run by its own engine, which takes jobs: send one to POST /jobs."
        )
    return device
