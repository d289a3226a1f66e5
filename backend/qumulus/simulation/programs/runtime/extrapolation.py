"""Zero-noise extrapolation: a model is fitted to the means at several noise factors and evaluated at others.

    linear, polynomial_degree_k   Σ c_i x^i
    exponential                   A e^{-b x},  b ≥ 0
    double_exponential            A e^{-b x} + C e^{-d x},  b, d ≥ 0
    fallback                      the mean at the least noise factor

Errors are propagated to first order: a fit also gives how its value changes with each mean that it was fitted to.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Values at some noise factors, and their slopes by the means: shapes (points,) and (points, factors)."""

    values: Vector
    slopes: Vector


def extrapolated(name: str, factors: Vector, means: Vector, errors: Vector, points: Vector) -> Fit:
    """Fit the model ``name`` to means with their standard errors; not-a-number where it does not converge."""
    if name == "fallback":
        slopes = np.zeros((len(points), len(factors)))
        slopes[:, np.argmin(factors)] = 1.0
        return Fit(slopes @ means, slopes)
    weights = 1.0 / errors if (errors > 0).all() else np.ones(len(means))
    if "exponential" in name:
        return _exponential(2 if name.startswith("double") else 1, factors, means, weights, points)
    degree = 1 if name == "linear" else int(name.rpartition("_")[2])
    slopes = _propagated(np.vander(factors, degree + 1), np.vander(points, degree + 1), weights)
    return Fit(slopes @ means, slopes)


def chosen(fits: Sequence[Fit], errors: Sequence[float]) -> int:
    """The first fit whose value at its first point could be the mean of a Pauli string, else the one with the least error.

    A mean lies in [-1, 1]; a value may lie beyond by its standard error, which itself is at most 1.
    """
    for index, (fit, error) in enumerate(zip(fits, errors, strict=True)):
        if np.isfinite(error) and error <= 1.0 and abs(fit.values[0]) <= 1.0 + error:
            return index
    return int(np.argmin(np.nan_to_num(np.asarray(errors), nan=np.inf)))


def _propagated(at_factors: Vector, at_points: Vector, weights: Vector) -> Vector:
    """The slopes of a weighted least-squares fit: the model's derivatives at the points times the fit's pseudo-inverse."""
    return at_points @ np.linalg.pinv(at_factors * weights[:, np.newaxis]) * weights


def _exponential(terms: int, factors: Vector, means: Vector, weights: Vector, points: Vector) -> Fit:
    from scipy.optimize import curve_fit

    def model(x: Vector, *parameters: float) -> Vector:
        amplitudes, rates = np.array(parameters).reshape(2, terms)
        return np.exp(-np.outer(x, rates)) @ amplitudes

    lower = [-np.inf] * terms + [0.0] * terms
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the covariance that it may miss is not used
            found, _ = curve_fit(
                model,
                factors,
                means,
                p0=_start(terms, factors, means),
                sigma=1.0 / weights,
                bounds=(lower, np.inf),
                x_scale="jac",
            )
    except (RuntimeError, ValueError):  # it does not converge
        return Fit(np.full(len(points), np.nan), np.full((len(points), len(factors)), np.nan))
    slopes = _propagated(_derivatives(factors, found, terms), _derivatives(points, found, terms), weights)
    return Fit(model(points, *found), slopes)


def _start(terms: int, factors: Vector, means: Vector) -> list[float]:
    """Where the search begins: a line through the logarithms of the first and last mean."""
    first, last = np.abs(means[[np.argmin(factors), np.argmax(factors)]]).clip(1e-9)
    rate = max(0.0, float(np.log(first / last) / max(np.ptp(factors), 1e-9)))
    amplitude = float(means[np.argmin(factors)]) * np.exp(rate * float(factors.min()))
    return [amplitude / terms] * terms + [rate * (1 + k) + 1e-3 for k in range(terms)]


def _derivatives(x: Vector, parameters: Vector, terms: int) -> Vector:
    """The derivatives of the sum of exponentials by its amplitudes, then by its rates; shape (points, 2 terms)."""
    amplitudes, rates = parameters.reshape(2, terms)
    decays = np.exp(-np.outer(x, rates))
    return np.hstack([decays, -amplitudes * x[:, np.newaxis] * decays])
