"""Expectation values in the Heisenberg picture as a method: `propagation` with ever finer thresholds.

Each pass drops coefficients below its threshold, a third of the one before. It ends when the error that is left is estimated
to be below what was asked for, or when the next pass would take longer than the budget. A *bound* of the error is certain: the
sum of all that was dropped, since no Pauli string has a mean beyond [-1, 1]. It is far too large for deep circuits, so an
*estimate* stands beside it: how far the last two passes moved the value, and a share of the norm of what was dropped, damped
by the noise as the strings that were kept. Of terms drawn at random one in a hundred is off by more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, sqrt
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from .blocks import outputs_after
from .correlations import products
from .errors import GaveUp
from .machine import slowness
from .propagation import LETTERS_PER_WORD, OutOfRoom, OutOfTime, Propagated, Step, Strings, propagate, steps_of, sums
from .tasks import Covariance, Estimate, Means, Method, Task, Weights
from .transfer import Matrix

FIRST_THRESHOLD = 3e-2
FINER = 10**-0.5
EXACT_TOLERANCE = 1e-4
"""The error that is good enough where exact values are asked for and no exact method gives them in time."""

_LEAST_THRESHOLD = 1e-12
_SHARE_OF_SCATTER = 0.5  # of the scatter of the shots: an error that does not show
_SHARE_OF_NORM = 0.05
_FEW = 0.3  # a bound below which strings are dropped so rarely that they may add up
_BYTES_PER_STRING = 600  # with the copies that a block makes: 475 measured at 750,000 strings
_MOST_STRINGS = 1_000_000
MEMORY_BYTES = float(_BYTES_PER_STRING * _MOST_STRINGS)
"""What the propagation may take."""

_SHARE_FOR_SUMS = 0.05  # of the budget
_SHARE_FOR_COVARIANCE = 0.05
_LATE = 3.0  # how many times longer than by its work a pass may take, on a machine that others use
_GROWTH = 2.5, 12.0  # of the work from one pass to the next, at least and at most
_PER_PASS = 1e-4  # seconds, at least
_TRIAL = 0.1  # seconds of the reference machine that a trial for an estimate may take
_UNTIL_FINE = 20.0  # times the work of the trial: what the passes after it usually take


def tolerance(task: Task) -> float:
    """The error that does not show: half of what the shots scatter by."""
    return _SHARE_OF_SCATTER / sqrt(task.shots) if task.shots else EXACT_TOLERANCE


def refine_sums(found: Passes, sums: Sequence[Mapping[int, float]], budget: float) -> None:
    """Refine terms until the errors of what they add up to don't show; what is dropped of them tends to have one sign.

    The error of each alone must not show within the whole budget, that of their sum within a small part of it. Exact values
    are refined term by term.
    """
    found.refine(tolerance(found.task), budget)
    sizes = [np.abs(np.array(list(row.values()))) for row in sums]
    share = min((float(np.sqrt((size**2).sum()) / size.sum()) for size in sizes if size.any()), default=1.0)
    if share < 1.0 and found.task.shots:
        found.refine(tolerance(found.task) * share, min(budget, max(_SHARE_FOR_SUMS * budget, found.spent)))


@dataclass(eq=False)
class Passes:
    """The terms of one circuit, and their values by the finest pass so far."""

    task: Task
    terms: Sequence[Weights]
    threshold: float = inf  # of the last pass
    spent: float = 0.0  # seconds of the reference machine
    most_strings: int = 0
    values: Matrix = field(init=False)
    bounds: Matrix = field(init=False)
    errors: Matrix = field(init=False)
    _moved: Matrix = field(init=False)  # by the last pass
    _steps: list[Step] = field(init=False)
    _rows: Mapping[int, Matrix] = field(init=False)
    _works: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        fused, count = self.task.fused, len(self.terms)
        self._steps = steps_of(fused.blocks)
        self._rows = outputs_after(fused.ends, self.task.outputs)
        self.values = np.zeros(count)
        self.bounds, self.errors, self._moved = (np.full(count, inf) for _ in range(3))

    def refine(self, wanted: float, budget: float) -> None:
        """Pass after pass, of the terms whose error is not small enough, within so many seconds of the reference machine.

        Raises:
            GaveUp: not even the first pass could be made.
        """
        deadline = perf_counter() + budget * slowness() * _LATE
        left = np.flatnonzero(self.errors > wanted)
        while len(left) and self.threshold > _LEAST_THRESHOLD and self._fits(budget):
            try:
                self._pass(left, deadline)
            except (OutOfRoom, OutOfTime) as reason:
                if self._works:
                    return
                raise GaveUp(str(reason)) from reason
            left = np.flatnonzero(self.errors > wanted)

    def again(self, budget: float) -> bool:
        """One more pass of all terms, if it fits into so many seconds of the reference machine; whether it was made."""
        if not self._fits(budget):
            return False
        try:
            self._pass(np.arange(len(self.terms)), perf_counter() + budget * slowness() * _LATE)
        except (OutOfRoom, OutOfTime):
            return False
        return True

    def _fits(self, budget: float) -> bool:
        if len(self._works) < 2:
            return not self._works or self.spent + _GROWTH[0] * self._works[0] <= budget
        last, before = self._works[-1], self._works[-2]
        return self.spent + last * float(np.clip(last / max(before, _PER_PASS), *_GROWTH)) <= budget

    def _pass(self, which: NDArray[np.int64], deadline: float) -> None:
        threshold = min(FIRST_THRESHOLD, self.threshold * FINER)
        found = self._propagated([self.terms[k] for k in which], threshold, deadline)
        first = not self._works
        self.threshold = threshold
        self.spent += found.work
        self._works.append(found.work)
        self.most_strings = max(self.most_strings, found.most_strings)
        moved = np.full(len(which), inf) if first else np.abs(found.values - self.values[which])
        self.values[which], self.bounds[which] = found.values, found.dropped
        lately = moved if not np.isfinite(self._moved[which]).all() else np.maximum(moved, self._moved[which] / 3)
        self._moved[which] = moved
        norms = np.sqrt(found.squares)
        estimates = lately + sqrt(np.mean(lately**2)) + np.where(found.dropped < _FEW, 1.0, _SHARE_OF_NORM) * norms
        self.errors[which] = np.minimum(estimates, found.dropped)

    def _propagated(self, terms: Sequence[Weights], threshold: float, deadline: float) -> Propagated:
        n_qubits = self.task.channels.n_qubits
        strings, read = read_out(terms, self._rows, n_qubits, threshold)
        room = int(min(_MOST_STRINGS, self.task.limits.memory_bytes / _BYTES_PER_STRING))
        found = propagate(
            n_qubits, self._steps, strings, len(terms), threshold=threshold, most_strings=room, deadline=deadline
        )
        return found.plus(read)


def read_out(
    terms: Sequence[Weights], rows: Mapping[int, Matrix], n_qubits: int, threshold: float
) -> tuple[Strings, Propagated]:
    """The strings that terms are when they are read, their constants, and what was dropped of them.

    ``rows`` gives for each measured qubit what the readings 0 and 1 are before its last single-qubit channels; shape (2, 4).
    """
    count = len(terms)
    words = np.zeros((max(1, -(-n_qubits // LETTERS_PER_WORD)), count), np.uint64)
    coefficients, labels = np.ones(count), np.arange(count)
    dropped, squares = np.zeros(count), np.zeros(count)
    users = dict[int, list[int]]()
    for label, term in enumerate(terms):
        for qubit in term:
            users.setdefault(qubit, []).append(label)
    for qubit, used_by in users.items():
        factors = np.zeros((count, 4))
        factors[:, 0] = 1.0
        factors[used_by] = np.array([terms[label][qubit] for label in used_by]) @ rows[qubit]
        after = coefficients[:, np.newaxis] * factors[labels]
        kept = np.abs(after) > threshold
        lost = np.where(kept, 0.0, np.abs(after))
        dropped += sums(labels, lost.sum(axis=1), count)
        squares += sums(labels, (lost * lost).sum(axis=1), count)
        of, letters = np.nonzero(kept)
        word, place = divmod(qubit, LETTERS_PER_WORD)
        words, coefficients, labels = words[:, of], after[of, letters], labels[of]
        words[word] |= letters.astype(np.uint64) << np.uint64(2 * place)
    strings = words.any(axis=0)
    constants = sums(labels[~strings], coefficients[~strings], count)
    read = Propagated(constants, dropped, squares, len(labels), 0.0)
    return Strings(words[:, strings], coefficients[strings], labels[strings]), read


def objection(task: Task) -> str | None:
    """Why a circuit cannot be propagated, or None."""
    if task.deferred is None:
        return "it measures before its end or depends on what was measured"
    return None if task.channels.n_qubits else "it reads no qubit"


def passes(task: Task, terms: Sequence[Weights]) -> Passes:
    """The passes for the terms of a task; the same ones when asked again, so that an estimate is not work done twice."""
    found = task.kept.get("pauli")
    if not isinstance(found, Passes) or found.terms is not terms:
        found = task.kept["pauli"] = Passes(task, terms)
    return found


def _estimate(task: Task) -> Estimate:
    """What the first two passes took tells what the rest would; it never takes more than the budget."""
    most = Estimate(task.budget_of_approximation(), MEMORY_BYTES)
    if not task.terms:
        return most
    tried = passes(task, task.terms)
    if not tried.spent:
        try:
            tried.refine(tolerance(task), _TRIAL)
        except GaveUp:
            return most
    if not (tried.errors > tolerance(task)).any():
        return Estimate(tried.spent, _BYTES_PER_STRING * tried.most_strings)
    return Estimate(min(most.seconds, tried.spent * _UNTIL_FINE), most.memory_bytes)


def _expect(task: Task, terms: Sequence[Weights]) -> Means:
    found, wanted = passes(task, terms), tolerance(task)
    refine_sums(found, task.sums, task.budget_of_approximation())
    worst = float(found.errors.max(initial=0.0))
    if worst > wanted and not task.at_any_accuracy:
        raise GaveUp(f"it leaves an error of some {worst:.2g} in the time that there is")
    accuracy: dict[str, float | str] = {
        "error_estimate": worst,
        "error_bound": float(found.bounds.max(initial=0.0)),
        "threshold": found.threshold,
        "pauli_strings": found.most_strings,
    }
    if worst > wanted:
        accuracy["warning"] = _TOO_COARSE
    covariance = _covariance(task, terms, found.values) if task.shots and task.sums else _NONE
    if covariance is None:
        accuracy["standard_errors"] = "those of independent terms"
    elif task.sums and task.shots:
        accuracy["correlated_pairs"] = float(len(covariance.pairs))
    return Means(found.values, accuracy, covariance)


_NONE = Covariance(np.zeros((0, 2), np.int64), np.zeros(0))
_TOO_COARSE = (
    "a mean value may be off by more than the shots scatter, for which the time did not suffice: see error_estimate"
)


def _covariance(task: Task, terms: Sequence[Weights], values: Matrix) -> Covariance | None:
    """How terms scatter together; None where they are too many for a part of the budget."""
    found = products(task, terms, task.fused.blocks)
    if found is None:
        return None
    if not len(found.pairs):
        return _NONE
    means, sample = Passes(task, found.terms, threshold=FIRST_THRESHOLD), found.sample
    budget = _SHARE_FOR_COVARIANCE * task.budget_of_approximation()
    while means.again(budget):
        finer = Passes(task, [found.terms[k] for k in sample], threshold=means.threshold)
        if not finer.again(budget):
            return None
        moved = finer.values - means.values[sample]
        means.values[sample] = finer.values
        now = found.covariance(values, means.values)
        if found.settled(task, values, now, moved):
            return now
    return None


METHOD = Method(
    name="pauli",
    engine="qumulus",
    objection=objection,
    estimate=_estimate,
    expect=_expect,
    approximation="Pauli strings with small coefficients are dropped",
    reluctance=20.0,
    always_answers=True,
)
