"""Layers of gates on two qubits: what stands side by side in a circuit, and how often each layer comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from qiskit.circuit import CircuitInstruction, QuantumCircuit

from .failures import invalid

Strategy = Literal["active", "active-circuit", "active-accum", "all"]
Gate = tuple[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Layer:
    """Gates on disjoint pairs of physical qubits, and all qubits that are twirled with them, ascending."""

    gates: frozenset[Gate]
    qubits: tuple[int, ...]

    def circuit(self) -> list[tuple[str, tuple[int, ...]]]:
        """The gates on the places of the layer's own qubits."""
        place = {qubit: index for index, qubit in enumerate(self.qubits)}
        return [
            (name, tuple(place[qubit] for qubit in qubits)) for name, qubits in sorted(self.gates, key=lambda g: g[1])
        ]


def counted_layers(circuits: Iterable[QuantumCircuit], strategy: Strategy) -> dict[Layer, int]:
    """The different layers of the circuits and how often they come, the most frequent first, of equally frequent ones the widest.

    Raises:
        ProgramError: a circuit is dynamic.
    """
    counted = Counter(layer for circuit in circuits for layer in _layers(circuit, strategy))
    order = sorted(counted, key=lambda layer: (-counted[layer], -len(layer.gates), layer.qubits))
    return {layer: counted[layer] for layer in order}


def unique_layers(circuits: Iterable[QuantumCircuit], strategy: Strategy) -> list[Layer]:
    """The different layers of the circuits, in the same order.

    Raises:
        ProgramError: a circuit is dynamic.
    """
    return [*counted_layers(circuits, strategy)]


def _layers(circuit: QuantumCircuit, strategy: Strategy) -> Iterable[Layer]:
    depth, found = Counter[int](), list[set[Gate]]()
    for instruction in circuit.data:
        if instruction.is_control_flow():
            raise invalid("The noise of dynamic circuits is not learned: send circuits without control flow.")
        if not _is_pair(instruction):
            continue
        qubits = tuple(circuit.find_bit(qubit).index for qubit in instruction.qubits)
        level = max(depth[qubit] for qubit in qubits)
        depth.update({qubit: level + 1 - depth[qubit] for qubit in qubits})
        if level == len(found):
            found.append(set())
        found[level].add((instruction.name, qubits))
    touched = [{qubit for _, qubits in gates for qubit in qubits} for gates in found]
    for index, gates in enumerate(found):
        qubits = {
            "active": touched[index],
            "active-accum": set().union(*touched[: index + 1]),
            "active-circuit": set().union(*touched),
            "all": set(range(circuit.num_qubits)),
        }[strategy]
        yield Layer(frozenset(gates), tuple(sorted(qubits)))


def _is_pair(instruction: CircuitInstruction) -> bool:
    return len(instruction.qubits) == 2 and instruction.is_standard_gate()
