"""The chain as two methods: exact, and with a relative cut on the bonds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from time import perf_counter

import numpy as np

from . import order
from .chain import BEYOND, ROUNDING, Chain, Plan, plan
from .growth import work
from .machine import SECONDS_PER_MULTIPLICATION
from .seeds import Seed, generator
from .tasks import Drawn, Estimate, Means, Method, Task, Weights

CUT = 1e-5
"""Of the largest singular value of a bond. Total variation at 10 qubits is at most 1e-4 with it, in most circuits 1e-5."""

LARGEST_EXACT_BOND = 1300
_USUAL_BOND = 200  # what truncation leaves at most, in most circuits; a guess, for estimates only
FINER = 0.3  # products of a single block are dropped below this fraction of the cut
BYTES = 8
COPIES = 3
SECONDS_PER_PLACE = 3e-4

# In units of one multiplication of a block on a dense tensor, see `machine`.
PER_ENTRY = 26.0  # building the tensors
PER_SHOT_ENTRY = 0.045  # reading one shot: a matrix product, faster than a block
SECONDS_PER_TENSOR = 2e-4  # compressing small bonds


@lru_cache(maxsize=2)
def best_plan(task: Task, cut: float | None) -> Plan:
    """The circuit on the chain whose tensors are the smallest. The last two are kept: first estimated, then run."""
    pairs = [block.qubits for block in task.fused.blocks]
    least = ROUNDING if cut is None else cut * FINER
    plans = [plan(task.fused, task.outputs, tried, least) for tried in order.candidates(task.channels.n_qubits, pairs)]
    return min(plans, key=lambda laid: entries(laid.bonds()))


def entries(bonds: Sequence[float]) -> float:
    """Numbers in all tensors, with two values a place."""
    return sum(2.0 * left * right for left, right in pairwise([1.0, *map(float, bonds), 1.0]))


def _objection(task: Task) -> str | None:
    if task.deferred is None:
        return "it measures before its end or depends on what was measured"
    return None if task.channels.n_qubits else "it reads no qubit"


def _exact_objection(task: Task) -> str | None:
    objection = _objection(task)
    if objection is None and (bond := max(best_plan(task, None).bonds(), default=1.0)) > LARGEST_EXACT_BOND:
        return f"a bond would grow to {bond:.3g}, over {LARGEST_EXACT_BOND}"
    return objection


def _estimate(task: Task, laid: Plan, bonds: Sequence[float]) -> Estimate:
    numbers = entries(bonds)
    work = numbers * (PER_ENTRY + PER_SHOT_ENTRY * task.shots)
    seconds = SECONDS_PER_PLACE * len(laid.order) + work * SECONDS_PER_MULTIPLICATION
    per_shot = task.active.n_bits + 16 + BYTES * max(bonds, default=1.0)
    return Estimate(seconds, 2 * COPIES * BYTES * numbers + task.shots * per_shot)


def _exact_estimate(task: Task) -> Estimate:
    laid = best_plan(task, None)
    return _estimate(task, laid, laid.bonds())


def _cut_estimate(task: Task) -> Estimate:
    """A guess: what truncation leaves is known only afterwards. The run gives way if it takes too long, see `Task`."""
    laid = best_plan(task, CUT)
    bonds, multiplications = guessed(laid)
    guess = _estimate(task, laid, bonds)
    compressing = multiplications * SECONDS_PER_MULTIPLICATION
    compressing += SECONDS_PER_TENSOR * len(laid.batches) * len(laid.order)
    return Estimate(guess.seconds + compressing, guess.memory_bytes)


def guessed(laid: Plan) -> tuple[list[float], float]:
    """The bonds that truncation leaves if each gate multiplies them by its weight, and the work of compressing them."""
    n_bonds = len(laid.order) - 1
    most = np.minimum(4.0 ** np.minimum(np.arange(1, n_bonds + 1), np.arange(n_bonds, 0, -1)), _USUAL_BOND)
    weights, multiplications = np.ones(n_bonds), 0.0
    for batch in laid.batches:
        before = np.minimum(weights, most)
        for gate in batch:
            crossed = slice(*gate.places)
            before[crossed] *= gate.weight
            weights[crossed] *= gate.weight
        np.minimum(weights, BEYOND, out=weights)
        multiplications += work([1.0, *before, 1.0])
    return list(np.minimum(weights, most)), multiplications


def _chain(task: Task, cut: float | None) -> Chain:
    deadline = perf_counter() + task.limits.seconds
    most_entries = task.limits.memory_bytes / (COPIES * BYTES)
    return Chain.of(best_plan(task, cut), cut, most_entries, deadline, task.patience / SECONDS_PER_MULTIPLICATION)


def truncated(task: Task) -> Chain:
    """The state at the end, with the usual cut.

    Raises:
        GaveUp: it does not fit the limits.
    """
    return _chain(task, CUT)


def accuracy(chain: Chain, cut: float | None) -> dict[str, float]:
    found: dict[str, float] = {"largest_bond": max(chain.bonds(), default=1), "trace_error": chain.checked_trace()}
    return found if cut is None else {"cut": cut, **found}


def _sample(task: Task, seed: Seed, cut: float | None) -> Drawn:
    laid, chain = best_plan(task, cut), _chain(task, cut)
    found = accuracy(chain, cut)
    memory = np.zeros((task.shots, task.active.n_bits), np.uint8)
    places = [task.channels.terminal[qubit] for qubit in laid.order if qubit in task.channels.terminal]
    memory[:, places] = chain.sample(task.shots, generator(seed))
    return Drawn(memory, found)


def _expect(task: Task, terms: Sequence[Weights], cut: float | None) -> Means:
    chain = _chain(task, cut)
    place = {qubit: index for index, qubit in enumerate(best_plan(task, cut).order)}
    ahead, behind = chain.ahead(), chain.behind()
    values = [chain.mean({place[q]: weight for q, weight in term.items()}, ahead, behind) for term in terms]
    return Means(np.array(values), accuracy(chain, cut))


EXACT = Method(
    name="chain",
    engine="qumulus",
    objection=_exact_objection,
    estimate=_exact_estimate,
    sample=lambda task, seed: _sample(task, seed, None),
    expect=lambda task, terms: _expect(task, terms, None),
)

TRUNCATED = Method(
    name="chain-cut",
    engine="qumulus",
    objection=_objection,
    estimate=_cut_estimate,
    sample=lambda task, seed: _sample(task, seed, CUT),
    expect=lambda task, terms: _expect(task, terms, CUT),
    approximation=f"singular values below {CUT:g} of the largest are dropped",
    reluctance=5.0,
)
