"""Which method runs a circuit: the table, and the one that the estimates favour."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any, TypeVar

from qumulus import __version__
from qumulus.core.results import Severity

from . import aer, batched, branches, chains, dense, ideal, marginals, pauli, stabilizer, tableau, trajectories
from .errors import GaveUp, ProgramError, Refused
from .meter import meter
from .progress import progress
from .seeds import Seed
from .tasks import Drawn, Estimate, Means, Method, Task, Weights
from .transfer import Matrix

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        dense.METHOD,  # static, few qubits or little depth: exact
        tableau.METHOD,  # mean values of Clifford gates without noise: exact
        branches.METHOD,  # dynamic: exact
        chains.EXACT,  # static, many qubits, few gates across each cut: exact
        chains.TRUNCATED,  # the same with more gates
        trajectories.METHOD,  # much entanglement: exact
        trajectories.REUSING,  # the same, with correlated shots
        stabilizer.METHOD,  # Clifford gates: twirled noise
        ideal.METHOD,  # no noise: Aer
        aer.METHOD,  # noise shot by shot: exact, for what is left
        batched.METHOD,  # few qubits, where all of these take longer than they should: exact
        pauli.METHOD,  # mean values where nothing exact is in time
        marginals.METHOD,  # shots where nothing else is: one- and two-qubit marginals
    )
}
"""All methods by their names, in the order in which they are considered."""

AUTO, EXACT = "auto", "exact"
_AT_ONCE = 0.02  # seconds; an exact method that takes less is taken without looking at the others
_SOON = 3.0  # seconds; if a method takes less, one that has to try what it takes is not asked
_ENGINES = {"qumulus": f"qumulus {__version__}"}

Answer = TypeVar("Answer", bound=Drawn | Means)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Methods for a task, the best first: the next one runs if one gives up.

    After them come the methods ``at_last``, which answer within the budget, as accurately as they can.
    ``without`` chooses again among all methods but the named ones, for when one fails by a mistake of ours.
    """

    task: Task
    methods: Sequence[Method]
    estimates: Mapping[str, Estimate]
    without: Callable[[Collection[str]], Chosen]
    at_last: Sequence[Method] = ()

    def check(self, runs: int) -> None:
        """Refuse so many runs like this one, of which each for itself would do, before the first of them begins.

        Raises:
            Refused: together they are over the time.
        """
        progress().runs = runs
        if not self.methods:
            return  # those that come at last keep to the budget
        estimate, limit = self.estimates[self.methods[0].name], self.task.limits.seconds
        if estimate.seconds * runs > limit:
            raise Refused(
                f"{runs} runs of the circuit with {self.task.active.n_qubits} active qubits and {self.task.shots} shots "
                f"would take {estimate.seconds * runs:.3g} s together, {estimate.seconds:.2g} s each by "
                f"{self.methods[0].name}, and a job may take {limit:.3g} s: split it into smaller jobs.",
                {"runs": runs, "seconds": estimate.seconds * runs, "seconds_each": estimate.seconds},
            )

    def sample(self, seed: Seed) -> tuple[Drawn, dict[str, Any]]:
        """The shots, and what the result has to say of how they came about.

        Raises:
            Refused: all methods gave up.
        """
        return self._first(lambda method: method.sample(self.task, seed) if method.sample else _no_shots())

    def expect(self, terms: Sequence[Weights]) -> tuple[Matrix, dict[str, Any]]:
        """The means of terms over infinitely many shots, and what the result has to say of how they came about.

        Raises:
            Refused: all methods gave up.
        """
        means, metadata = self._first(lambda method: method.expect(self.task, terms) if method.expect else _no_means())
        return means.values, metadata

    def read(self, terms: Sequence[Weights], seed: Seed) -> tuple[Drawn | Means, dict[str, Any]]:
        """The shots to estimate terms from, or their means where the method draws no shots.

        Raises:
            Refused: all methods gave up.
        """

        def answer(method: Method) -> Drawn | Means:
            if method.sample is None:
                return method.expect(self.task, terms) if method.expect else _no_means()
            return method.sample(self.task, seed)

        return self._first(answer)

    def _first(self, answer: Callable[[Method], Answer]) -> tuple[Answer, dict[str, Any]]:
        reasons = dict[str, str]()
        for index, method in enumerate([*self.methods, *self.at_last]):
            self.task.at_any_accuracy = index >= len(self.methods) or len(self.methods) == 1
            estimate = self.estimates.get(method.name) or method.estimate(self.task).here()
            progress().begins(method.name, estimate.seconds)
            try:
                with meter().method(estimate.memory_bytes):
                    found = answer(method)
            except GaveUp as reason:
                reasons[method.name] = str(reason)
                continue
            except (ProgramError, Refused, MemoryError):
                raise
            except Exception as mistake:  # of ours: another method may do, and the job keeps what it has
                return self._instead(answer, {*reasons, method.name}, method, mistake)
            return found, description(method, found.accuracy, estimate)
        raise _refusal(self.task, self.estimates, reasons)

    def _instead(
        self, answer: Callable[[Method], Answer], tried: Collection[str], method: Method, mistake: Exception
    ) -> tuple[Answer, dict[str, Any]]:
        """The answer of a method that was not tried yet; it comes with a warning, and the mistake is in the job's log."""
        try:
            chosen = self.without(tried)
        except (ProgramError, Refused):
            raise mistake from None
        meter().log("".join(traceback.format_exception(mistake)), Severity.DEBUG)
        found, metadata = chosen._first(answer)
        warning = (
            f"{method.name} failed because of an error of ours ({type(mistake).__name__}), so {metadata['method']} ran"
        )
        told = "; ".join(filter(None, [warning, metadata["accuracy"].get("warning")]))
        return found, {**metadata, "accuracy": {**metadata["accuracy"], "warning": told}}


def _no_shots() -> Drawn:
    raise GaveUp("it gives mean values only")


def _no_means() -> Means:
    raise GaveUp("it draws shots only")


def description(method: Method, accuracy: Mapping[str, Any], estimate: Estimate) -> dict[str, Any]:
    """What a result says of how it came about."""
    return {
        "method": method.name,
        "engine": _ENGINES.get(method.engine, method.engine),
        "approximation": method.approximation,
        "accuracy": dict(accuracy),
        "estimated_seconds": estimate.seconds,
    }


def choose(
    task: Task, method: str = AUTO, *, exact_values: bool = False, without: Collection[str] = frozenset()
) -> Chosen:
    """The methods for a task: the named one, or all that can and may, the one with the least estimated time first.

    The order is that of a reference machine, so that it depends on the task only. Methods that approximate count as slower
    by their reluctance. ``exact_values`` leaves only those that give means without shots; those in ``without`` are not
    considered.

    Raises:
        ProgramError: no method has that name, or the named one cannot do this circuit.
        Refused: all that can are over the limits; the estimates of all are in the message.
    """
    if method not in {*METHODS, AUTO, EXACT}:
        raise ProgramError(
            f"There is no simulation method {method!r}: choose one of {', '.join([AUTO, EXACT, *METHODS])}."
        )
    named = METHODS.get(method)
    candidates = [named] if named else [m for m in METHODS.values() if _considered(m, method)]
    estimates, objections = dict[str, Estimate](), dict[str, str]()
    if task.active.dynamic:  # few branches are the quickest to see through
        candidates.sort(key=lambda candidate: candidate is not branches.METHOD)
    again = partial(choose, task, method, exact_values=exact_values)
    for candidate in [m for m in candidates if m.name not in without]:
        objection = _objection(candidate, task, exact_values)
        if objection is not None:
            objections[candidate.name] = objection
            continue
        estimates[candidate.name] = estimate = candidate.estimate(task)
        if estimate.seconds < _AT_ONCE and candidate.approximation is None and _within(estimate, task):
            here = {name: each.here() for name, each in estimates.items()}
            return Chosen(task, [candidate], here, lambda tried: again(without={*without, *tried}))
    if named and objections:  # it is the only candidate
        raise ProgramError(f"The method {method!r} cannot simulate this circuit: {objections[method]}.")
    at_last = _at_last(task, exact_values, without) if method == AUTO and task.limits.approximate else []
    if at_last and not any(e.seconds < _SOON and _within(e, task) for e in estimates.values()):
        estimates |= {m.name: m.estimate(task) for m in at_last if m.expect}
    here = {name: estimate.here() for name, estimate in estimates.items()}
    allowed = [METHODS[name] for name, estimate in here.items() if _within(estimate, task)]
    if not allowed and not at_last:
        raise _refusal(task, here, objections)
    best_first = sorted(allowed, key=lambda m: (m.last_resort(task), estimates[m.name].seconds * m.reluctance))
    if at_last:
        late = [m for m in best_first if here[m.name].seconds > task.budget]
        best_first = [m for m in best_first if m not in late]
        at_last += [m for m in late if m not in at_last]
    otherwise = task.budget_of_approximation() if at_last else inf
    task.patience = estimates[best_first[1].name].seconds if len(best_first) > 1 else otherwise
    return Chosen(task, best_first, here, lambda tried: again(without={*without, *tried}), at_last)


def _considered(method: Method, asked: str) -> bool:
    """Whether a method comes into question where none is named; not for one that comes at last."""
    return not (method.by_name_only or method.always_answers) and (asked == AUTO or not method.approximation)


def _at_last(task: Task, exact_values: bool, without: Collection[str]) -> list[Method]:
    return [
        method
        for method in METHODS.values()
        if method.always_answers and method.name not in without and _objection(method, task, exact_values) is None
    ]


def _objection(method: Method, task: Task, exact_values: bool) -> str | None:
    if (exact_values or task.terms) and method.always_answers and method.expect is None:
        return "it draws shots only: mean values have a better method"
    if exact_values and (method.expect is None or method.draws_only(task)):
        return "it draws shots only: ask for a number of shots"
    if method.sample is None and not task.terms:
        return "it gives mean values only: ask for expectation values"
    return method.objection(task)


def _within(estimate: Estimate, task: Task) -> bool:
    return estimate.seconds <= task.limits.seconds and estimate.memory_bytes <= task.limits.memory_bytes


def _refusal(task: Task, estimates: Mapping[str, Estimate], reasons: Mapping[str, str]) -> Refused:
    """Two sentences for a person, and a line a method for the log."""
    limits = Estimate(task.limits.seconds, task.limits.memory_bytes)
    needs = {name: f"{name} needs {estimate}" for name, estimate in estimates.items() if name not in reasons}
    cannot = {name: f"{name} cannot: {reason}" for name, reason in reasons.items()}
    approximate = "" if task.limits.approximate else ", or allow an approximate answer"
    return Refused(
        f"No method simulates this circuit with {task.active.n_qubits} active qubits and {task.shots} shots within the limits "
        f"of {limits}. Use fewer qubits, fewer layers or fewer shots{approximate}.",
        {name: {"seconds": e.seconds, "memory_bytes": e.memory_bytes} for name, e in estimates.items()},
        [*needs.values(), *cannot.values()],
    )
