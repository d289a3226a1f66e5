"""Devices, and what an administrator sets for them."""

from __future__ import annotations

from dataclasses import asdict

from qumulus.apis.emulator.schemas.devices import Device, DeviceDetails, DeviceKind, DeviceSettings
from qumulus.core import devices


def device(known: devices.Device, settings: devices.DeviceSettings, pending: int) -> Device:
    """A device as lists show it."""
    return Device(
        name=known.name,
        kind=DeviceKind(known.kind),
        n_qubits=known.n_qubits,
        family=known.family,
        calibrated_at=known.calibrated_at,
        pending=pending,
        settings=device_settings(settings),
    )


def device_details(known: devices.Device, settings: devices.DeviceSettings, pending: int) -> DeviceDetails:
    """A device with its gates."""
    short = device(known, settings, pending)
    return DeviceDetails(**dict(short), basis_gates=list(known.basis_gates), description=known.description)


def device_settings(known: devices.DeviceSettings) -> DeviceSettings:
    """What is set for a device."""
    return DeviceSettings(**asdict(known))


def core_settings(body: DeviceSettings) -> devices.DeviceSettings:
    """What is to be set for a device."""
    return devices.DeviceSettings(**dict(body))
