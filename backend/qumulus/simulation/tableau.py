"""Exact mean values of Clifford circuits without noise, of any width, by Stim's stabilizer tableau.

A product of Pauli readings has the mean 1, -1 or 0 in a stabilizer state. A projector, which counts one reading of its qubit
and not the other, is the probability of that reading, and the rest of the term is read in the state after it. Shots of
such circuits are drawn by `ideal`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from .stabilizer import is_clifford, stim_lines
from .steps import UNREAD, Channel
from .tasks import Estimate, Means, Method, Task, Weights
from .transfer import Matrix

if TYPE_CHECKING:
    import stim

_SECONDS_TO_START, _SECONDS_PER_STEP, _SECONDS_PER_TERM = 5e-3, 1e-5, 2e-5
_SECONDS_PER_SQUARE = 2e-9  # of the width, for each term
_BYTES_PER_SQUARE = 1.0


def _objection(task: Task) -> str | None:
    if not task.active.model.ideal:
        return "the device has noise"
    for step in task.active.steps:
        if not isinstance(step, Channel):
            return "it depends on what was measured"
        if step.name not in _THROWN_AWAY and not is_clifford(_matrix(step, task)):
            return f"{step.name} is not a Clifford gate at this angle"
    return "it gives exact values only" if task.shots else None


_THROWN_AWAY = frozenset({"reset", UNREAD})


def _matrix(step: Channel, task: Task) -> Matrix:
    return step.transfer if isinstance(step.transfer, np.ndarray) else step.transfer(task.binding)


def _estimate(task: Task) -> Estimate:
    squares, terms = float(task.active.n_qubits**2), max(len(task.terms), 1)
    seconds = _SECONDS_TO_START + len(task.active.steps) * _SECONDS_PER_STEP
    seconds += terms * (_SECONDS_PER_TERM + squares * _SECONDS_PER_SQUARE)
    return Estimate(seconds, (1 << 20) + _BYTES_PER_SQUARE * squares)


def _state(task: Task) -> tuple[stim.TableauSimulator, list[int]]:
    """The state at the end, and which of its qubits stands for each active one.

    A reset goes on with a fresh qubit, and a reading that nobody reads is copied to one, so that nothing depends on chance.
    """
    import stim

    place, size, lines = list(range(task.active.n_qubits)), task.active.n_qubits, list[str]()
    for step in task.active.steps:
        if not isinstance(step, Channel):
            raise ValueError("A step that is no channel has no tableau.")
        if step.name in _THROWN_AWAY:
            (qubit,) = step.qubits
            if step.name == UNREAD:
                lines.append(f"CX {place[qubit]} {size}")
            else:
                place[qubit] = size
            size += 1
        else:
            lines.append(stim_lines(_matrix(step, task), [place[qubit] for qubit in step.qubits]))
    state = stim.TableauSimulator(seed=0)
    state.set_num_qubits(size)
    state.do(stim.Circuit("\n".join(lines)))
    return state, place


def _expect(task: Task, terms: Sequence[Weights]) -> Means:
    state, place = _state(task)
    return Means(np.array([_mean(state, {place[qubit]: weight for qubit, weight in term.items()}) for term in terms]))


def _mean(state: stim.TableauSimulator, term: Mapping[int, Matrix]) -> float:
    """The mean of a product of readings: the probability of its projectors, times the sign of its Paulis after them."""
    import stim

    paulis, value, after = stim.PauliString(state.num_qubits), 1.0, state
    for qubit, (zero, one) in term.items():
        if zero == -one:
            paulis[qubit] = "Z"
            value *= zero
            continue
        if zero * one:
            raise ValueError("A reading counts as a Pauli or as a projector.")
        wanted, seen = (1 if zero else -1), after.peek_z(qubit)
        if seen == -wanted:
            return 0.0
        if seen == 0:
            value /= 2
            after = after.copy() if after is state else after
            after.postselect_z(qubit, desired_value=not zero)
        value *= zero or one
    return value * after.peek_observable_expectation(paulis)


METHOD = Method(
    name="tableau", engine=f"stim {version('stim')}", objection=_objection, estimate=_estimate, expect=_expect
)
