"""Shots where no method gives their distribution in time: with the right one- and two-qubit marginals.

The noise of deep wide circuits kills correlations of many qubits first. `pauli` gives the mean of Z of each measured qubit and of ZZ of
each pair that shares a gate, readout errors included, and bits are drawn that have them (see `copula`); of few qubits all
pairs are kept. What more than two qubits have in common, and distant pairs, is only what follows from these.
"""

from __future__ import annotations

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


def _sample(task: Task, seed: Seed) -> Drawn:
    measured = list(task.channels.terminal)
    pairs = _pairs(task, measured)
    terms: list[Weights] = [{qubit: _SIGN} for qubit in measured]
    terms += [dict.fromkeys(pair, _SIGN) for pair in pairs]
    passes = pauli.Passes(task, terms)
    passes.refine(pauli.tolerance(task), task.budget_of_approximation())
    values = passes.values.clip(-1.0, 1.0)
    place = {qubit: index for index, qubit in enumerate(measured)}
    where = np.array([[place[a], place[b]] for a, b in pairs], np.int64).reshape(-1, 2)
    copula = Copula(values[: len(measured)], where, values[len(measured) :])
    memory = np.zeros((task.shots, task.active.n_bits), np.uint8)
    memory[:, list(task.channels.terminal.values())] = copula.draw(task.shots, generator(seed))
    accuracy = {
        "error_estimate": float(passes.errors.max(initial=0.0) + np.abs(copula.deviations).max(initial=0.0)),
        "marginals": len(measured),
        "pairs": len(pairs),
        "threshold": passes.threshold,
        "warning": "only one- and two-qubit marginals are those of the device, and nothing that more qubits have in common; "
        'ask for experimental={"simulation_method": "exact"} to have such circuits refused',
    }
    return Drawn(memory, accuracy)


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
