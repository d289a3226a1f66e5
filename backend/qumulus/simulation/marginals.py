"""Shots where no method gives their distribution in time: with the right one- and two-qubit marginals.

The noise of deep wide circuits kills correlations of many qubits first. `pauli` gives the mean of Z of each measured qubit and of ZZ of
each pair that shares a gate, readout errors included, and bits are drawn that have them (see `copula`); of few qubits all
pairs are kept. What more than two qubits have in common, and distant pairs, is only what follows from these.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from . import pauli
from .copula import Copula
from .seeds import Seed, generator
from .tasks import Drawn, Estimate, Method, Task, Weights

MOST_COMPLETE = 20
"""Measured qubits of which all pairs are kept."""

_SIGN = np.array([1.0, -1.0])


def _pairs(task: Task, measured: list[int]) -> list[tuple[int, int]]:
    if len(measured) <= MOST_COMPLETE:
        return list(combinations(measured, 2))
    readable = set(measured)
    found = dict.fromkeys(tuple(sorted(block.qubits)) for block in task.fused.blocks)
    return [(a, b) for a, b in found if a in readable and b in readable]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Bits with the marginals of a circuit: those of the qubits ``measured``, in the order of the columns."""

    measured: list[int]
    passes: pauli.Passes
    copula: Copula

    @classmethod
    def of(cls, task: Task) -> Model:
        """The model of a task, as accurate as its budget lets it be."""
        measured = list(task.channels.terminal)
        pairs = _pairs(task, measured)
        terms: list[Weights] = [{qubit: _SIGN} for qubit in measured]
        terms += [dict.fromkeys(pair, _SIGN) for pair in pairs]
        passes = pauli.Passes(task, terms)
        of_pairs = dict.fromkeys(range(len(measured), len(terms)), 1.0)  # a cost, such as that of a QAOA, adds them up
        pauli.refine_sums(passes, [of_pairs], task.budget_of_approximation())
        values = passes.values.clip(-1.0, 1.0)
        place = {qubit: index for index, qubit in enumerate(measured)}
        where = np.array([[place[a], place[b]] for a, b in pairs], np.int64).reshape(-1, 2)
        return cls(measured, passes, Copula(values[: len(measured)], where, values[len(measured) :]))

    def accuracy(self) -> dict[str, float | str]:
        """How far the means of Z and of ZZ may be off, and what is left out."""
        deviation = float(np.abs(self.copula.deviations).max(initial=0.0))
        return {
            "error_estimate": float(self.passes.errors.max(initial=0.0)) + deviation,
            "error_bound": float(self.passes.bounds.max(initial=0.0)) + deviation,
            "marginals": len(self.measured),
            "pairs": len(self.copula.pairs),
            "threshold": self.passes.threshold,
            "warning": "only one- and two-qubit marginals are those of the device, and nothing that more qubits have in common; "
            'ask for experimental={"simulation_method": "exact"} to have such circuits refused',
        }


def _sample(task: Task, seed: Seed) -> Drawn:
    model = Model.of(task)
    memory = np.zeros((task.shots, task.active.n_bits), np.uint8)
    memory[:, list(task.channels.terminal.values())] = model.copula.draw(task.shots, generator(seed))
    return Drawn(memory, model.accuracy())


def _objection(task: Task) -> str | None:
    objection = pauli.objection(task)
    return objection or (None if task.channels.terminal else "it reads no qubit")


METHOD = Method(
    name="marginals",
    engine="qumulus",
    objection=_objection,
    estimate=lambda task: Estimate(task.budget_of_approximation(), pauli.MEMORY_BYTES),
    sample=_sample,
    approximation="shots have the one-qubit marginals and those of pairs that share a gate, nothing more",
    always_answers=True,
)
