"""Backends."""

from __future__ import annotations

from datetime import date

from qumulus.apis.dependencies import Board, Jobs
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.openapi.contract import Operations

from . import braket
from .schemas import backend as wire
from .simulators import QUBITS, SHOTS, SIMULATORS, Simulator, simulator

UPDATED = date(2026, 1, 31)

operation = Operations()


def _to_wire(known: Simulator) -> wire.Backend:
    return wire.Backend(
        id=known.id,
        internal_id=known.device,
        provider=known.provider,
        hardware_provider=known.hardware,
        name=known.name,
        display_name=known.name,
        type="SIMULATOR",
        technology=known.technology,
        access_type="SHARED",
        updated_at=UPDATED,
        has_calibration=False,
        configuration=wire.Configuration(
            gates=[wire.Gate(name=gate, native_gate=False) for gate in known.gates],
            instructions=["measure"],
            qubits=[wire.Qubit(id=str(qubit)) for qubit in range(QUBITS)],
            qubit_count=QUBITS,
            connectivity=wire.Connectivity(fully_connected=True),
            shots_range=wire.ShotsRange(min=1, max=SHOTS),
            supported_input_formats=[known.format.name],
            max_pubs_per_job=1,
            memory_result_supported=False,
        ),
    )


@operation("getBackends")
def get_backends(_caller: PersonalCaller, only_planqk_sdk: wire.OnlyPlanqkSdk | None = None) -> list[wire.Backend]:
    del only_planqk_sdk
    return [_to_wire(known) for known in SIMULATORS.values()]


@operation("getBackend")
def get_backend(id: wire.BackendId, _caller: PersonalCaller) -> wire.Backend:
    return _to_wire(simulator(id))


@operation("getBackendStatus")
def get_backend_status(id: wire.BackendId, _caller: PersonalCaller, jobs: Jobs, board: Board) -> wire.BackendStatus:
    device = simulator(id).device
    status = wire.Status.ONLINE if board.settings(device).online else wire.Status.PAUSED
    return wire.BackendStatus(status=status, queue_size=jobs.pending(device)[device])


@operation("getBackendConfig")
def get_backend_config(id: wire.BackendId, _caller: PersonalCaller) -> wire.ProviderDocument:
    document = braket.capabilities(QUBITS, SHOTS) if simulator(id).format is braket.FORMAT else {}
    return wire.ProviderDocument.model_validate(document)
