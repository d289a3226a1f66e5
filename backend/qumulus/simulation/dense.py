"""Exact contraction of a noisy circuit without measurements before its end.

Each output asks rows of its qubit: the two rows of `transfer.MEASURE` for a measurement, (1, 0, 0, 0) and a Pauli row for
an expectation value. The result is the tensor of all combinations of rows: probabilities, or correlators. It is exact: the
only errors are those of floating-point numbers, about 1e-15 a block.

Blocks are applied in an order that keeps the tensor small. A qubit has a 4-dimensional axis only between its first and its
last block; before, it is not there, and after, its axis has as many entries as rows were asked (two for a measured qubit,
none for a forgotten one). So a chain of twenty qubits and two layers costs little more than its 2^20 probabilities, and
blocks outside the light cone of the outputs cost nothing. Unconnected parts stay apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from .blocks import Block, Fused, outputs_after
from .machine import SECONDS_PER_MULTIPLICATION
from .seeds import Seed, generator
from .shots import draw_indices, unpack
from .tasks import Drawn, Estimate, Means, Method, Task, Weights
from .transfer import GROUND, TRACE, Matrix

_SECONDS_PER_BLOCK = 5e-5
_COPIES = 3  # the tensor, the next one, and a transposed copy
_BYTES = 8
_MOST_JOINT_QUBITS = 12
_EVERY_READING = np.ones(2)


@dataclass(slots=True)
class Factor:
    """One connected part: a tensor with an axis for each of ``qubits``, in this order."""

    qubits: list[int]
    tensor: Matrix


@dataclass(frozen=True, slots=True)
class Turn:
    """A block whose time has come; qubits that it finishes are contracted with their rows."""

    block: Block
    finished: tuple[int, ...]


def schedule(blocks: Sequence[Block], outputs: Sequence[int]) -> Iterator[Turn]:
    """The blocks that the outputs depend on: always next those of the output that needs the fewest new ones."""
    latest, cones = dict[int, int](), list[int]()
    for index, block in enumerate(blocks):
        cone = 1 << index
        for qubit in block.qubits:
            if qubit in latest:
                cone |= cones[latest[qubit]]
            latest[qubit] = index
        cones.append(cone)
    waiting = {qubit: cones[latest[qubit]] for qubit in outputs if qubit in latest}
    order, done = list[int](), 0
    while waiting:
        qubit = min(waiting, key=lambda q: (waiting[q] & ~done).bit_count())
        new = waiting.pop(qubit) & ~done
        done |= new
        while new:
            lowest = new & -new
            order.append(lowest.bit_length() - 1)
            new ^= lowest
    last = {qubit: index for index in order for qubit in blocks[index].qubits}
    for index in order:
        block = blocks[index]
        yield Turn(block, tuple(qubit for qubit in block.qubits if last[qubit] == index))


@dataclass(frozen=True, slots=True)
class Cost:
    """What a contraction takes: multiplications, entries of the largest tensor, blocks."""

    multiplications: float
    entries: float
    blocks: int


def cost(blocks: Sequence[Block], rows: Mapping[int, int]) -> Cost:
    """The cost of `contract` for outputs with these numbers of rows, by following the sizes only."""
    part = dict[int, dict[int, int]]()  # qubit -> axes of its part: qubit -> entries
    total, largest, turns = 0.0, 1.0, 0
    for turn in schedule(blocks, list(rows)):
        axes = dict[int, int]()
        for qubit in turn.block.qubits:
            axes.update(part.get(qubit, {}))
        for qubit in turn.block.qubits:
            axes[qubit] = rows.get(qubit, 1) if qubit in turn.finished else 4
        for qubit in axes:
            part[qubit] = axes
        size = prod(map(float, axes.values()))
        total, largest, turns = total + 16 * size, max(largest, size), turns + 1
    return Cost(total, largest, turns)


def contract(fused: Fused, outputs: Mapping[int, Matrix]) -> list[Factor]:
    """The tensors of all outputs, one a connected part, ordered by their first qubits; axes in ascending order.

    Args:
        fused: the circuit.
        outputs: for each qubit asked for, rows of shape (k, 4) on its Pauli vector.
    """
    rows = outputs_after(fused.ends, outputs)
    parts = dict[int, Factor]()
    for turn in schedule(fused.blocks, list(rows)):
        factor = _apply(turn, parts, rows)
        for qubit in turn.block.qubits:
            parts[qubit] = factor
        for qubit in factor.qubits:
            parts[qubit] = factor
    whole = {id(factor): factor for qubit in rows if (factor := parts.get(qubit))}
    alone = [Factor([qubit], asked @ GROUND) for qubit, asked in rows.items() if qubit not in parts]
    return sorted((_ascending(factor) for factor in [*whole.values(), *alone]), key=lambda factor: factor.qubits)


def _apply(turn: Turn, parts: Mapping[int, Factor], rows: Mapping[int, Matrix]) -> Factor:
    """One block on its part, or on two parts that it joins, or on fresh qubits."""
    qubits = turn.block.qubits
    matrix = turn.block.matrix.reshape(4, 4, 4, 4)
    for axis, qubit in enumerate(qubits):
        if qubit in turn.finished:
            matrix = np.moveaxis(np.tensordot(rows.get(qubit, TRACE), matrix, axes=(1, axis)), 0, axis)
    here = list(dict.fromkeys(id(parts[qubit]) for qubit in qubits if qubit in parts))
    known = {id(parts[qubit]): parts[qubit] for qubit in qubits if qubit in parts}
    for axis in (1, 0):
        if qubits[axis] not in parts:
            matrix = np.tensordot(matrix, GROUND, axes=(2 + axis, 0))
    if not here:
        tensor, others = matrix, list[int]()
    else:
        factor = known[here[0]] if len(here) == 1 else _joined(known[here[0]], known[here[1]])
        old = [qubit for qubit in qubits if qubit in parts]
        places = [factor.qubits.index(qubit) for qubit in old]
        tensor = np.tensordot(matrix, factor.tensor, axes=(list(range(2, 2 + len(old))), places))
        others = [qubit for qubit in factor.qubits if qubit not in old]
    labels = [*qubits, *others]
    gone = tuple(axis for axis, qubit in enumerate(qubits) if qubit in turn.finished and qubit not in rows)
    return Factor([qubit for axis, qubit in enumerate(labels) if axis not in gone], np.squeeze(tensor, gone))


def _joined(first: Factor, second: Factor) -> Factor:
    return Factor([*first.qubits, *second.qubits], np.multiply.outer(first.tensor, second.tensor))


def _ascending(factor: Factor) -> Factor:
    order = np.argsort(factor.qubits)
    return Factor(sorted(factor.qubits), factor.tensor.transpose(order))


def _objection(task: Task) -> str | None:
    return "it measures before its end or depends on what was measured" if task.deferred is None else None


def _estimate(task: Task) -> Estimate:
    price = cost(task.fused.blocks, dict.fromkeys(task.outputs, 2))
    seconds = price.blocks * _SECONDS_PER_BLOCK + price.multiplications * SECONDS_PER_MULTIPLICATION
    return Estimate(seconds, _COPIES * _BYTES * price.entries + task.shots * (task.active.n_bits + 16))


def _sample(task: Task, seed: Seed) -> Drawn:
    """Shots of each connected part by itself: they are independent of each other."""
    random = generator(seed)
    memory = np.zeros((task.shots, task.active.n_bits), np.uint8)
    for factor in contract(task.fused, task.outputs):
        indices = draw_indices(factor.tensor.reshape(-1), task.shots, random)
        places = [task.channels.terminal[qubit] for qubit in factor.qubits]
        memory[:, places] = unpack(indices, len(places))
    return Drawn(memory)


def _expect(task: Task, terms: Sequence[Weights]) -> Means:
    """From the joint distribution where that is small, else each term by its own light cone."""
    rows = task.outputs
    if len(rows) <= _MOST_JOINT_QUBITS:
        factors = contract(task.fused, rows)
        return Means(np.array([float(np.prod([mean(factor, term) for factor in factors])) for term in terms]))
    values = []
    for term in terms:
        asked = {qubit: (weight @ rows[qubit])[None, :] for qubit, weight in term.items()}
        values.append(float(np.prod([factor.tensor.item() for factor in contract(task.fused, asked)])))
    return Means(np.array(values))


def mean(factor: Factor, term: Weights) -> float:
    """The mean of a term over one part of a joint distribution; shape of the part (2, …)."""
    tensor = factor.tensor
    for qubit in factor.qubits:
        tensor = np.tensordot(term.get(qubit, _EVERY_READING), tensor, axes=(0, 0))
    return float(tensor)


METHOD = Method(
    name="dense", engine="qumulus", objection=_objection, estimate=_estimate, sample=_sample, expect=_expect
)
