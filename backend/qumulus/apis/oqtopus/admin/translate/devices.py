"""Devices as administrators see them."""

from __future__ import annotations

from collections.abc import Mapping

from qumulus.apis.oqtopus import device_files
from qumulus.apis.oqtopus.admin.schemas.device import DeviceInfo, DeviceStatus, DeviceType
from qumulus.apis.oqtopus.names import gates_of, name_of
from qumulus.core.devices import Device, DeviceKind
from qumulus.core.ports import Catalogue, DeviceSettingsStore
from qumulus.core.services import queue_beside

TYPES = {DeviceKind.QPU: DeviceType.QPU, DeviceKind.SIMULATOR: DeviceType.SIMULATOR}


def listed(device: Device, device_settings: DeviceSettingsStore, pending: Mapping[str, int]) -> DeviceInfo:
    """A device as a list shows it: what it tells of its qubits would make a list of all devices many megabytes."""
    return _device(device, None, device_settings, pending)


def device(
    device: Device, devices: Catalogue, device_settings: DeviceSettingsStore, pending: Mapping[str, int]
) -> DeviceInfo:
    """A device; what it tells of its qubits is left out where its engine uploaded it."""
    return _device(device, device_files.inline(device, devices, device_settings), device_settings, pending)


def _device(
    device: Device, text: str | None, device_settings: DeviceSettingsStore, pending: Mapping[str, int]
) -> DeviceInfo:
    report = device_settings.report(device.name)
    at = report.calibrated_at or device.calibrated_at
    given = {name: value for name, value in {"calibrated_at": at, "device_info": text}.items() if value is not None}
    return DeviceInfo(
        device_id=name_of(device),
        device_type=TYPES[device.kind],
        status=DeviceStatus.AVAILABLE if device_settings.settings(device.name).online else DeviceStatus.UNAVAILABLE,
        n_pending_jobs=pending.get(device.name, 0) + pending.get(queue_beside(device.name), 0),
        n_qubits=device.n_qubits if report.n_qubits is None else report.n_qubits,
        basis_gates=gates_of(device),
        supported_instructions=list(device.instructions),
        description=device.description,
        **given,
    )
