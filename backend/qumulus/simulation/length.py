"""How many steps a circuit has with its loops unrolled and its gates written out, counted before anything is built.

A few lines can stand for 2^40 operations. Each body, and each gate's definition, is looked at once, however often it is used, so counting takes
as long as reading what was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping

PLAIN = frozenset(get_standard_gate_name_mapping()) | {
    "measure",
    "measure_2",
    "reset",
    "reset_2",
    "delay",
    "barrier",
    "store",
}
"""Operations of one step, or of a few."""

MOST_LOOKS = 500_000
"""Instructions that are looked at; what has more is counted while it is read, as far as that goes."""


def steps(circuit: QuantumCircuit) -> int:
    """Return the number of steps, of those that were looked at: at least as many there are."""
    return _Counter().of(circuit)


class _Counter:
    def __init__(self) -> None:
        self._known: dict[
            int, tuple[Any, int]
        ] = {}  # by the identity of a circuit, which is kept so that it stays its own
        self._gates: dict[tuple[object, ...], int] = {}  # by name and shape: a program has one definition of each
        self._left = MOST_LOOKS

    def of(self, circuit: QuantumCircuit) -> int:
        """Return the steps of a circuit."""
        if id(circuit) in self._known:
            return self._known[id(circuit)][1]
        count = len(circuit.data)
        others = circuit.count_ops().keys() - PLAIN
        if others:
            for instruction in circuit.data:
                if instruction.name in others and self._left > 0:
                    self._left -= 1
                    count += self._more(instruction)
        self._known[id(circuit)] = circuit, count
        return count

    def _more(self, instruction: Any) -> int:
        """Return how many steps an instruction has beside the one that it was counted as."""
        if counted := _BODIES.get(instruction.name):
            return counted(self, instruction.operation)
        operation = instruction.operation
        gate = (operation.name, operation.num_qubits, operation.num_clbits, len(instruction.params))
        if gate not in self._gates:
            self._gates[gate] = 0  # a definition that names itself would never end
            definition = getattr(operation, "definition", None)
            self._gates[gate] = self.of(definition) if isinstance(definition, QuantumCircuit) else 0
        return self._gates[gate]

    def _for(self, operation: Any) -> int:
        indices, _, body = operation.params
        return _length(indices) * (1 + self.of(body))

    def _blocks(self, operation: Any) -> int:
        return sum(self.of(block) for block in operation.blocks)


_BODIES: Mapping[str, Callable[[_Counter, Any], int]] = {
    "for_loop": _Counter._for,
    "while_loop": _Counter._blocks,
    "if_else": _Counter._blocks,
    "switch_case": _Counter._blocks,
    "box": _Counter._blocks,
}


def _length(indices: Any) -> int:
    """How many indices a loop has; a range may have more than `len` can say."""
    if isinstance(indices, range):
        return max(0, (indices.stop - indices.start + indices.step - (1 if indices.step > 0 else -1)) // indices.step)
    return len(indices)
