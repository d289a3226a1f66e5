"""From a circuit to what a device runs: transpiled by Qiskit, or as it is if it fits.

Only in workers: a process forked after its parent's first transpilation hangs in Qiskit's thread pool.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qiskit.circuit import CircuitInstruction, ControlFlowOp, QuantumCircuit
from qiskit.transpiler import CouplingMap, PassManager, Target, generate_preset_pass_manager
from qiskit.transpiler.passes import ApplyLayout, EnlargeWithAncilla, FullAncillaAllocation, SetLayout

from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.errors import ProgramError

OPTIMIZATION_LEVEL = 1
SEEDS = 1 << 32
"""A seed of any size, of either sign, is taken modulo this: the transpiler's own generators know no larger one."""

USUAL_SEED = 0
"""Of the transpiler where nobody gives one: always the same, so that the seed of the shots alone fixes all counts."""

_ANYWHERE = frozenset({"barrier", "break_loop", "continue_loop"})


@dataclass(frozen=True, slots=True)
class Placed:
    """A circuit on a device, and which qubit of the device each qubit of the program took at its start."""

    circuit: QuantumCircuit
    allocation: Mapping[int, int]


def place(
    circuit: QuantumCircuit,
    model: DeviceModel,
    *,
    allocation: Mapping[str, int] | None = None,
    transpile: bool = True,
    seed: int = USUAL_SEED,
    optimization_level: int = OPTIMIZATION_LEVEL,
    **methods: Any,
) -> Placed:
    """Put the circuit on the device's qubits. An ideal simulator has every gate on any qubits: nothing changes there.

    ``methods`` are further arguments of Qiskit's preset pass manager, such as `routing_method`.

    Raises:
        ProgramError: too many qubits, an allocation that cannot be, or (untranspiled) a gate that the device lacks.
    """
    if model.ideal:
        return Placed(circuit, {index: index for index in range(circuit.num_qubits)})
    if circuit.num_qubits > model.n_qubits:
        raise ProgramError(
            f"The program has {circuit.num_qubits} qubits and the device {model.n_qubits}: choose a larger device."
        )
    wanted = _allocation(circuit, model, allocation, physical=circuit.layout is not None or not transpile)
    if transpile:
        layout = None if wanted is None else tuple(wanted)
        manager = _transpiler(model, optimization_level, layout, seed % SEEDS, **methods)
    else:
        manager = PassManager(
            [SetLayout(wanted), FullAncillaAllocation(model.target), EnlargeWithAncilla(), ApplyLayout()]
        )
    placed = manager.run(circuit)
    if not transpile:
        _check_fit(placed, model.target)
    if placed.layout is None:
        raise RuntimeError("The transpiler placed a circuit and did not say where.")
    return Placed(placed, dict(enumerate(placed.layout.initial_index_layout(filter_ancillas=True))))


@lru_cache(maxsize=16)
def _transpiler(
    model: DeviceModel, optimization_level: int, layout: tuple[int, ...] | None, seed: int, **methods: Any
) -> PassManager:
    """Qiskit's preset pass manager, kept: making one takes longer than a small circuit's way through it.

    Nothing is scheduled, and a delay may have any length: Qiskit would refuse one that does not keep to the device's raster.
    """
    manager = generate_preset_pass_manager(
        optimization_level=optimization_level,
        target=model.target,
        initial_layout=None if layout is None else list(layout),  # ty: ignore[invalid-argument-type] - its own default
        seed_transpiler=seed,
        **methods,
    )
    manager.scheduling = None
    return manager


# -- the qubits that the caller chose ----------------------------------------------------------------------------------


def _allocation(
    circuit: QuantumCircuit, model: DeviceModel, chosen: Mapping[str, int] | None, *, physical: bool
) -> list[int] | None:
    """A qubit of the device for each of the program's, or None to let the transpiler choose."""
    if not chosen:
        return list(range(circuit.num_qubits)) if physical else None
    taken = {_program_qubit(name, circuit.num_qubits): qubit for name, qubit in chosen.items()}
    for virtual, qubit in taken.items():
        if not 0 <= qubit < model.n_qubits:
            raise ProgramError(
                f"The allocation gives qubit {virtual} the device's qubit {qubit}, and the device has the qubits 0 to"
                f" {model.n_qubits - 1}."
            )
    if len(taken) < len(chosen) or len(set(taken.values())) < len(taken):
        raise ProgramError("The allocation names a qubit twice: give each qubit of the program a qubit of its own.")
    free = _nearest(model.coupling_map, list(taken.values()), model.n_qubits)
    return [taken[virtual] if virtual in taken else next(free) for virtual in range(circuit.num_qubits)]


def _program_qubit(name: str, n_qubits: int) -> int:
    if name.isascii() and name.isdigit() and len(name) < 10 and int(name) < n_qubits:
        return int(name)
    raise ProgramError(
        f"The allocation names the qubit {name[:40]!r}, and the program has the qubits 0 to {n_qubits - 1}."
    )


def _nearest(coupling_map: CouplingMap | None, start: Sequence[int], n_qubits: int) -> Iterator[int]:
    """The other qubits, those that are connected to ``start`` first."""
    seen, queue = set(start), deque(start)
    while queue and coupling_map is not None:
        qubit = queue.popleft()
        for neighbour in sorted(
            {*coupling_map.graph.successor_indices(qubit), *coupling_map.graph.predecessor_indices(qubit)}
        ):
            if neighbour not in seen:
                seen.add(neighbour)
                queue.append(neighbour)
                yield neighbour
    yield from (qubit for qubit in range(n_qubits) if qubit not in seen)


# -- what the device can do --------------------------------------------------------------------------------------------


def _check_fit(circuit: QuantumCircuit, target: Target) -> None:
    for instruction in _instructions(circuit):
        operation = instruction.operation
        if operation.name in _ANYWHERE:
            continue
        if operation.name not in target.operation_names:
            gates = ", ".join(sorted(target.operation_names))
            raise ProgramError(
                f"The program cannot run untranspiled: the device has no '{operation.name}', only {gates}."
                " Use these, or let it be transpiled."
            )
        qubits = tuple(circuit.find_bit(qubit).index for qubit in instruction.qubits)
        if isinstance(operation, ControlFlowOp) or target.instruction_supported(operation.name, qubits):
            continue
        raise ProgramError(
            f"The program cannot run untranspiled: the device has no '{operation.name}' on"
            f" {', '.join(f'qubit {qubit}' for qubit in qubits)}. Choose connected qubits, or let it be transpiled."
        )


def _instructions(circuit: QuantumCircuit) -> Iterator[CircuitInstruction]:
    """All instructions, those inside of control flow on the qubits of the whole."""
    for instruction in circuit.data:
        yield instruction
        if isinstance(instruction.operation, ControlFlowOp):
            for block in instruction.operation.blocks:
                outer = dict(zip(block.qubits, instruction.qubits, strict=True))
                for inner in _instructions(block):
                    yield inner.replace(qubits=[outer[qubit] for qubit in inner.qubits])
