"""Bits with given means and pairwise correlations: signs of correlated normal variables.

The model is the dichotomised Gaussian (L. Emrich, M. Piedmonte, The American Statistician 45, 302, 1991; J. Macke et al.,
Neural Computation 21, 397, 2009): bit i is 1 where a standard normal variable exceeds the quantile of its mean, and each pair's
correlation is chosen so that the pair's probabilities are the given ones. Between pairs for which nothing is given, the
variables are independent given their neighbours: of all matrices with the given entries the one with the largest
determinant (A. Dempster, Biometrics 28, 157, 1972).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from .transfer import Matrix

Pairs = NDArray[np.int64]

_LARGEST = 0.9999  # correlation
_HALVINGS = 40
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_SWEEPS = 60
_ENOUGH = 1e-7
_LEAST_EIGENVALUE = 1e-9
_SHRINKS = 12


def both_below(first: Matrix, second: Matrix, correlation: Matrix) -> Matrix:
    """P(X < h, Y < k) of standard normal variables with a correlation, element by element.

    By Plackett's formula, the integral over the angle whose sine the correlation is (A. Genz, Statistics and Computing 14,
    251, 2004).
    """
    end = np.arcsin(correlation)[..., np.newaxis]
    angle = end * (1.0 + _NODES) / 2.0
    h, k = first[..., np.newaxis], second[..., np.newaxis]
    sine, cosine = np.sin(angle), np.cos(angle)
    integrand = np.exp(-(h * h + k * k - 2.0 * h * k * sine) / (2.0 * cosine * cosine))
    return ndtr(first) * ndtr(second) + (integrand * end / 2.0) @ _WEIGHTS / (2.0 * np.pi)


def correlations(first: Matrix, second: Matrix, both: Matrix) -> Matrix:
    """The correlation with which both are below their thresholds with a given probability; by halving."""
    low, high = np.full(first.shape, -_LARGEST), np.full(first.shape, _LARGEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        less = both_below(first, second, middle) < both
        low, high = np.where(less, middle, low), np.where(less, high, middle)
    return (low + high) / 2.0


class Copula:
    """Normal variables whose signs have the means ``means`` in [-1, 1] and the means of products ``products`` of ``pairs``.

    ``means`` has shape (bits,), ``pairs`` (pairs, 2) and ``products`` (pairs,). A bit is 0 where its sign is +1.
    ``correlation`` is what came of it; where no matrix has all that is asked for, all correlations are shrunk alike.
    """

    def __init__(self, means: Matrix, pairs: Pairs, products: Matrix) -> None:
        self.pairs = pairs
        zero = ((1.0 + means) / 2.0).clip(1e-12, 1.0 - 1e-12)
        self.thresholds = ndtri(zero)
        first, second = self.thresholds[pairs[:, 0]], self.thresholds[pairs[:, 1]]
        both = (1.0 + means[pairs[:, 0]] + means[pairs[:, 1]] + products) / 4.0
        wanted = correlations(first, second, both)
        self.correlation = completed(len(means), pairs, wanted)
        reached = both_below(first, second, self.correlation[pairs[:, 0], pairs[:, 1]].clip(-_LARGEST, _LARGEST))
        self.deviations = 4.0 * (reached - both)
        """By how much the mean of each pair's product is off; shape (pairs,)."""

    def draw(self, shots: int, generator: np.random.Generator) -> NDArray[np.uint8]:
        """Bits of shape (shots, bits)."""
        values, vectors = np.linalg.eigh(self.correlation)
        factor = vectors * np.sqrt(values.clip(0.0))
        drawn = np.empty((shots, len(values)), np.uint8)
        for start in range(0, shots, _ROWS):
            rows = drawn[start : start + _ROWS]
            np.greater(generator.standard_normal(rows.shape) @ factor.T, self.thresholds, out=rows, casting="unsafe")
        return drawn


_ROWS = 8192  # of normal variables in memory at once


def completed(size: int, pairs: Pairs, wanted: Matrix) -> Matrix:
    """The correlation matrix with the wanted entries and the largest determinant, the entries shrunk until there is one."""
    for shrink in range(_SHRINKS):
        found = _largest_determinant(size, pairs, wanted * 0.97**shrink)
        if np.linalg.eigvalsh(found)[0] > _LEAST_EIGENVALUE:
            return found
    values, vectors = np.linalg.eigh(found)
    projected = (vectors * values.clip(_LEAST_EIGENVALUE)) @ vectors.T
    scale = 1.0 / np.sqrt(np.diag(projected))
    return projected * scale * scale[:, np.newaxis]


def _largest_determinant(size: int, pairs: Pairs, wanted: Matrix) -> Matrix:
    """By regression of each variable on its neighbours in turn (Hastie, Tibshirani, Friedman, algorithm 17.1)."""
    neighbours = [list[int]() for _ in range(size)]
    given = np.eye(size)
    for (first, second), value in zip(pairs.tolist(), wanted.tolist(), strict=True):
        neighbours[first].append(second)
        neighbours[second].append(first)
        given[first, second] = given[second, first] = value
    found = given.copy()
    for _ in range(_SWEEPS):
        moved = 0.0
        for node, near in enumerate(neighbours):
            if not near:
                continue
            weights = np.linalg.lstsq(found[np.ix_(near, near)], given[node, near], rcond=1e-10)[0]
            column = found[:, near] @ weights
            column[near], column[node] = given[node, near], 1.0
            moved = max(moved, float(np.abs(column - found[node]).max()))
            found[node, :] = found[:, node] = column
        if moved < _ENOUGH:
            break
    return found
