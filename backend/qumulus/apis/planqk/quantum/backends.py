"""Backends."""

from __future__ import annotations

from pydantic_core import to_json

from qumulus.apis.dependencies import Devices, DeviceSettingsStore, Jobs
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.core.errors import NotFound
from qumulus.openapi.contract import Operations, Rendered

from . import braket
from .known import BACKENDS, NEWER, SHOTS, backend
from .schemas import backend as wire
from .schemas.minutes import RuntimeMinutes
from .translate import backends as translate

operation = Operations()


class NoneIsFree(NotFound):
    """No device of IBM is online and large enough."""

    def __init__(self) -> None:
        super().__init__("No backend is online and has that many qubits: ask for fewer.")


@operation("getBackends")
def get_backends(
    _caller: PersonalCaller,
    devices: Devices,
    jobs: Jobs,
    provider: wire.Vendor | None = None,
    only_planqk_sdk: wire.OnlyPlanqkSdk | None = None,
) -> list[wire.Backend]:
    del only_planqk_sdk
    pending, vendor = jobs.pending(), None if provider is None else provider.upper().replace("-", "_")
    wanted = [known for known in BACKENDS.values() if vendor in (None, known.provider)]
    return [translate.backend(known, devices, pending, whole=False) for known in wanted]


@operation("getBackend")
def get_backend(id: wire.BackendId, _caller: PersonalCaller, devices: Devices, jobs: Jobs) -> wire.Backend:
    known = backend(id)
    return translate.backend(known, devices, jobs.pending(known.device))


@operation("getLeastBusyBackend")
def get_least_busy_backend(
    _caller: PersonalCaller,
    devices: Devices,
    jobs: Jobs,
    device_settings: DeviceSettingsStore,
    provider: wire.Provider,
    min_qubits: wire.LeastQubits | None = None,
) -> wire.Backend:
    pending = jobs.pending()
    free = [
        known
        for known in BACKENDS.values()
        if known.provider == provider
        and known.device in NEWER
        and not known.for_tests
        and device_settings.settings(known.device).online
        and devices.device(known.device).n_qubits >= (min_qubits or 1)
    ]
    if not free:
        raise NoneIsFree
    return translate.backend(min(free, key=lambda known: pending.get(known.device, 0)), devices, pending)


@operation("getBackendStatus")
def get_backend_status(
    id: wire.BackendId, _caller: PersonalCaller, jobs: Jobs, device_settings: DeviceSettingsStore
) -> wire.BackendStatus:
    device = backend(id).device
    status = wire.Status.ONLINE if device_settings.settings(device).online else wire.Status.PAUSED
    return wire.BackendStatus(status=status, queue_size=jobs.pending(device)[device])


@operation("getBackendConfig")
def get_backend_config(
    id: wire.BackendId, _caller: PersonalCaller, devices: Devices
) -> Rendered[wire.ProviderDocument]:
    known = backend(id)
    if known.simulator:
        document = braket.capabilities(known.qubits, SHOTS) if known.format is braket.FORMAT else {}
    else:
        document = translate.provider_document(known, devices)
    return Rendered.from_bytes(to_json(document))


@operation("getRuntimeMinutes")
def get_runtime_minutes(_caller: PersonalCaller) -> RuntimeMinutes:
    return RuntimeMinutes(allowances=[])
