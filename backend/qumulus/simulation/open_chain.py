"""The chain before its qubits are turned to a basis: one evolution for several bases.

The Pauli vectors of the observed qubits stay open. A block after which nothing happens to either of its qubits, which stand
side by side, is not applied: both tensors are joined to one of 4 × 4 values, and the block is contracted with what reads its
qubits. So no bond grows by the last blocks, which are where open qubits would cost most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from time import perf_counter

import numpy as np

from . import chains, order
from .blocks import Block, Fused, swapped
from .chain import ROUNDING, Chain, Plan, plan
from .machine import SECONDS_PER_MULTIPLICATION
from .tasks import Estimate, Task
from .transfer import TRACE, Matrix

_SECONDS_PER_READING = 5e-5  # of a place


@dataclass(frozen=True, slots=True, eq=False)
class OpenPlan:
    """A circuit on the chain but for its last blocks, which are kept by the first of their two places."""

    laid: Plan
    last: Mapping[int, Matrix]  # place -> shape (16, 16)
    cut: float | None

    def estimate(self, task: Task, runs: int) -> Estimate:
        """What it takes to evolve once and to read so many times as the task does; endless where a bond gets too large."""
        laid = self.laid
        if self.cut is None:
            bonds, compressing = laid.bonds(), 0.0
            if max(bonds, default=1.0) > chains.LARGEST_EXACT_BOND:
                return Estimate(inf, inf)
        else:
            bonds, multiplications = chains.guessed(laid)
            compressing = multiplications * SECONDS_PER_MULTIPLICATION
            compressing += chains.SECONDS_PER_TENSOR * len(laid.batches) * len(laid.order)
        numbers, largest = chains.entries(bonds), float(max(bonds, default=1.0))
        places = len(laid.order) * (chains.SECONDS_PER_PLACE + runs * _SECONDS_PER_READING)
        joining = 16 * len(self.last) * largest**3
        reading = numbers * (4 + chains.PER_SHOT_ENTRY * task.shots) * runs
        work = (numbers * chains.PER_ENTRY + joining + reading) * SECONDS_PER_MULTIPLICATION
        memory = chains.BYTES * (4 * chains.COPIES * numbers + task.shots * largest) + 256.0 * task.shots
        return Estimate(float(places + compressing + work), memory).here()

    def run(self, task: Task, *, patience: float) -> OpenChain:
        """The state, within the limits of a task; the cut may take ``patience`` seconds of the reference machine.

        Raises:
            GaveUp: it does not fit, or truncation changed the trace by too much.
        """
        deadline = perf_counter() + task.limits.seconds
        most_entries = task.limits.memory_bytes / (chains.COPIES * chains.BYTES)
        chain = Chain.of(self.laid, self.cut, most_entries, deadline, patience / SECONDS_PER_MULTIPLICATION)
        parts, place = list[Matrix](), 0
        while place < len(chain.tensors):
            tensor = chain.tensors[place]
            if place in self.last:
                tensor = np.tensordot(tensor, chain.tensors[place + 1], axes=(2, 0))
                tensor = tensor.reshape(tensor.shape[0], -1, tensor.shape[3])
            parts.append(tensor)
            place += 2 if place in self.last else 1
        found = OpenChain(parts, self.last, len(self.laid.order), self.cut, {})
        found.accuracy |= chains.accuracy(found.read({}), self.cut)
        return found


@dataclass(slots=True, eq=False)
class OpenChain:
    """Tensors (left, values, right): of one place, of which an open one has four values, or of two with a block to come."""

    parts: list[Matrix]
    last: Mapping[int, Matrix]
    n_places: int
    cut: float | None
    accuracy: dict[str, float]

    def read(self, rows: Mapping[int, Matrix]) -> Chain:
        """The chain with as many values at each place as there are rows for it, shape (values, 4); elsewhere one."""
        chain, place = Chain(self.n_places, self.cut, inf), 0
        for part in self.parts:
            left, values, right = part.shape
            asked = rows.get(place, TRACE)
            if place not in self.last:
                chain.tensors[place] = part if values == 1 else _valued(asked, part)
                place += 1
                continue
            other = rows.get(place + 1, TRACE)
            whole = _valued(np.kron(asked, other) @ self.last[place], part)
            first, second = len(asked), len(other)
            if left * first <= second * right:
                chain.tensors[place] = np.eye(left * first).reshape(left, first, -1)
                chain.tensors[place + 1] = whole.reshape(left * first, second, right)
            else:
                chain.tensors[place] = whole.reshape(left, first, second * right)
                chain.tensors[place + 1] = np.eye(second * right).reshape(-1, second, right)
            place += 2
        return chain


def _valued(rows: Matrix, tensor: Matrix) -> Matrix:
    """Rows, shape (v, values), on the values of a tensor (left, values, right); shape (left, v, right)."""
    return np.matmul(rows, tensor)


def open_plan(
    fused: Fused, qubits: Sequence[int], n_qubits: int, cut: float | None, known_order: Sequence[int] | None = None
) -> OpenPlan:
    """The blocks of a circuit on the chain, with these qubits open before what follows their last block."""
    pairs = [block.qubits for block in fused.blocks]
    orders = order.candidates(n_qubits, pairs) if known_order is None else [known_order]
    plans = [_laid(fused, qubits, tried, cut) for tried in orders]
    return min(plans, key=lambda found: chains.entries(found.laid.bonds()))


def _laid(fused: Fused, qubits: Sequence[int], tried: Sequence[int], cut: float | None) -> OpenPlan:
    place = {qubit: index for index, qubit in enumerate(tried)}
    ends = {qubit: index for index, block in enumerate(fused.blocks) for qubit in block.qubits}
    last, blocks = dict[int, Matrix](), list[Block]()
    outputs = dict.fromkeys(qubits, np.eye(4))
    for index, block in enumerate(fused.blocks):
        first, second = block.qubits
        if ends[first] == ends[second] == index and abs(place[first] - place[second]) == 1:
            in_order = place[first] < place[second]
            last[min(place[first], place[second])] = block.matrix if in_order else swapped(block.matrix)
            outputs |= dict.fromkeys(block.qubits, np.eye(4))
        else:
            blocks.append(block)
    least = ROUNDING if cut is None else cut * chains.FINER
    return OpenPlan(plan(Fused(blocks, {}), outputs, tried, least), last, cut)
