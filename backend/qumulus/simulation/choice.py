"""Which method runs a circuit: the table, and the one that the estimates favour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from . import aer, branches, dense, ideal
from .errors import ProgramError, Refused
from .seeds import Seed
from .tasks import Drawn, Estimate, Method, Task, Weights
from .transfer import Matrix

METHODS: Mapping[str, Method] = {
    module.METHOD.name: module.METHOD
    for module in (
        dense,  # static circuits: exact
        branches,  # dynamic circuits: exact
        ideal,  # no noise: Aer
        aer,  # noise shot by shot: exact, for what is left
    )
}
"""All methods by their names; of equally good ones the first is taken."""

AUTO, EXACT = "auto", "exact"
_ENGINES = {"qumulus": f"qumulus {version('qumulus')}"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A method for a task, with its estimate."""

    method: Method
    task: Task
    estimate: Estimate

    def sample(self, seed: Seed) -> tuple[Drawn, dict[str, Any]]:
        """The shots, and what the result has to say of how they came about."""
        drawn = self.method.sample(self.task, seed)
        return drawn, self._metadata(drawn.accuracy)

    def expect(self, terms: Sequence[Weights]) -> tuple[Matrix, dict[str, Any]]:
        """The exact means of terms, and what the result has to say of how they came about."""
        if self.method.expect is None:
            raise ProgramError(f"The method {self.method.name!r} draws shots only: ask for a number of shots.")
        means = self.method.expect(self.task, terms)
        return means.values, self._metadata(means.accuracy)

    def _metadata(self, accuracy: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "method": self.method.name,
            "engine": _ENGINES.get(self.method.engine, self.method.engine),
            "approximation": self.method.approximation,
            "accuracy": dict(accuracy),
        }


def choose(task: Task, method: str = AUTO, *, exact_values: bool = False) -> Chosen:
    """The method for a task: the named one, or of all that can and may the one with the least time by its estimate.

    Methods that approximate count as slower by their reluctance. ``exact_values`` leaves only those that give means
    without shots.

    Raises:
        ProgramError: no method has that name, or the named one cannot do this circuit.
        Refused: all that can are over the limits; the estimates of all are in the message.
    """
    if method not in {*METHODS, AUTO, EXACT}:
        raise ProgramError(
            f"There is no simulation method {method!r}: choose one of {', '.join([AUTO, EXACT, *METHODS])}."
        )
    named = METHODS.get(method)
    candidates = [named] if named else [m for m in METHODS.values() if method == AUTO or m.approximation is None]
    objections = {m.name: objection for m in candidates if (objection := _objection(m, task, exact_values))}
    if named and objections:
        raise ProgramError(f"The method {method!r} cannot simulate this circuit: {objections[method]}.")
    estimates = {m.name: m.estimate(task) for m in candidates if m.name not in objections}
    allowed = {name: e for name, e in estimates.items() if _within(e, task)}
    if not allowed:
        raise Refused(_refusal(task, estimates), {name: [e.seconds, e.memory_bytes] for name, e in estimates.items()})
    best = min(allowed, key=lambda name: allowed[name].seconds * METHODS[name].reluctance)
    return Chosen(METHODS[best], task, allowed[best])


def _objection(method: Method, task: Task, exact_values: bool) -> str | None:
    if exact_values and method.expect is None:
        return "it draws shots only: ask for a number of shots"
    return method.objection(task)


def _within(estimate: Estimate, task: Task) -> bool:
    return estimate.seconds <= task.limits.seconds and estimate.memory_bytes <= task.limits.memory_bytes


def _refusal(task: Task, estimates: Mapping[str, Estimate]) -> str:
    limits = Estimate(task.limits.seconds, task.limits.memory_bytes)
    figures = "; ".join(f"{name} needs {estimate}" for name, estimate in estimates.items())
    return (
        f"The circuit with {task.active.n_qubits} active qubits and {task.shots} shots is over the limits of {limits}: "
        f"{figures}. Use fewer qubits, fewer layers or fewer shots."
    )
