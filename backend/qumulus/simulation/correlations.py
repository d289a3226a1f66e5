"""How the terms of an observable scatter together where only means are computed.

Two terms that are read from the same shots have the covariance ⟨a b⟩ − ⟨a⟩⟨b⟩, and the product of their readings is a term of
its own. It is nothing where no noise and no gate has brought their qubits together: the light cones of both, backwards
through the circuit, have no qubit in common, and the qubits begin in a product state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .blocks import Block
from .tasks import Covariance, Task, Weights
from .transfer import Matrix

MOST_TERMS = 400
"""Terms of one observable, at most, of which the correlations are looked at."""

MOST_PAIRS = 2_000
"""Pairs of terms, at most, of which the mean of the product is computed."""

SAMPLED = 150
"""Products, at least, whose means are computed more accurately than those of the others, where there are so many."""

ENOUGH = 0.1
"""By how much the variance of an observable may still move, in units of the variance."""

Pairs = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """The products of pairs of terms, each once: pair k, of shape (2,), has the product ``terms[which[k]]``."""

    pairs: Pairs
    which: NDArray[np.int64]
    terms: Sequence[Weights]

    @property
    def sample(self) -> NDArray[np.int64]:
        """The products by which is judged how far the means of all are from what they would be with more work."""
        return np.arange(0, len(self.terms), max(1, len(self.terms) // SAMPLED))

    def settled(self, task: Task, values: Matrix, now: Covariance, moved: Matrix) -> bool:
        """Whether the variance of no observable would move by more than is `ENOUGH`, if the means of all products moved as those
        of the sample did."""
        sample = self.sample
        for row in task.sums:
            size = np.zeros(len(values))
            size[list(row)] = list(row.values())
            both = 2.0 * size[self.pairs].prod(axis=1)
            variance = float(size**2 @ (1.0 - values**2) + both @ now.values)
            each = np.bincount(self.which, both, len(self.terms))
            if abs(float(each[sample] @ moved)) * len(self.terms) / len(sample) > ENOUGH * abs(variance):
                return False
        return True

    def covariance(self, values: Matrix, means: Matrix) -> Covariance:
        """The covariances in one shot, by the means of the terms and of the products."""
        first, second = self.pairs.T
        return Covariance(self.pairs, means[self.which] - values[first] * values[second])


def products(task: Task, terms: Sequence[Weights], blocks: Sequence[Block]) -> Products | None:
    """The products that the variances of a task's sums need; None where they are too many. Those that are certain to be
    uncorrelated are left out."""
    if any(len(row) > MOST_TERMS for row in task.sums):
        return None
    cones = light_cones(terms, blocks, task.channels.n_qubits)
    asked = dict.fromkeys(pair for row in task.sums for pair in combinations(sorted(row), 2))
    pairs = np.array([pair for pair in asked if (cones[pair[0]] & cones[pair[1]]).any()], np.int64).reshape(-1, 2)
    if len(pairs) > MOST_PAIRS:
        return None
    found, which = dict[tuple[tuple[int, float, float], ...], int](), list[int]()
    for first, second in pairs.tolist():
        both = _product(terms[first], terms[second])
        key = tuple((qubit, *weight.tolist()) for qubit, weight in sorted(both.items()))
        which.append(found.setdefault(key, len(found)))
    different = [{qubit: np.array(weight) for qubit, *weight in key} for key in found]
    return Products(pairs, np.array(which, np.int64), different)


def light_cones(terms: Sequence[Weights], blocks: Sequence[Block], n_qubits: int) -> NDArray[np.bool_]:
    """The qubits on whose beginning each term depends; shape (terms, qubits)."""
    cones = np.zeros((len(terms), n_qubits), bool)
    for cone, term in zip(cones, terms, strict=True):
        cone[list(term)] = True
    columns = np.ascontiguousarray(cones.T)
    for block in reversed(blocks):
        first, second = block.qubits
        columns[first] |= columns[second]
        columns[second] = columns[first]
    return columns.T


def _product(first: Weights, second: Weights) -> dict[int, Matrix]:
    """The product of two readings, without the qubits of which nothing is left: a sign times itself."""
    both = dict(first)
    for qubit, weight in second.items():
        both[qubit] = both[qubit] * weight if qubit in both else weight
    return {qubit: weight for qubit, weight in both.items() if (weight != 1.0).any()}
