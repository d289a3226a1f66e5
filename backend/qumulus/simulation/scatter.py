"""What a number of shots would give where only means are known.

Every reading of a term is 1, -1 or 0, and the shots of a term are drawn with the probabilities that its mean and the mean of its square leave.
Terms that are known to be correlated are drawn together, as the normal variables that so many shots add up to. Others are
drawn independently.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .seeds import Seed, extend, generator
from .tasks import Covariance, Weights
from .transfer import Matrix

_TOGETHER = -1
"""The member of a seed's path for the terms that are drawn together."""

_LEAST_VARIANCE = 1e-12


def scattered(
    means: Matrix, terms: Sequence[Weights], shots: int, seed: Seed, covariance: Covariance | None = None
) -> tuple[Matrix, Matrix]:
    """Means over so many shots, and their covariance; shapes (terms,) and (terms, terms).

    A term that has a projector reads 0 or its sign; of one that has Paulis as well, the sign is taken to be even odds where
    its mean leaves that open. ``covariance`` is that of the terms in one shot.
    """
    squares = np.array([_mean_square(mean, term) for mean, term in zip(means, terms, strict=True)])
    means = np.clip(means, -squares, squares)
    odds = np.stack([(squares + means) / 2, (squares - means) / 2, 1.0 - squares], axis=1).clip(0.0)
    drawn = generator(seed).multinomial(shots, odds / odds.sum(axis=1, keepdims=True))
    found = (drawn[:, 0] - drawn[:, 1]) / shots
    spread = ((drawn[:, 0] + drawn[:, 1]) / shots - found**2).clip(0.0)
    if covariance is None or not len(covariance.pairs):
        return found, np.diag(spread / shots)
    deviations = np.sqrt((squares - means**2).clip(0.0))
    members, correlation = _correlation(covariance, deviations)
    normal = _root(correlation) @ generator(extend(seed, _TOGETHER)).standard_normal(len(members))
    drawn_together = np.rint(shots * means[members] + np.sqrt(shots) * deviations[members] * normal) / shots
    found[members] = np.clip(drawn_together, -squares[members], squares[members])
    certain = np.array([_projects(terms[member]) for member in members])
    spread[members] = (np.where(certain, np.abs(found[members]), squares[members]) - found[members] ** 2).clip(0.0)
    whole = np.diag(spread / shots)
    size = np.sqrt(spread[members] / shots)
    whole[np.ix_(members, members)] = correlation * np.outer(size, size)
    return found, whole


def _correlation(covariance: Covariance, deviations: Matrix) -> tuple[NDArray[np.int64], Matrix]:
    """The terms that have a partner, and the matrix of their correlations, made one that can be."""
    members, places = np.unique(covariance.pairs, return_inverse=True)
    first, second = places.reshape(-1, 2).T
    size = deviations[members]
    scale = size[first] * size[second]
    values = np.divide(covariance.values, scale, out=np.zeros_like(scale), where=scale > _LEAST_VARIANCE).clip(
        -1.0, 1.0
    )
    matrix = np.eye(len(members))
    matrix[first, second] = matrix[second, first] = values
    eigenvalues, vectors = np.linalg.eigh(matrix)
    if eigenvalues[0] >= 0.0:
        return members, matrix
    matrix = (vectors * eigenvalues.clip(0.0)) @ vectors.T
    own = np.sqrt(np.diag(matrix))
    return members, matrix / np.outer(own, own)


def _root(matrix: Matrix) -> Matrix:
    """A matrix whose product with its own transpose is the given one."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    root: Matrix = vectors * np.sqrt(eigenvalues.clip(0.0))
    return root


def _mean_square(mean: float, term: Weights) -> float:
    """The mean of a term's square: 1 for Paulis, the mean itself for projectors; for both together at most 1."""
    return abs(mean) if _projects(term) else 1.0


def _projects(term: Weights) -> bool:
    """Whether a term has projectors only."""
    return bool(term) and all(bool((weight == 0).any()) for weight in term.values())
