"""Devices that have engines of their own: registered, and changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from qumulus.apis.given import given
from qumulus.apis.oqtopus import device_files
from qumulus.apis.oqtopus.names import REGISTERED
from qumulus.core.devices import Device, DeviceReport, DeviceSettings
from qumulus.core.errors import UnknownDevice
from qumulus.core.ports import Catalogue, DeviceSettingsStore
from qumulus.core.ports.devices import DeviceImports

from .errors import BadDevice
from .schemas.device import DeviceBase, DeviceStatus

FIXED = ("device_type", "basis_gates", "supported_instructions", "description")
"""What is said of a device when it is registered, and not later."""
N_QUBITS = 4  # of a device that says nothing: as many as the engine's own example has


def register(
    body: DeviceBase, devices: Catalogue, imports: DeviceImports, device_settings: DeviceSettingsStore
) -> None:
    """Register a device, whose jobs then wait for its engine.

    Raises:
        BadDevice: it has no name, or there is one of that name.
        InvalidRequest: its description is that of no device.
    """
    information = _read(given(body.device_info))
    name = information.get("device_id")
    if not isinstance(name, str) or not name:
        raise BadDevice("device_id is required")
    if _there(name, devices):
        raise BadDevice(f"device_id={name[:64]} already exists")
    (device,) = imports.add([_document(body, information)], name=name)
    device_settings.set_report(
        device.name, DeviceReport(n_qubits=given(body.n_qubits), calibrated_at=given(body.calibrated_at))
    )
    device_settings.set(
        device.name, DeviceSettings(provider=True, online=given(body.status) is not DeviceStatus.UNAVAILABLE)
    )


def change(device: Device, body: DeviceBase, imports: DeviceImports, device_settings: DeviceSettingsStore) -> None:
    """Change what is known of a device, as far as it can be.

    Raises:
        BadDevice: something is named that stays as it was registered.
        InvalidRequest: its description is that of no device.
    """
    if stays := [name for name in FIXED if name in body.model_fields_set]:
        raise BadDevice(f"{', '.join(stays)} can't be changed: delete the device and register it again.")
    if (text := given(body.device_info)) is not None:
        device_files.learn(device.name, _read(text), imports)
    report = device_settings.report(device.name)
    told = {"n_qubits": given(body.n_qubits), "calibrated_at": given(body.calibrated_at)}
    named = {name: value for name, value in told.items() if value is not None}
    device_settings.set_report(device.name, replace(report, **named))
    if (status := given(body.status)) is not None:
        settings = device_settings.stored(device.name)
        device_settings.set(device.name, replace(settings, online=status is DeviceStatus.AVAILABLE))


def _there(name: str, devices: Catalogue) -> bool:
    try:
        return devices.device(name) is not None
    except UnknownDevice:
        return False


def _read(text: str | None) -> Mapping[str, Any]:
    try:
        information = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise BadDevice("device_info is not JSON text: send a JSON object as text.") from None
    if not isinstance(information, dict):
        raise BadDevice("device_info is not a JSON object: send one, as text.")
    return information


def _document(body: DeviceBase, information: Mapping[str, Any]) -> Mapping[str, Any]:
    """A description in one of the forms that the catalogue knows: a line of qubits where no engine has told any."""
    gates = given(body.basis_gates)
    text = given(body.description) or "Device with an engine of its own"
    if device_files.known(information):
        return {"couplings": [], **information, **({"basis_gates": gates} if gates else {})}
    topology = f"line {given(body.n_qubits) or N_QUBITS}"
    described = {"name": information["device_id"], "topology": topology, "description": text, "family": REGISTERED}
    return described | ({"gates": gates} if gates else {"gates": ["cx", "id", "rz", "sx", "x"]})
