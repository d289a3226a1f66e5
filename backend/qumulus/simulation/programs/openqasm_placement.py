"""From a circuit to what a device runs: transpiled by Qiskit, or as it is if it fits.

Only in workers: a process forked after its parent's first transpilation hangs in Qiskit's thread pool.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qiskit.circuit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.transpiler import CouplingMap, PassManager, generate_preset_pass_manager
from qiskit.transpiler.passes import ApplyLayout, EnlargeWithAncilla, FullAncillaAllocation, SetLayout

from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.errors import ProgramError

from .openqasm_native import ANYWHERE, check_fit, connected, native

OPTIMIZATION_LEVEL = 1
SEEDS = 1 << 32
"""A seed of any size, of either sign, is taken modulo this: the transpiler's own generators know no larger one."""

RESHAPING = frozenset({"basis_gates", "coupling_map"})
"""Arguments that say for which gates and connections to transpile, in the place of the device's own."""

USUAL_SEED = 0
"""Of the transpiler where nobody gives one: always the same, so that the seed of the shots alone fixes all counts."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A circuit on a device, and which qubit of the device each qubit of the program took at its start."""

    circuit: QuantumCircuit
    native: QuantumCircuit  # the same in gates of the device: what runs
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
        return _reshaped(circuit, optimization_level, allocation, seed % SEEDS, methods)
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
    reshaping = RESHAPING & methods.keys()
    placed = _reshape(manager, circuit, methods) if reshaping else manager.run(circuit)
    if not transpile:
        check_fit(placed, model.target)
    if placed.layout is None:
        raise RuntimeError("The transpiler placed a circuit and did not say where.")
    own = transpile and not reshaping
    return Placed(placed, placed if own else native(placed, model.target), _found(placed))


def _reshaped(
    circuit: QuantumCircuit,
    optimization_level: int,
    allocation: Mapping[str, int] | None,
    seed: int,
    methods: Mapping[str, Any],
) -> Placed:
    """The circuit for the ideal simulator, which runs any: transpiled only where gates or connections are named."""
    if not RESHAPING & methods.keys():
        return Placed(circuit, circuit, {index: index for index in range(circuit.num_qubits)})
    layout = tuple(allocation.values()) if allocation and "coupling_map" in methods else None
    placed = _reshape(_manager(optimization_level, layout, seed, **methods), circuit, methods)
    allocated = {index: index for index in range(circuit.num_qubits)} if placed.layout is None else _found(placed)
    return Placed(placed, placed, allocated)


def _reshape(manager: PassManager, circuit: QuantumCircuit, methods: Mapping[str, Any]) -> QuantumCircuit:
    """The circuit in the gates and for the connections that the caller named.

    Raises:
        ProgramError: it can't be written so.
    """
    width = 1 + max((qubit for pair in methods.get("coupling_map", ()) for qubit in pair), default=circuit.num_qubits)
    if width < circuit.num_qubits:
        raise ProgramError(
            f"The program has {circuit.num_qubits} qubits and transpiler_options.coupling_map {width}: name more."
        )
    try:
        return manager.run(circuit)
    except QiskitError as error:
        said = error.message.strip().splitlines()[0][:300]
        raise ProgramError(f"The program can't be transpiled with these transpiler_options: {said}") from error


def _found(placed: QuantumCircuit) -> dict[int, int]:
    if placed.layout is None:
        raise RuntimeError("The transpiler placed a circuit and did not say where.")
    return dict(enumerate(placed.layout.initial_index_layout(filter_ancillas=True)))


@lru_cache(maxsize=16)
def _transpiler(
    model: DeviceModel, optimization_level: int, layout: tuple[int, ...] | None, seed: int, **methods: Any
) -> PassManager:
    """Qiskit's preset pass manager for a device, kept: making one takes longer than a small circuit's way through it.

    Raises:
        ProgramError: a pair of qubits is named that the device does not connect.
    """
    if not RESHAPING & methods.keys():
        return _manager(optimization_level, layout, seed, target=model.target, **methods)
    pairs = connected(model.target)
    if foreign := set(methods.get("coupling_map") or ()) - pairs:
        one, other = min(foreign)
        raise ProgramError(
            f"transpiler_options.coupling_map has the pair {one}, {other}, which the device does not connect: leave it away."
        )
    own = tuple(name for name in model.target.operation_names if name not in ANYWHERE | {"measure", "delay", "reset"})
    given = {"basis_gates": own, "coupling_map": tuple(sorted(pairs))} | methods
    return _manager(optimization_level, layout, seed, **given)


def _manager(optimization_level: int, layout: tuple[int, ...] | None, seed: int, **given: Any) -> PassManager:
    """Qiskit's preset pass manager with these arguments.

    Unless it is asked for, nothing is scheduled, and a delay may have any length: Qiskit would refuse one that does not keep
    to the device's raster.
    """
    listed: dict[str, Any] = {name: list(value) if name == "basis_gates" else value for name, value in given.items()}
    if "coupling_map" in given:
        listed["coupling_map"] = CouplingMap(given["coupling_map"])
    manager = generate_preset_pass_manager(
        optimization_level=optimization_level,
        initial_layout=None if layout is None else list(layout),  # ty: ignore[invalid-argument-type] - its own default
        seed_transpiler=seed,
        **listed,
    )
    if "scheduling_method" not in given:
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
