"""Exact evolution of dynamic circuits: measurements in the middle, reset, if, switch, for, while.

The state is a table from the value of the classical memory to an unnormalised Pauli vector. A measurement splits each row
in two, by projection and then by the readout confusion, so that a misread bit steers the feed-forward as on the device; rows
with equal memory are the same branch and are added up. All rows are evolved at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import Fused, fuse
from .circuits import ActiveCircuit
from .classical import Memory
from .components import components, read, written
from .dense import Factor, mean
from .errors import GaveUp, Refused
from .machine import SECONDS_PER_MULTIPLICATION
from .seeds import Seed, generator
from .shots import draw_indices, unpack
from .steps import Assign, Barrier, Binding, Channel, Choose, Measure, Repeat, Step, bodies, qubits_of
from .tasks import Drawn, Estimate, Means, Method, Task, Weights
from .transfer import GROUND, MEASURE, TRACE, Matrix

LEAST_WEIGHT = 1e-12
"""A while loop ends when less than this is left in it; so much is missing from the distribution at most."""

_WORD_BITS = 62

MOST_ROUNDS = 10_000
"""Rounds of one while loop."""

_PROJECT = 2 * np.einsum("si,sj->sij", MEASURE, MEASURE)
"""The channel that keeps the outcome 0 or 1 of a qubit: ρ → |s⟩⟨s| ρ |s⟩⟨s|; shape (2, 4, 4)."""


@dataclass(frozen=True, slots=True)
class Branches:
    """Rows of memory, shape (branches, bits), and their states, shape (branches, 4, …): an axis for each of ``qubits``."""

    memory: Memory
    qubits: tuple[int, ...]
    states: Matrix

    def axis(self, qubit: int) -> int:
        """The axis of a qubit in ``states``."""
        return 1 + self.qubits.index(qubit)

    def weights(self) -> Matrix:
        """The probability of each branch."""
        return self.states.reshape(len(self.states), -1)[:, 0]

    def __getitem__(self, rows: Any) -> Branches:
        return Branches(self.memory[rows], self.qubits, self.states[rows])


Segment = Fused | Measure | Choose | Repeat | Assign


@dataclass(frozen=True, slots=True, eq=False)
class Evolution:
    """One run through a dynamic circuit. ``most_entries`` is how many numbers the states may have together."""

    circuit: ActiveCircuit
    binding: Binding
    most_entries: float

    def run(self, outputs: Mapping[int, Matrix]) -> tuple[Memory, Matrix]:
        """All branches at the end, and for each the tensor of the outputs.

        Args:
            outputs: for each qubit asked for, rows of shape (k, 4) on its Pauli vector.

        Returns:
            The memories, shape (branches, bits), and an array of shape (branches, k, …) with an axis for each output in
            ascending order of the qubits. Unnormalised: the weights of the branches are in it.

        Raises:
            GaveUp: there are more branches than fit.
            Refused: a loop does not end.
        """
        branches = Branches(np.zeros((1, self.circuit.n_memory), np.uint8), (), np.ones(1))
        segments = list(self._segments(self.circuit.steps))
        ends = _ends(segments)
        for index, segment in enumerate(segments):
            branches = self._apply(segment, branches)
            for qubit in [q for q in branches.qubits if q not in outputs and ends[q] == index]:
                branches = _closed(branches, qubit)
        branches = self._with_qubits(branches, sorted(outputs))
        for qubit in sorted(outputs):
            axis = branches.axis(qubit)
            branches = Branches(branches.memory, branches.qubits, _applied(outputs[qubit], branches.states, axis))
        for qubit in [q for q in branches.qubits if q not in outputs]:
            branches = _closed(branches, qubit)
        order = [0, *(branches.axis(qubit) for qubit in sorted(outputs))]
        return branches.memory, branches.states.transpose(order)

    def _segments(self, steps: Iterable[Step]) -> Iterator[Segment]:
        """Steps with each run of channels fused."""
        for channels, group in groupby(steps, key=lambda step: isinstance(step, Channel)):
            if channels:
                yield fuse((step for step in group if isinstance(step, Channel)), self.binding)
            else:
                yield from (step for step in group if not isinstance(step, Channel | Barrier))

    def _apply(self, segment: Segment, branches: Branches) -> Branches:
        if isinstance(segment, Fused):
            return self._evolved(segment, branches)
        if isinstance(segment, Measure):
            return self._measured(segment, branches)
        if isinstance(segment, Choose):
            return self._chosen(segment, branches)
        if isinstance(segment, Repeat):
            return self._repeated(segment, branches)
        memory = branches.memory.copy()
        segment.write(memory, segment.value(memory))
        return _merged([Branches(memory, branches.qubits, branches.states)])

    def _evolved(self, fused: Fused, branches: Branches) -> Branches:
        branches = self._with_qubits(branches, _touched(fused))
        states = branches.states
        for block in fused.blocks:
            axes = [branches.axis(qubit) for qubit in block.qubits]
            states = np.tensordot(block.matrix.reshape(4, 4, 4, 4), states, axes=([2, 3], axes))
            states = np.moveaxis(states, (0, 1), axes)
        for qubit, matrix in fused.ends.items():
            states = _applied(matrix, states, branches.axis(qubit))
        return Branches(branches.memory, branches.qubits, states)

    def _measured(self, step: Measure, branches: Branches) -> Branches:
        branches = self._with_qubits(branches, [step.qubit])
        readings = np.dot(self.circuit.confusion(step.qubit), _PROJECT.reshape(2, 16)).reshape(2, 4, 4)
        axis = branches.axis(step.qubit)
        split = []
        for value, reading in enumerate(readings):
            memory = branches.memory.copy()
            memory[:, step.bit] = value
            split.append(Branches(memory, branches.qubits, _applied(reading, branches.states, axis)))
        return self._checked(_merged(split))

    def _chosen(self, step: Choose, branches: Branches) -> Branches:
        branches = self._with_qubits(branches, _touched(step))
        values, left = step.value(branches.memory), np.ones(len(branches.memory), bool)
        ended = []
        for labels, body in step.cases:
            taken = left if labels is None else left & _is_one_of(values, labels)
            left = left & ~taken
            ended.append(self._through(body, branches[taken]))
        return self._checked(_merged([*ended, branches[left]]))

    def _repeated(self, step: Repeat, branches: Branches) -> Branches:
        branches = self._with_qubits(branches, _touched(step))
        ended = []
        for _ in range(MOST_ROUNDS):
            again = step.value(branches.memory) != 0
            ended.append(branches[~again])
            branches = branches[again]
            if branches.weights().sum() < LEAST_WEIGHT:
                return _merged(ended)
            branches = self._through(step.body, branches)
        raise Refused(
            f"A while loop does not end: after {MOST_ROUNDS} rounds {branches.weights().sum():.2g} of the shots are "
            "still in it. Give it a condition that ends it.",
            {"rounds": MOST_ROUNDS},
        )

    def _through(self, body: Sequence[Step], branches: Branches) -> Branches:
        if len(branches.memory):
            for segment in self._segments(body):
                branches = self._apply(segment, branches)
        return branches

    def _with_qubits(self, branches: Branches, qubits: Iterable[int]) -> Branches:
        """The same with axes for qubits that come in now, in the ground state."""
        for qubit in qubits:
            if qubit not in branches.qubits:
                states = np.multiply.outer(branches.states, GROUND)
                branches = self._checked(Branches(branches.memory, (*branches.qubits, qubit), states))
        return branches

    def _checked(self, branches: Branches) -> Branches:
        if branches.states.size > self.most_entries:
            raise GaveUp(
                f"it splits into {len(branches.memory)} branches of {len(branches.qubits)} qubits, more than "
                f"{self.most_entries:.3g} numbers"
            )
        return branches


def _closed(branches: Branches, qubit: int) -> Branches:
    """Forget one qubit."""
    states = np.tensordot(branches.states, TRACE[0], axes=(branches.axis(qubit), 0))
    return Branches(branches.memory, tuple(q for q in branches.qubits if q != qubit), states)


def _merged(parts: Sequence[Branches]) -> Branches:
    """All parts as one, with the states of equal memories added up and branches of no weight left out."""
    memory = np.concatenate([part.memory for part in parts])
    states = np.concatenate([part.states for part in parts])
    whole = Branches(memory, parts[0].qubits, states)
    possible = whole.weights() > 0.0
    if not possible.all():
        whole = whole[possible]
    keys = _keys(whole.memory)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if len(starts) == len(keys):
        return whole
    return Branches(whole.memory[order[starts]], whole.qubits, np.add.reduceat(whole.states[order], starts, axis=0))


def _keys(memory: Memory) -> NDArray[np.int64]:
    """A number for each row, equal for equal rows, in the order of the rows."""
    width = memory.shape[1]
    if width <= _WORD_BITS:
        return memory @ _weights(width)
    return np.unique(memory, axis=0, return_inverse=True)[1].reshape(-1)


@cache
def _weights(width: int) -> NDArray[np.int64]:
    return 1 << np.arange(width - 1, -1, -1, dtype=np.int64)


def _is_one_of(values: NDArray[Any], labels: Sequence[int]) -> NDArray[np.bool_]:
    """Which values are among the labels."""
    return values == labels[0] if len(labels) == 1 else np.isin(values, labels)


def _applied(matrix: Matrix, states: Matrix, axis: int) -> Matrix:
    """The states with the rows of a matrix on one of their axes: a contraction, as NumPy does it, without what it looks at before."""
    others = [*range(axis), *range(axis + 1, states.ndim)]
    moved = states.transpose([axis, *others])
    found = np.dot(matrix, moved.reshape(len(moved), -1)).reshape(len(matrix), *moved.shape[1:])
    return found.transpose([*range(1, axis + 1), 0, *range(axis + 1, states.ndim)])


def _touched(step: Segment | Step) -> list[int]:
    """The qubits of a segment, bodies included, in ascending order."""
    if isinstance(step, Fused):
        return sorted({*(qubit for block in step.blocks for qubit in block.qubits), *step.ends})
    if isinstance(step, Channel):
        return sorted(step.qubits)
    if isinstance(step, Measure):
        return [step.qubit]
    return sorted({qubit for body in bodies(step) for inner in body for qubit in _touched(inner)})


def _ends(segments: Sequence[Segment]) -> dict[int, int]:
    """The last segment that touches each qubit."""
    return {qubit: index for index, segment in enumerate(segments) for qubit in _touched(segment)}


_PARTS = "parts of a dynamic circuit"
_MOST_SPLITS = 40
_BYTES_AT_WORK = 3 * 8  # the states, the next ones, and a transposed copy


def _estimate(task: Task) -> Estimate:
    """An upper limit: as if every bit that is read doubled the branches from then on, of each part by itself."""
    seconds, entries = 0.0, 1.0
    for part in _parts(task):
        took, largest = _cost(part)
        seconds, entries = seconds + took, max(entries, largest)
    return Estimate(
        seconds, _BYTES_AT_WORK * min(entries, _most_entries(task)) + task.shots * (task.active.n_memory + 16)
    )


def _cost(part: ActiveCircuit) -> tuple[float, float]:
    """Seconds, and the numbers that the states have at most, by following which qubits are there and which bits are read."""
    runs = [list(run) for _, run in groupby(part.steps, key=lambda step: isinstance(step, Channel))]
    segments = [segment for run in runs for segment in ([run] if isinstance(run[0], Channel) else [[s] for s in run])]
    here = [set(chain.from_iterable(map(qubits_of, segment))) for segment in segments]
    last = {qubit: index for index, qubits in enumerate(here) for qubit in qubits}
    alive, bits = set[int](), set[int]()
    seconds, largest = 0.0, 1.0
    for index, segment in enumerate(segments):
        alive |= here[index]
        bits |= read(segment[0])  # of channels none
        entries = 2.0 ** min(len(bits), _MOST_SPLITS) * 4.0 ** len(alive)
        seconds += len(segment) * (1e-4 + 16 * entries * SECONDS_PER_MULTIPLICATION)
        largest = max(largest, entries)
        alive -= {qubit for qubit in alive if last[qubit] == index and qubit not in part.terminal}
    entries = 2.0 ** min(len(bits), _MOST_SPLITS) * 4.0 ** len(alive | part.terminal.keys())
    return seconds + 16 * entries * SECONDS_PER_MULTIPLICATION, max(largest, entries)


def _parts(task: Task) -> Sequence[ActiveCircuit]:
    """The parts of the circuit, which the estimate and the run both need."""
    if _PARTS not in task.kept:
        task.kept[_PARTS] = components(task.active)
    return task.kept[_PARTS]


def _most_entries(task: Task) -> float:
    return task.limits.memory_bytes / _BYTES_AT_WORK


def _evolved_parts(task: Task) -> Iterator[tuple[ActiveCircuit, dict[int, Matrix], Memory, Matrix]]:
    """Each part with the readings asked of it, its branches and their states."""
    for part in _parts(task):
        readings = {qubit: rows for qubit, rows in task.readings.items() if qubit in part.terminal}
        yield part, readings, *Evolution(part, task.binding, _most_entries(task)).run(readings)


def _sample(task: Task, seed: Seed) -> Drawn:
    random, n_bits = generator(seed), task.active.n_bits
    memory = np.zeros((task.shots, n_bits), np.uint8)
    for part, readings, memories, distribution in _evolved_parts(task):
        indices = draw_indices(distribution.reshape(-1), task.shots, random)
        qubits = sorted(readings)
        rows, outcomes = indices >> len(qubits), indices & ((1 << len(qubits)) - 1)
        own = written(part)
        memory[:, own] = memories[:, own].take(rows, axis=0)
        memory[:, [part.terminal[qubit] for qubit in qubits]] = unpack(outcomes, len(qubits))
    return Drawn(memory)


def _expect(task: Task, terms: Sequence[Weights]) -> Means:
    values = np.ones(len(terms))
    for _, readings, _, states in _evolved_parts(task):
        joint = Factor(sorted(readings), states.sum(axis=0))
        values *= [mean(joint, term) for term in terms]
    return Means(values)


METHOD = Method(
    name="branches", engine="qumulus", objection=lambda _: None, estimate=_estimate, sample=_sample, expect=_expect
)
