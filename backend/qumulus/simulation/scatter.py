"""What a number of shots would give where only means are known.

Every reading of a term is 1, -1 or 0, and the shots of a term are drawn with the probabilities that its mean and the mean of its square leave.
Different terms are drawn independently: their covariance would need the mean of every product of two of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .seeds import Seed, generator
from .tasks import Weights
from .transfer import Matrix


def scattered(means: Matrix, terms: Sequence[Weights], shots: int, seed: Seed) -> tuple[Matrix, Matrix]:
    """Means over so many shots, and their covariance; shapes (terms,) and (terms, terms).

    A term that has a projector reads 0 or its sign; of one that has Paulis as well, the sign is taken to be even odds where
    its mean leaves that open.
    """
    squares = np.array([_mean_square(mean, term) for mean, term in zip(means, terms, strict=True)])
    means = np.clip(means, -squares, squares)
    odds = np.stack([(squares + means) / 2, (squares - means) / 2, 1.0 - squares], axis=1).clip(0.0)
    drawn = generator(seed).multinomial(shots, odds / odds.sum(axis=1, keepdims=True))
    found = (drawn[:, 0] - drawn[:, 1]) / shots
    spread = (drawn[:, 0] + drawn[:, 1]) / shots - found**2
    return found, np.diag(spread.clip(0.0) / shots)


def _mean_square(mean: float, term: Weights) -> float:
    """The mean of a term's square: 1 for Paulis, the mean itself for projectors; for both together at most 1."""
    projectors = [bool((weight == 0).any()) for weight in term.values()]
    return abs(mean) if all(projectors) and projectors else 1.0
