"""From the means of single terms to expectation values with their standard errors.

Every reported value is a function of the means y[f, t] of the terms t at the noise factors f, each divided by the readout
factor λ[t]. Its standard error follows to first order from its slopes W[f, t]: the covariances of the terms that one
measurement reads, and the scatter of the calibration that λ comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qumulus.simulation.expectation import Letters, Measured

from .extrapolation import Fit, chosen, extrapolated
from .observables import Terms
from .readout import Calibration
from .resilience import Extrapolation

Vector = NDArray[np.float64]

_DIRECT = ("evs", "stds", "ensemble_standard_error")
"""What is told of each expectation value."""

_AT_FACTORS = ("evs_noise_factors", "stds_noise_factors", "ensemble_stds_noise_factors")
_EXTRAPOLATED = ("evs_extrapolated", "stds_extrapolated")
"""What is told beside them of one that is extrapolated."""


@dataclass(frozen=True, eq=False)
class Means:
    """The means of all terms for one set of parameter values; ``measured`` has one member a noise factor."""

    measured: Sequence[Measured]
    calibration: Calibration | None

    @cached_property
    def terms(self) -> list[Letters]:
        """The terms, by the groups that were measured together, which are the same at each noise factor."""
        return [letters for group in self.measured[0].groups for letters in group.terms]

    @cached_property
    def readout(self) -> Vector:
        """The factor λ of each term; shape (terms,)."""
        return np.ones(len(self.terms)) if self.calibration is None else self.calibration.factors(self.terms)

    @cached_property
    def values(self) -> Vector:
        """The mitigated means; shape (factors, terms)."""
        raw = [np.concatenate([group.means for group in found.groups] or [np.zeros(0)]) for found in self.measured]
        return np.array(raw) / self.readout

    @cached_property
    def errors(self) -> Vector:
        """The standard errors of the mitigated means by the shots alone; shape (factors, terms)."""
        variances = [
            np.concatenate([np.diag(group.covariance) for group in found.groups] or [np.zeros(0)])
            for found in self.measured
        ]
        return np.sqrt(np.array(variances).clip(0.0)) / np.abs(self.readout)

    def error(self, slopes: Vector) -> float:
        """The standard error of a value with these slopes by the mitigated means; shape (factors, terms)."""
        variance = 0.0
        for found, row in zip(self.measured, slopes / self.readout, strict=True):
            start = 0
            for group in found.groups:
                part = row[start : start + len(group.terms)]
                variance += float(part @ group.covariance @ part)
                start += len(group.terms)
        if self.calibration is not None:
            variance += self.calibration.variance(self.terms, -(slopes * self.values).sum(axis=0) / self.readout)
        return float(np.sqrt(max(variance, 0.0))) if np.isfinite(variance) else float("nan")

    def coefficients(self, observable: Terms) -> Vector:
        """The coefficients of an observable for all terms; shape (terms,)."""
        return np.array([observable.get(letters, 0.0) for letters in self.terms])


def direct(means: Means, observable: Terms) -> Mapping[str, Vector]:
    """The expectation value at the device's own noise, with its standard error."""
    slopes = means.coefficients(observable)[np.newaxis]
    value = observable.get((), 0.0) + float((slopes * means.values).sum())
    error = means.error(slopes)
    return _arrays(evs=value, stds=error, ensemble_standard_error=error)


def at_random(
    observable: Terms, precision: float, zne: Extrapolation | None, random: np.random.Generator
) -> Mapping[str, Vector]:
    """Values within the bounds of an observable, in the fields that `direct` has, or under ``zne`` those of `at_zero_noise`."""
    bound = sum(map(abs, observable.values()))
    fields = {"evs": (), **dict.fromkeys(_DIRECT[1:], ())}
    if zne is not None:
        factors, fits = (len(zne.factors),), (len(zne.extrapolators), len(zne.points))
        fields = {"evs": (), "stds": (), **dict.fromkeys(_AT_FACTORS, factors), **dict.fromkeys(_EXTRAPOLATED, fits)}
    return {
        name: np.asarray(random.uniform(-bound, bound, shape)) if name.startswith("evs") else np.full(shape, precision)
        for name, shape in fields.items()
    }


def at_zero_noise(
    means: Means, observable: Terms, zne: Extrapolation, fits: Sequence[Sequence[Fit]], best: Sequence[int]
) -> Mapping[str, Vector]:
    """The extrapolated expectation value, and what it was extrapolated from; ``fits`` and ``best`` as `fitted` gives them."""
    constant, coefficients = observable.get((), 0.0), means.coefficients(observable)
    factors = range(len(zne.factors))
    raw = [constant + float(coefficients @ means.values[f]) for f in factors]
    raw_errors = [means.error(np.outer(np.arange(len(zne.factors)) == f, coefficients)) for f in factors]
    value, error = _sum(means, constant, coefficients, [fits[t][e] for t, e in enumerate(best)], 0)
    forced = [
        [_sum(means, constant, coefficients, [of_term[e] for of_term in fits], p + 1) for p in range(len(zne.points))]
        for e in range(len(zne.extrapolators))
    ]
    return _arrays(
        evs=value,
        stds=error,
        evs_noise_factors=raw,
        stds_noise_factors=raw_errors,
        ensemble_stds_noise_factors=raw_errors,
        evs_extrapolated=[[found for found, _ in row] for row in forced],
        stds_extrapolated=[[found for _, found in row] for row in forced],
    )


def fitted(means: Means, zne: Extrapolation) -> tuple[list[list[Fit]], list[int]]:
    """The fits of each term by each extrapolator, at zero noise and then at the points; and which one is taken."""
    factors, points = np.array(zne.factors), np.array([0.0, *zne.points])
    fits, best = [], []
    for t in range(len(means.terms)):
        of_term = [
            extrapolated(name, factors, means.values[:, t], means.errors[:, t], points) for name in zne.extrapolators
        ]
        errors = [float(np.sqrt((fit.slopes[0] ** 2) @ (means.errors[:, t] ** 2))) for fit in of_term]
        fits.append(of_term)
        best.append(chosen(of_term, errors))
    return fits, best


def _sum(means: Means, constant: float, coefficients: Vector, fits: Sequence[Fit], point: int) -> tuple[float, float]:
    """The observable at one point of the fits of its terms, with its standard error."""
    used = np.flatnonzero(coefficients)
    slopes = np.zeros_like(means.values)
    value = constant
    for t in used:
        value += coefficients[t] * float(fits[t].values[point])
        slopes[:, t] = coefficients[t] * fits[t].slopes[point]
    return value, means.error(slopes)


def _arrays(**values: float | Sequence[object]) -> Mapping[str, Vector]:
    return {name: np.asarray(value, float) for name, value in values.items()}


def stacked(elements: Sequence[Mapping[str, Vector]], shape: tuple[int, ...]) -> Iterator[tuple[str, Vector]]:
    """The fields of all elements as arrays of the pub's shape, their own axes last; empty ones where the pub has no elements."""
    if not elements:
        yield from ((name, np.zeros(shape)) for name in _DIRECT)
        return
    for name in elements[0]:
        own = elements[0][name].shape
        yield name, np.stack([element[name] for element in elements]).reshape((*shape, *own))
