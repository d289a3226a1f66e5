"""Dynamic circuits as channels: all measurements deferred to the end, which is exact.

A bit that was read is a *wire*: one more qubit, always |0⟩ or |1⟩. Reading a qubit copies it to a fresh wire, misread with
the calibrated probabilities, so the wire holds what was recorded. A gate under a condition is then a channel on a wire and
a qubit,

    |0⟩⟨0| ⊗ 1 + |1⟩⟨1| ⊗ (error ∘ gate),

so the recorded bit steers it, and its error comes only where it was carried out. Conditions that need several bits are
computed on further wires, two at a time: a parity by one wire for each partial sum, so that on a chain a sum runs along as
one bit. A gate that undoes itself, free of noise, stands under the sum of all its conditions. What outputs ask of a bit is read from its wire without another error. A qubit that nothing happens to after it was
read is its own wire.

Loops with a condition, gates on two qubits and readings under a condition, and conditions that `formulas` does not know have
no such form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from .blocks import kron
from .circuits import ActiveCircuit
from .formulas import FALSE, TRUE, Every, Formula, Parity, conjunction, negation
from .steps import Assign, Binding, Channel, Choose, Measure, Step, Transfer, touched
from .transfer import DEPHASING, MEASURE, RESET, TRACE, Matrix

_WIRE = "wire"
"""The name of the channels that read into wires and compute on them."""

_PROJECT = 2 * np.einsum("si,sj->sij", MEASURE, MEASURE)
"""ρ → |s⟩⟨s| ρ |s⟩⟨s|; shape (2, 4, 4)."""

_ROUNDING = 1e-12

_FLIP = np.diag([1.0, 1.0, -1.0, -1.0])
_ID = np.eye(4)


def deferred(circuit: ActiveCircuit) -> ActiveCircuit | None:
    """The circuit as channels with all measurements at its end; itself if it is so already, None if it has no such form."""
    if not circuit.dynamic:
        return circuit
    deferral = _Deferral(circuit)
    try:
        for index, step in enumerate(circuit.steps):
            deferral.take(index, step)
    except _NoSuchFormError:
        return None
    return deferral.ended()


class _NoSuchFormError(Exception):
    """A step cannot be a channel."""


@dataclass(frozen=True, slots=True)
class _Control:
    """A wire, and its value for which something happens."""

    wire: int
    value: int = 1


@dataclass(eq=False)
class _Deferral:
    circuit: ActiveCircuit
    steps: list[Channel] = field(default_factory=list)
    wire_of: dict[int, int] = field(default_factory=dict)  # bit -> the wire of its value; a bit without one is 0
    recorded: set[int] = field(default_factory=set)  # wires, and qubits that became one
    _computed: dict[Formula | frozenset[int], int] = field(default_factory=dict)  # by a key over wires
    _source: dict[int, int] = field(default_factory=dict)  # the qubit that a wire was read from
    _distances: dict[int, dict[int, int]] = field(default_factory=dict)  # from a qubit, in gates between others
    _flips: dict[int, list[tuple[Matrix, Parity]]] = field(
        default_factory=dict
    )  # gates that wait, with their conditions
    _neighbours: dict[int, set[int]] = field(default_factory=dict)
    _last: dict[int, int] = field(init=False)
    _qubits: int = field(init=False)

    def __post_init__(self) -> None:
        self._qubits = self.circuit.n_qubits
        self._last = {qubit: index for index, step in enumerate(self.circuit.steps) for qubit in touched(step)}
        for step in self.circuit.steps:
            if isinstance(step, Channel) and len(step.qubits) == 2:
                for one, other in (step.qubits, step.qubits[::-1]):
                    self._neighbours.setdefault(one, set()).add(other)

    def take(self, index: int, step: Step) -> None:
        """The channels of the next step."""
        if isinstance(step, Channel):
            self._append(step)
        elif isinstance(step, Measure):
            self._flip_now(step.qubit)
            self._measure(step, ends=self._last[step.qubit] == index)
        elif isinstance(step, Choose):
            self._choose(step, TRUE)
        elif isinstance(step, Assign):
            self._assign(step)
        else:
            raise _NoSuchFormError

    def ended(self) -> ActiveCircuit:
        """The circuit of all channels; each bit that is an output is read from its wire."""
        circuit, terminal = self.circuit, dict(self.circuit.terminal)
        for qubit in [*self._flips]:
            self._flip_now(qubit)
        for bit, wire in self.wire_of.items():
            if bit < circuit.n_bits and bit not in circuit.ignored and bit not in circuit.terminal.values():
                terminal[self._copied(wire) if wire in terminal else wire] = bit
        return replace(
            circuit,
            steps=tuple(self.steps),
            terminal=terminal,
            wires=self._qubits - circuit.n_qubits,
            recorded=frozenset(self.recorded),
        )

    def _measure(self, step: Measure, *, ends: bool) -> None:
        confusion = self.circuit.confusion(step.qubit)
        if ends and step.qubit not in self.circuit.terminal:
            self.steps.append(Channel((step.qubit,), stochastic(confusion) @ DEPHASING, _WIRE))
            self.recorded.add(step.qubit)
            self.wire_of[step.bit] = step.qubit
        else:
            self.wire_of[step.bit] = self._read(step.qubit, confusion)

    def _fresh(self) -> int:
        self._qubits += 1
        self.recorded.add(self._qubits - 1)
        return self._qubits - 1

    def _read(self, qubit: int, confusion: Matrix) -> int:
        wire = self._fresh()
        self._source[wire] = self._source.get(qubit, qubit)
        self.steps.append(Channel((qubit, wire), reading(confusion), _WIRE))
        return wire

    def _copied(self, wire: int, *, flipped: bool = False) -> int:
        return self._read(wire, np.eye(2)[::-1] if flipped else np.eye(2))

    def _choose(self, step: Choose, above: Formula) -> None:
        """The bodies, each under its condition; ``above`` is that of the step itself, over wires."""
        before = list[Formula]()
        for (labels, body), found in zip(step.cases, step.formulas(), strict=True):
            if found is None:
                raise _NoSuchFormError
            here = self._over_wires(found)
            condition = conjunction([above, *(map(negation, before) if labels is None else [here])])
            before.append(here)
            if condition == FALSE:
                continue
            for inner in body:
                self._under(condition, inner)

    def _under(self, condition: Formula, step: Step) -> None:
        """A step of a body."""
        if isinstance(step, Choose):
            self._choose(step, condition)
        elif not isinstance(step, Channel) or len(step.qubits) > 1:
            raise _NoSuchFormError
        elif condition == TRUE:
            self._append(step)
        elif isinstance(condition, Parity) and isinstance(step.transfer, np.ndarray) and _undoes_itself(step.transfer):
            self._flip(step.qubits[0], step.transfer, condition)
        else:
            self._flip_now(step.qubits[0])
            self._append_under(condition, step.qubits[0], step.transfer)

    def _append(self, step: Channel) -> None:
        for qubit in step.qubits:
            self._flip_now(qubit)
        self.steps.append(step)

    def _append_under(self, condition: Formula, qubit: int, transfer: Transfer) -> None:
        control = self._control(condition, qubit)
        self.steps.append(Channel((control.wire, qubit), controlled_by(control.value, transfer), _WIRE))

    def _flip(self, qubit: int, matrix: Matrix, condition: Parity) -> None:
        """A gate that undoes itself, and so by the sum of all conditions that it stands under, one after the other.

        It waits until something else happens to its qubit; others that wait there commute with it.
        """
        if any(np.abs(matrix @ other - other @ matrix).max() > _ROUNDING for other, _ in self._flips.get(qubit, ())):
            self._flip_now(qubit)
        waiting = self._flips.setdefault(qubit, [])
        for index, (other, before) in enumerate(waiting):
            if np.abs(matrix - other).max() <= _ROUNDING:
                waiting[index] = (other, Parity(before.bits ^ condition.bits, before.flipped ^ condition.flipped))
                return
        waiting.append((matrix, condition))

    def _flip_now(self, qubit: int) -> None:
        for matrix, condition in self._flips.pop(qubit, ()):
            if condition == TRUE:
                self.steps.append(Channel((qubit,), matrix, _WIRE))
            elif condition != FALSE:
                self._append_under(condition, qubit, matrix)

    def _assign(self, step: Assign) -> None:
        stored = step.formulas()
        if stored is None:
            raise _NoSuchFormError
        found = {place: self._over_wires(formula) for place, formula in stored.items()}
        for place, formula in found.items():
            if formula == FALSE:
                self.wire_of.pop(place, None)
            elif formula == TRUE:
                self.wire_of[place] = self._one()
            else:
                control = self._control(formula, None)
                self.wire_of[place] = control.wire if control.value else self._copied(control.wire, flipped=True)

    def _one(self) -> int:
        """A wire that is 1."""
        wire = self._fresh()
        self.steps.append(Channel((wire,), _FLIP, _WIRE))
        return wire

    def _over_wires(self, formula: Formula) -> Formula:
        """A formula of bits as one of the wires that hold them now."""
        if isinstance(formula, Parity):
            held = [self.wire_of[bit] for bit in sorted(formula.bits) if bit in self.wire_of]
            odd = frozenset(wire for wire in held if held.count(wire) % 2)
            return Parity(odd, formula.flipped)
        whole = conjunction(self._over_wires(part) for part in formula.parts)
        return negation(whole) if formula.flipped else whole

    def _control(self, formula: Formula, target: int | None) -> _Control:
        """A wire with the value of a formula of wires; what was computed before is not computed again."""
        if isinstance(formula, Parity):
            return _Control(self._parity(formula.bits, target), int(not formula.flipped))
        key = Every(formula.parts)
        if key not in self._computed:
            self._computed[key] = self._every([self._control(part, target) for part in key.parts])
        return _Control(self._computed[key], int(not formula.flipped))

    def _parity(self, wires: Iterable[int], target: int | None) -> int:
        """The wire of a sum modulo 2: one for each partial sum, from the qubit farthest from the target to the nearest."""
        near = {} if target is None else self._near(target)
        first, *others = sorted(wires, key=lambda wire: (-near.get(self._source.get(wire, wire), 0), wire))
        total, so_far = first, frozenset({first})
        for wire in others:
            so_far |= {wire}
            if so_far not in self._computed:
                total = self._copied(total)
                self.steps.append(Channel((wire, total), controlled(1, _FLIP), _WIRE))
                self._computed[so_far] = total
            total = self._computed[so_far]
        return total

    def _near(self, target: int) -> dict[int, int]:
        """How many gates lie between a qubit and each other one that gates join it with."""
        if target not in self._distances:
            found, reached = {target: 0}, [target]
            for qubit in reached:
                new = self._neighbours.get(qubit, set()) - found.keys()
                found |= dict.fromkeys(new, found[qubit] + 1)
                reached += sorted(new)
            self._distances[target] = found
        return self._distances[target]

    def _every(self, parts: Iterable[_Control]) -> int:
        first, *others = parts
        total = self._copied(first.wire, flipped=not first.value)
        for part in others:
            self.steps.append(Channel((part.wire, total), controlled(1 - part.value, RESET), _WIRE))
        return total


def _undoes_itself(matrix: Matrix) -> bool:
    return bool(np.abs(matrix @ matrix - _ID).max() <= _ROUNDING)


def stochastic(confusion: Matrix) -> Matrix:
    """The transfer matrix that misreads a wire with the probabilities confusion[read, true]; shape (4, 4)."""
    zero, one = confusion[0] - confusion[1]
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[3, 0], matrix[3, 3] = 1.0, (zero + one) / 2, (zero - one) / 2
    return matrix


def reading(confusion: Matrix) -> Matrix:
    """The channel of a measurement from a qubit to a wire, whatever was on the wire; shape (16, 16)."""
    recorded = [np.array([1.0, 0.0, 0.0, zero - one]) for zero, one in confusion.T]
    return sum((kron(_PROJECT[s], np.outer(recorded[s], TRACE)) for s in (0, 1)), np.zeros((16, 16)))


def controlled(value: int, matrix: Matrix) -> Matrix:
    """A one-qubit channel where a wire has a value, and nothing elsewhere; shape (16, 16), the wire first."""
    return kron(_PROJECT[value], matrix) + kron(_PROJECT[1 - value], _ID)


def controlled_by(value: int, transfer: Transfer) -> Transfer:
    """The same of a channel that may wait for its parameters."""
    if isinstance(transfer, np.ndarray):
        return controlled(value, transfer)

    def computed(binding: Binding) -> Matrix:
        return controlled(value, transfer(binding))

    return computed
