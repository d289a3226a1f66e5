"""Devices as today's API shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qumulus.apis.oqtopus.names import name_of
from qumulus.apis.oqtopus.user.schemas.device import DeviceInfo, DeviceStatus, DeviceType
from qumulus.core.devices import Device, DeviceKind
from qumulus.core.ports import DeviceBoard
from qumulus.core.services import queue_beside

TYPES = {DeviceKind.QPU: DeviceType.QPU, DeviceKind.SIMULATOR: DeviceType.SIMULATOR}


def device(
    device: Device, board: DeviceBoard, pending: Mapping[str, int], information: Callable[[Device], str]
) -> DeviceInfo:
    """One device; ``information`` gives what it tells of its qubits, or where."""
    report = board.report(device.name)
    calibrated_at = report.calibrated_at or device.calibrated_at
    given = {} if calibrated_at is None else {"calibrated_at": calibrated_at}
    return DeviceInfo(
        device_id=name_of(device),
        device_type=TYPES[device.kind],
        status=DeviceStatus.AVAILABLE if board.settings(device.name).online else DeviceStatus.UNAVAILABLE,
        n_pending_jobs=pending.get(device.name, 0) + pending.get(queue_beside(device.name), 0),
        n_qubits=device.n_qubits if report.n_qubits is None else report.n_qubits,
        basis_gates=list(device.basis_gates),
        supported_instructions=list(device.instructions),
        device_info=information(device),
        description=device.description,
        **given,
    )
