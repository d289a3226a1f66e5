"""Jump trajectories of few qubits, all of them at once: an array with a column for each shot that has left the common path.

What happens is what `trajectories` says, block by block: each column is a pure state that stays on the path of the largest
Kraus operator, or jumps. The first column is the common path, and stands for all shots that made no jump yet; a shot that makes
one gets a column of its own there. One product a block moves all columns, so that a thousand shots of ten qubits take less than
the tensor of all their expectation values. No approximation but single precision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .seeds import Seed, generator
from .shots import draw_indices, unpack
from .tasks import Drawn, Estimate, Method, Task
from .trajectories import Jumps, jumps, objection, read
from .transfer import Matrix

Columns = NDArray[np.complex64]  # shape (4, amplitudes / 4, columns): the pair of a block first
Operators = NDArray[np.complex64]

MOST_AMPLITUDES = 1 << 23
"""Of all shots together."""

_BYTES = 8
_COPIES = 4
_SECONDS_PER_BLOCK = 4e-4
_SECONDS_PER_AMPLITUDE = 6e-9
_BEFORE = 0.02  # seconds: no circuit that another method does at once comes here
_NOTHING = np.finfo(np.float32).tiny
_FAINT = 1e-6
"""A squared norm below which a column is scaled to 1: single precision holds none of a long path that nobody takes."""


@dataclass(slots=True, eq=False)
class Batch:
    """The shots on their way: ``states`` has an axis for each qubit of ``order`` and, last, one for the columns."""

    random: np.random.Generator
    states: NDArray[np.complex64]
    order: list[int]
    together: int  # shots that the first column stands for
    norms: Matrix  # squared, of the columns: they get smaller as long as nothing jumps

    def apply(self, qubits: tuple[int, int], operators: Operators) -> None:
        """Let a block act on all columns."""
        axes = [self.order.index(qubit) for qubit in qubits]
        before = np.moveaxis(self.states, axes, (0, 1)).reshape(4, -1, self.states.shape[-1])
        self.order = [*qubits, *(qubit for qubit in self.order if qubit not in qubits)]
        after = (operators[0] @ before.reshape(4, -1)).reshape(before.shape)
        weights = _squares(after)
        if len(operators) > 1:
            stays = np.minimum(weights / self.norms, 1.0)
            left = int(self.random.binomial(self.together, 1.0 - float(stays[0])))
            alone = 1 + np.flatnonzero(self.random.random(len(stays) - 1) >= stays[1:])
            if left or len(alone):
                jumped = self._jumped(before[:, :, np.concatenate([np.zeros(left, np.intp), alone])], operators)
                after[:, :, alone], weights[alone] = jumped[:, :, left:], 1.0
                after = np.concatenate([after, jumped[:, :, :left]], axis=2)
                weights = np.concatenate([weights, np.ones(left)])
                self.together -= left
        faint = np.flatnonzero(weights < _FAINT)
        if len(faint):
            after[:, :, faint] /= np.sqrt(np.maximum(weights[faint], _NOTHING)).astype(np.float32)
            weights[faint] = 1.0
        self.states, self.norms = after.reshape(*[2] * len(self.order), after.shape[2]), weights

    def _jumped(self, before: Columns, operators: Operators) -> Columns:
        """Each column after the jump that it makes, by the weights tr(K_k ρ K_k†) of its pair of qubits."""
        pairs = np.ascontiguousarray(before.transpose(2, 0, 1))
        reduced = pairs @ pairs.conj().transpose(0, 2, 1)
        gains = operators[1:].conj().transpose(0, 2, 1) @ operators[1:]
        weights = np.einsum("kij,sji->sk", gains, reduced).real.clip(0.0).astype(np.float64)
        limits = np.cumsum(weights, axis=1)
        drawn = self.random.random(len(limits)) * limits[:, -1]
        kinds = 1 + np.minimum((limits <= drawn[:, None]).sum(axis=1), len(operators) - 2)
        kinds[limits[:, -1] <= 0.0] = 0  # no jump is possible: only a rounding made one
        moved = np.ascontiguousarray((operators[kinds] @ pairs).transpose(1, 2, 0))
        return moved / np.sqrt(_squares(moved)).astype(np.float32)

    def readings(self) -> NDArray[np.intp]:
        """The flat index of what each shot reads, in random order."""
        flat = self.states.reshape(-1, self.states.shape[-1])
        likely = (flat.real**2 + flat.imag**2).astype(np.float64)
        first = draw_indices(likely[:, 0], self.together, self.random)
        limits = np.cumsum(likely[:, 1:], axis=0)
        drawn = self.random.random(limits.shape[1]) * limits[-1]
        others = np.minimum((limits <= drawn).sum(axis=0), len(flat) - 1)
        return self.random.permutation(np.concatenate([first, others]))


def _squares(columns: Columns) -> Matrix:
    """The squared norm of each column."""
    parts = columns.reshape(-1, columns.shape[2]).view(np.float32)
    return np.einsum("ij,ij->j", parts, parts).reshape(-1, 2).sum(axis=1, dtype=np.float64)


def followed(laid: Jumps, shots: int, random: np.random.Generator) -> Batch:
    """All shots at the end of a circuit."""
    states = np.zeros(((2,) * len(laid.qubits)) + (1,), np.complex64)
    states[(0,) * states.ndim] = 1.0
    batch = Batch(random, states, list(laid.qubits), shots, np.ones(1))
    for qubits, operators in laid.blocks:
        batch.apply(qubits, operators)
    return batch


def _sample(task: Task, seed: Seed) -> Drawn:
    random, laid = generator(seed), jumps(task)
    batch = followed(laid, task.shots, random)
    found = unpack(batch.readings(), len(batch.order))
    true = found[:, [batch.order.index(qubit) for qubit in laid.qubits]]
    accuracy = {"trajectories": task.shots, "draws": 1, "states": batch.states.shape[-1]}
    return Drawn(read(task, laid, true, random), accuracy)


def _amplitudes(task: Task) -> float:
    return task.shots * 2.0 ** len({qubit for block in task.fused.blocks for qubit in block.qubits})


def _objection(task: Task) -> str | None:
    reason = objection(task)
    if reason is None and _amplitudes(task) > MOST_AMPLITUDES:
        return f"its shots have more than {MOST_AMPLITUDES} amplitudes together"
    return reason


def _estimate(task: Task) -> Estimate:
    """A block moves the columns that there are by then: half of those that leave the common path, on average."""
    laid = jumps(task)
    amplitudes, n_blocks = 2.0 ** len(laid.qubits), len(laid.blocks)
    columns = 1 + task.shots * (1 - laid.no_jump)
    passes = n_blocks * amplitudes * columns / 2
    seconds = _BEFORE + n_blocks * _SECONDS_PER_BLOCK + passes * _SECONDS_PER_AMPLITUDE
    return Estimate(seconds, _COPIES * _BYTES * amplitudes * columns + task.shots * (task.active.n_bits + 24))


METHOD = Method(
    name="trajectories-batched",
    engine="qumulus",
    objection=_objection,
    estimate=_estimate,
    sample=_sample,
    last_resort=lambda _: True,
)
