"""Devices as today's API shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from qumulus.apis.oqtopus.names import gates_of, name_of
from qumulus.apis.oqtopus.user.schemas.device import DeviceInfo, DeviceStatus, DeviceType
from qumulus.core.devices import Device, DeviceKind
from qumulus.core.ports import DeviceSettingsStore
from qumulus.core.services import queue_beside
from qumulus.openapi.contract import Rendered

TYPES = {DeviceKind.QPU: DeviceType.QPU, DeviceKind.SIMULATOR: DeviceType.SIMULATOR}


@dataclass(frozen=True, slots=True)
class Changing:
    """What of a device may be another by the next request."""

    online: bool
    pending: int
    n_qubits: int
    calibrated_at: datetime | None
    information: str


def device(
    device: Device,
    device_settings: DeviceSettingsStore,
    pending: Mapping[str, int],
    information: Callable[[Device], str],
) -> DeviceInfo:
    """One device; ``information`` gives what it tells of its qubits, or where."""
    return _device(device, _changing(device, device_settings, pending, information))


class RenderedDevices:
    """Devices as JSON, kept as long as nothing changes: a list of all devices is asked for again and again."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Changing, bytes]] = {}

    def rendered(
        self,
        device: Device,
        device_settings: DeviceSettingsStore,
        pending: Mapping[str, int],
        information: Callable[[Device], str],
    ) -> bytes:
        """Return what `device` gives, as JSON."""
        now = _changing(device, device_settings, pending, information)
        known = self._kept.get(device.name)
        if known is None or known[0] != now:
            known = self._kept[device.name] = now, Rendered.of(_device(device, now)).content
        return known[1]


def _changing(
    device: Device,
    device_settings: DeviceSettingsStore,
    pending: Mapping[str, int],
    information: Callable[[Device], str],
) -> Changing:
    report = device_settings.report(device.name)
    return Changing(
        online=device_settings.settings(device.name).online,
        pending=pending.get(device.name, 0) + pending.get(queue_beside(device.name), 0),
        n_qubits=device.n_qubits if report.n_qubits is None else report.n_qubits,
        calibrated_at=report.calibrated_at or device.calibrated_at,
        information=information(device),
    )


def _device(device: Device, now: Changing) -> DeviceInfo:
    given = {} if now.calibrated_at is None else {"calibrated_at": now.calibrated_at}
    return DeviceInfo(
        device_id=name_of(device),
        device_type=TYPES[device.kind],
        status=DeviceStatus.AVAILABLE if now.online else DeviceStatus.UNAVAILABLE,
        n_pending_jobs=now.pending,
        n_qubits=now.n_qubits,
        basis_gates=gates_of(device),
        supported_instructions=list(device.instructions),
        device_info=now.information,
        description=device.description,
        **given,
    )
