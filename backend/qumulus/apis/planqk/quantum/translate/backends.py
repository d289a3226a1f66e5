"""Backends of the table, with what the catalogue knows of IBM's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pydantic import MISSING

from qumulus.apis.planqk.quantum.known import SHOTS, Known
from qumulus.apis.planqk.quantum.schemas import backend as wire
from qumulus.core.ports import Catalogue

UPDATED = date(2026, 1, 31)
SIMULATOR = "Simulates without noise on this machine"
DEVICE = "Simulates the device of that name on this machine, with the noise of its calibration"


def backend(known: Known, catalogue: Catalogue, pending: Mapping[str, int], *, whole: bool = True) -> wire.Backend:
    """A backend; its graph only when it is wanted ``whole``. ``pending`` counts the jobs that wait for each device."""
    return wire.Backend(
        id=known.id,
        internal_id=known.device if known.simulator else known.device_name,
        provider=known.provider,
        hardware_provider=known.hardware,
        name=known.name,
        display_name=known.name,
        type="SIMULATOR" if known.simulator else "QPU",
        technology="UNKNOWN_TECHNOLOGY" if known.simulator else "SUPERCONDUCTING",
        access_type="SHARED",
        queue_size=pending.get(known.device, 0),
        updated_at=UPDATED,
        documentation=wire.Documentation(description=SIMULATOR if known.simulator else DEVICE, location="local"),
        availability=[],
        has_calibration=not known.simulator,
        configuration=_simulator(known) if known.simulator else _device(known, catalogue, whole),
    )


def _simulator(known: Known) -> wire.Configuration:
    return _configuration(
        known,
        gates=known.gates,
        native=False,
        instructions=["measure"],
        qubits=known.qubits,
        connectivity=wire.Connectivity(fully_connected=True),
        most_shots=SHOTS,
    )


def _device(known: Known, catalogue: Catalogue, whole: bool) -> wire.Configuration:
    device = catalogue.device(known.device)
    graph = _graph(catalogue.configuration(known.device)["coupling_map"]) if whole else MISSING
    return _configuration(
        known,
        gates=device.basis_gates,
        native=True,
        instructions=[each for each in device.instructions if each not in device.basis_gates],
        qubits=device.n_qubits,
        connectivity=wire.Connectivity(fully_connected=False, graph=graph),
        most_shots=device.max_shots,
    )


def _configuration(
    known: Known,
    *,
    gates: Iterable[str],
    native: bool,
    instructions: list[str],
    qubits: int,
    connectivity: wire.Connectivity,
    most_shots: int,
) -> wire.Configuration:
    return wire.Configuration(
        gates=[wire.Gate(name=gate, native_gate=native) for gate in gates],
        instructions=instructions,
        qubits=[wire.Qubit(id=str(qubit)) for qubit in range(qubits)],
        qubit_count=qubits,
        connectivity=connectivity,
        shots_range=wire.ShotsRange(min=1, max=most_shots),
        supported_input_formats=[known.format.name],
        max_pubs_per_job=known.circuits,
        memory_result_supported=not known.simulator,
    )


def _graph(couplings: Iterable[tuple[int, int]]) -> dict[str, list[str]]:
    """The neighbours of each qubit."""
    found: dict[str, list[str]] = {}
    for first, second in couplings:
        found.setdefault(str(first), []).append(str(second))
    return found


def provider_document(known: Known, catalogue: Catalogue) -> Mapping[str, Any]:
    """IBM's configuration and properties of a device, under the name that the clients know it by."""
    named = {"backend_name": known.id}
    configuration = catalogue.configuration(known.device, fractional_gates=True)
    properties = catalogue.calibration(known.device).properties
    return {"config": {**configuration, **named}, "properties": {**properties, **named}}
