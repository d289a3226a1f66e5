"""Which method runs a circuit: the table, and the one that the estimates favour."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from math import inf
from typing import Any, TypeVar

from qumulus.core.results import Severity

from . import aer, branches, chains, dense, ideal, stabilizer, trajectories
from .errors import GaveUp, ProgramError, Refused
from .machine import slowness
from .meter import meter
from .seeds import Seed
from .tasks import Drawn, Estimate, Means, Method, Task, Weights
from .transfer import Matrix

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        dense.METHOD,  # static, few qubits or little depth: exact
        branches.METHOD,  # dynamic: exact
        chains.EXACT,  # static, many qubits, few gates across each cut: exact
        chains.TRUNCATED,  # the same with more gates
        trajectories.METHOD,  # much entanglement: exact
        trajectories.REUSING,  # the same, with correlated shots
        stabilizer.METHOD,  # Clifford gates: twirled noise
        ideal.METHOD,  # no noise: Aer
        aer.METHOD,  # noise shot by shot: exact, for what is left
    )
}
"""All methods by their names, in the order in which they are considered."""

AUTO, EXACT = "auto", "exact"
_AT_ONCE = 0.02  # seconds; an exact method that takes less is taken without looking at the others
_ENGINES = {"qumulus": f"qumulus {version('qumulus')}"}

Answer = TypeVar("Answer", Drawn, Means)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Methods for a task, the best first: the next one runs if one gives up.

    ``without`` chooses again among all methods but the named ones, for when one fails by a mistake of ours.
    """

    task: Task
    methods: Sequence[Method]
    estimates: Mapping[str, Estimate]
    without: Callable[[Collection[str]], Chosen]

    def check(self, runs: int) -> None:
        """Refuse so many runs like this one, of which each for itself would do, before the first of them begins.

        Raises:
            Refused: together they are over the time.
        """
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
        return self._first(lambda method: method.sample(self.task, seed))

    def expect(self, terms: Sequence[Weights]) -> tuple[Matrix, dict[str, Any]]:
        """The exact means of terms, and what the result has to say of how they came about.

        Raises:
            Refused: all methods gave up.
        """
        means, metadata = self._first(lambda method: method.expect(self.task, terms) if method.expect else _no_means())
        return means.values, metadata

    def _first(self, answer: Callable[[Method], Answer]) -> tuple[Answer, dict[str, Any]]:
        reasons = dict[str, str]()
        for method in self.methods:
            try:
                with meter().method(self.estimates[method.name].memory_bytes):
                    found = answer(method)
            except GaveUp as reason:
                reasons[method.name] = str(reason)
                continue
            except (ProgramError, Refused, MemoryError):
                raise
            except Exception as mistake:  # of ours: another method may do, and the job keeps what it has
                return self._instead(answer, {*reasons, method.name}, method, mistake)
            return found, {
                "method": method.name,
                "engine": _ENGINES.get(method.engine, method.engine),
                "approximation": method.approximation,
                "accuracy": dict(found.accuracy),
                "estimated_seconds": self.estimates[method.name].seconds,
            }
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


def _no_means() -> Means:
    raise GaveUp("it draws shots only")


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
    candidates = (
        [named]
        if named
        else [m for m in METHODS.values() if not m.by_name_only and (method == AUTO or not m.approximation)]
    )
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
            return Chosen(task, [candidate], estimates, lambda tried: again(without={*without, *tried}))
    if named and objections:  # it is the only candidate
        raise ProgramError(f"The method {method!r} cannot simulate this circuit: {objections[method]}.")
    here = {name: Estimate(e.seconds * slowness(), e.memory_bytes) for name, e in estimates.items()}
    allowed = [METHODS[name] for name, estimate in here.items() if _within(estimate, task)]
    if not allowed:
        raise _refusal(task, here, objections)
    best_first = sorted(allowed, key=lambda m: (m.last_resort(task), estimates[m.name].seconds * m.reluctance))
    task.patience = estimates[best_first[1].name].seconds if len(best_first) > 1 else inf
    return Chosen(task, best_first, here, lambda tried: again(without={*without, *tried}))


def _objection(method: Method, task: Task, exact_values: bool) -> str | None:
    if exact_values and (method.expect is None or method.draws_only(task)):
        return "it draws shots only: ask for a number of shots"
    return method.objection(task)


def _within(estimate: Estimate, task: Task) -> bool:
    return estimate.seconds <= task.limits.seconds and estimate.memory_bytes <= task.limits.memory_bytes


def _refusal(task: Task, estimates: Mapping[str, Estimate], reasons: Mapping[str, str]) -> Refused:
    limits = Estimate(task.limits.seconds, task.limits.memory_bytes)
    needs = {name: f"{name} needs {estimate}" for name, estimate in estimates.items() if name not in reasons}
    cannot = {name: f"{name} cannot: {reason}" for name, reason in reasons.items()}
    return Refused(
        f"The circuit with {task.active.n_qubits} active qubits and {task.shots} shots is over the limits of {limits}: "
        f"{'; '.join([*needs.values(), *cannot.values()])}. Use fewer qubits, fewer layers or fewer shots.",
        {name: {"seconds": e.seconds, "memory_bytes": e.memory_bytes} for name, e in estimates.items()},
    )
