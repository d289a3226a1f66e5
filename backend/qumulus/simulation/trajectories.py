"""Jump trajectories: pure states with random errors, for entanglement that neither the dense tensor nor the chain holds.

Each block with its noise is a channel Λ(ρ) = Σ_k K_k ρ K_k†, with the canonical Kraus operators (orthogonal, from the
eigenvectors of its Choi matrix). The largest, K_0, is nearly the gate itself. All shots share one state along the path of
K_0; at each block a binomial number of them leaves it, with probability 1 − ‖K_0 ψ‖², and goes on from K_k ψ, k drawn by
the weights tr(K_k ρ K_k†) of the two-qubit state. Shots with the same history share a state, and a jump starts from the
state before its block, so nothing is computed twice. No approximation but single precision.

With few trajectories and several draws from each, means are as good and shots are no longer independent: that is a method
of its own, which only runs when it is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, inf, prod
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import Block, kron
from .errors import GaveUp
from .machine import SECONDS_PER_MULTIPLICATION
from .seeds import Seed, generator
from .shots import draw_indices, unpack
from .tasks import Drawn, Estimate, Memory, Method, Task
from .transfer import GROUND, PAULIS, Matrix

State = NDArray[Any]  # complex64, an axis for each qubit
Ids = NDArray[np.intp]

REUSED = 64
"""Trajectories of a circuit when several shots are drawn from each."""

_LEAST_WEIGHT = 1e-12  # of a Kraus operator, relative to the largest
_MOST_NESTED = 8  # states of jumps after jumps that the estimate of memory counts
_BYTES = 8
_PER_AMPLITUDE = 12.0  # a block on a state vector, in multiplications of `machine`

_STRINGS = np.array([np.kron(first, second) for first in PAULIS for second in PAULIS])


def kraus(matrix: Matrix) -> NDArray[np.complex64]:
    """The canonical Kraus operators of a two-qubit transfer matrix, the largest first; shape (number, 4, 4).

    C = Σ_PQ R_PQ P ⊗ Q* / 4 has the vectorised operators, (K)_ij at 4 i + j, as its eigenvectors, with their weights.
    """
    choi = np.einsum("pq,pij,qkl->ikjl", matrix, _STRINGS, _STRINGS.conj()).reshape(16, 16) / 4
    weights, vectors = np.linalg.eigh(choi)
    kept = weights > _LEAST_WEIGHT * weights[-1]
    operators = (vectors[:, kept] * np.sqrt(weights[kept])).T.reshape(-1, 4, 4)
    return operators[::-1].astype(np.complex64)


@dataclass(frozen=True, slots=True, eq=False)
class Jumps:
    """A circuit as Kraus operators: pairs of qubits with theirs, and the qubits that no block touches."""

    blocks: list[tuple[tuple[int, int], NDArray[np.complex64]]]
    qubits: tuple[int, ...]  # in blocks
    alone: Mapping[int, Matrix]  # probabilities of reading 0 and 1 of measured qubits without a block

    @property
    def no_jump(self) -> float:
        """The share of shots that make no jump, for a random state: Π tr(K_0† K_0) / 4."""
        return prod(float(np.linalg.norm(operators[0]) ** 2) / 4 for _, operators in self.blocks)


@lru_cache(maxsize=2)
def jumps(task: Task) -> Jumps:
    """The blocks of a task with what follows the last one of each qubit absorbed, as Kraus operators."""
    last = {qubit: index for index, block in enumerate(task.fused.blocks) for qubit in block.qubits}
    blocks = [
        (block.qubits, kraus(_with_ends(block, index, last, task.fused.ends)))
        for index, block in enumerate(task.fused.blocks)
    ]
    alone = {
        qubit: task.outputs[qubit] @ task.fused.ends.get(qubit, np.eye(4)) @ GROUND
        for qubit in task.outputs
        if qubit not in last
    }
    return Jumps(blocks, tuple(sorted(last)), alone)


def _with_ends(block: Block, index: int, last: Mapping[int, int], ends: Mapping[int, Matrix]) -> Matrix:
    first, second = (ends.get(qubit, np.eye(4)) if last[qubit] == index else np.eye(4) for qubit in block.qubits)
    return kron(first, second) @ block.matrix


@dataclass(frozen=True, slots=True)
class _Group:
    """Trajectories that go on together from the block ``start``; with a ``kind``, after that jump at the block before."""

    state: State
    start: int
    kind: int | None
    trajectories: Ids


@dataclass(slots=True, eq=False)
class Run:
    """One run over all shots. ``outcomes`` collects for each shot the flat index of what was read."""

    laid: Jumps
    random: np.random.Generator
    outcomes: Ids
    draws: int  # shots from each trajectory
    deadline: float
    states: int = 0
    _place: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._place = {qubit: axis for axis, qubit in enumerate(self.laid.qubits)}

    def follow(self, state: State) -> None:
        """Evolve all trajectories from a common state: those that jumped last first, so that few states are kept."""
        everybody = np.arange(ceil(len(self.outcomes) / self.draws))
        waiting = [_Group(state, 0, None, everybody)]
        while waiting:
            group = waiting.pop()
            state, trajectories = group.state, group.trajectories
            if group.kind is not None:
                state = self._normed(group.kind, state, group.start - 1)
            for index in range(group.start, len(self.laid.blocks)):
                if perf_counter() > self.deadline:
                    raise GaveUp("it has more jumps than the time allows")
                qubits, operators = self.laid.blocks[index]
                stayed = self._applied(operators[0], state, qubits)
                weight = float(np.vdot(stayed, stayed).real)
                leaving = self.random.random(len(trajectories)) >= weight
                if len(operators) > 1 and leaving.any():
                    waiting += self._jumping(state, index, trajectories[leaving])
                    trajectories = trajectories[~leaving]
                    if not len(trajectories):
                        break
                state = stayed / np.float32(np.sqrt(weight))
            else:
                self._read(state, trajectories)

    def _read(self, state: State, trajectories: Ids) -> None:
        """Draw the shots of trajectories that end in this state."""
        self.states += 1
        probabilities = (state.real**2 + state.imag**2).reshape(-1).astype(np.float64)
        shots = (trajectories[:, None] * self.draws + np.arange(self.draws)).reshape(-1)
        shots = shots[shots < len(self.outcomes)]
        self.outcomes[shots] = draw_indices(probabilities, len(shots), self.random)

    def _jumping(self, state: State, index: int, leaving: Ids) -> list[_Group]:
        """Which jump each trajectory makes; all start from the same state."""
        qubits, operators = self.laid.blocks[index]
        pair = np.moveaxis(state, [self._place[qubit] for qubit in qubits], (0, 1)).reshape(4, -1)
        reduced = pair @ pair.conj().T
        weights = np.einsum("kij,jl,kil->k", operators[1:], reduced, operators[1:].conj()).real
        if weights.max() <= 0.0:  # no jump is possible: only a rounding made one
            return [_Group(state, index + 1, 0, leaving)]
        taken = 1 + draw_indices(weights.astype(np.float64), len(leaving), self.random)
        return [_Group(state, index + 1, int(kind), leaving[taken == kind]) for kind in np.unique(taken)]

    def _normed(self, kind: int, state: State, index: int) -> State:
        """The state after a jump at a block."""
        qubits, operators = self.laid.blocks[index]
        jumped = self._applied(operators[kind], state, qubits)
        return jumped / np.float32(np.linalg.norm(jumped))

    def _applied(self, operator: NDArray[np.complex64], state: State, qubits: Sequence[int]) -> State:
        axes = [self._place[qubit] for qubit in qubits]
        moved = np.tensordot(operator.reshape(2, 2, 2, 2), state, axes=([2, 3], axes))
        return np.moveaxis(moved, (0, 1), axes)


def objection(task: Task) -> str | None:
    """Why trajectories can't do a task; None if they can."""
    if task.deferred is None:
        return "it measures before its end or depends on what was measured"
    if task.active.model.ideal:
        return "the device has no noise"
    return None if len(task.channels.terminal) else "it reads no qubit"


def _estimate(task: Task, draws: int) -> Estimate:
    """Passes of a block over a state: one each for the shared path, half the circuit for each shot that leaves it."""
    least = _BYTES * 2.0 ** len({qubit for block in task.fused.blocks for qubit in block.qubits})
    if least > task.limits.memory_bytes:
        return Estimate(inf, least)  # decomposing all its channels would take a second to tell the same
    laid, n_trajectories = jumps(task), ceil(task.shots / draws)
    n_blocks, amplitudes = len(laid.blocks), 2.0 ** len(laid.qubits)
    leaving = n_trajectories * (1 - laid.no_jump)
    passes = min(n_blocks + leaving * (n_blocks + 1) / 2, n_trajectories * n_blocks)
    ends = (1 + leaving) * amplitudes  # the cumulative probabilities of each state
    seconds = passes * (1e-4 + amplitudes * _PER_AMPLITUDE * SECONDS_PER_MULTIPLICATION) + ends * 4e-9
    memory = _BYTES * amplitudes * (4 + _MOST_NESTED) + task.shots * (task.active.n_bits + 24)
    return Estimate(seconds, memory)


def _sample(task: Task, seed: Seed, draws: int) -> Drawn:
    random, laid = generator(seed), jumps(task)
    run = Run(laid, random, np.zeros(task.shots, np.intp), draws, perf_counter() + task.limits.seconds)
    state = np.zeros((2,) * len(laid.qubits), np.complex64)
    state[(0,) * len(laid.qubits)] = 1.0
    run.follow(state)
    memory = read(task, laid, unpack(run.outcomes, len(laid.qubits)), random)
    accuracy = {"trajectories": ceil(task.shots / draws), "draws": draws, "states": run.states}
    return Drawn(memory, accuracy)


def read(task: Task, laid: Jumps, true: Memory, random: np.random.Generator) -> Memory:
    """What is read into the classical bits, where the ``true`` bits of the qubits in blocks are these; shape (shots, bits)."""
    column = {qubit: index for index, qubit in enumerate(laid.qubits)}
    memory = np.zeros((task.shots, task.active.n_bits), np.uint8)
    for qubit, bit in task.channels.terminal.items():
        readings = task.channels.confusion(qubit)[1]
        ones = laid.alone[qubit][1] if qubit in laid.alone else readings[true[:, column[qubit]]]
        memory[:, bit] = random.random(task.shots) < ones
    return memory


def _draws(task: Task) -> int:
    """How many shots come from each trajectory when they are reused."""
    return max(1, ceil(task.shots / REUSED))


METHOD = Method(
    name="trajectories",
    engine="qumulus",
    objection=objection,
    estimate=lambda task: _estimate(task, 1),
    sample=lambda task, seed: _sample(task, seed, 1),
)

REUSING = Method(
    name="trajectories-reused",
    engine="qumulus",
    objection=objection,
    estimate=lambda task: _estimate(task, _draws(task)),
    sample=lambda task, seed: _sample(task, seed, _draws(task)),
    approximation=f"at most {REUSED} trajectories with several draws each: shots are correlated",
    by_name_only=True,
)
