"""Shots and means of a device whose frequencies drift: a part of them from each of several draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit

from qumulus.core.clock import SystemClock
from qumulus.core.programs import Limits, Program

from .correlated_readout import misread
from .crosstalk import with_crosstalk
from .devices import DeviceModel, device_model
from .expectation import Measured, Observable, expectation, measure_terms, terms_of
from .iq import with_ideal_readout
from .meter import meter
from .sampling import Samples, sample, sample_sweep
from .seeds import Seed, extend
from .steps import Binding
from .twin import divided, drifted, is_twin, mean_of, realizations


def device_now(program: Program) -> DeviceModel:
    """The device that a program runs on, as it is now; in a cloud that repeats itself nothing drifts."""
    model = device_model(program.device, program.calibration, program.noise)
    return model if meter().repeatable else drifted(model, program.clock.at(SystemClock().wall()))


def shots_of(circuit: QuantumCircuit, model: DeviceModel, *, shots: int, seed: Seed, limits: Limits) -> Samples:
    """As `sample`, and on a twin all that it shows."""
    if not is_twin(model):
        return sample(circuit, model, shots=shots, seed=seed, limits=limits)
    (found,) = sampled(with_crosstalk(circuit, model), model, [{}], shots=shots, seed=seed, limits=limits)
    return found


def mean_of_terms(
    circuit: QuantumCircuit,
    observable: Observable,
    model: DeviceModel,
    *,
    shots: int | None,
    seed: Seed,
    limits: Limits,
) -> tuple[float, float, Mapping[str, Any]]:
    """As `expectation`, and on a twin all that it shows: the value of one observable, its standard error, and how it came about."""
    if not is_twin(model):
        known = expectation(circuit, [observable], model, shots=shots, seed=seed, limits=limits)
        return float(known.values[0]), float(known.standard_errors[0]), known.metadata
    terms = terms_of(observable, circuit.num_qubits)
    cases = [({}, [terms])]
    (found,) = measured(with_crosstalk(circuit, model), cases, model, shots=shots, seed=seed, limits=limits)
    value, variance = terms.get((), 0.0), 0.0
    for group in found.groups:
        coefficients = np.array([terms[letters] for letters in group.terms])
        value += float(coefficients @ group.means)
        variance += float(coefficients @ group.covariance @ coefficients)
    return value, float(np.sqrt(max(variance, 0.0))), found.metadata


def sampled(
    circuit: QuantumCircuit,
    model: DeviceModel,
    bindings: Sequence[Binding],
    *,
    shots: int,
    seed: Seed,
    alike: int = 1,
    **settings: Any,
) -> list[Samples]:
    """As `sample_sweep`, with the shots of one draw after those of the other, and readings that are wrong together.

    In a dynamic circuit what is read steers what follows, and readings are wrong independently.
    """
    models = realizations(model, seed)
    if len(models) == 1:
        return sample_sweep(circuit, model, bindings, shots=shots, seed=seed, alike=alike, **settings)
    together = not any(line.is_control_flow() or line.name == "store" for line in circuit.data)
    if together:
        models = [with_ideal_readout(each) for each in models]
    parts = [
        sample_sweep(
            circuit, drawn, bindings, shots=number, seed=extend(seed, r), alike=alike * (len(models) - r), **settings
        )
        for r, (drawn, number) in enumerate(zip(models, divided(shots, len(models)), strict=True))
    ]
    found = [_joined(of_one) for of_one in zip(*parts, strict=True)]
    if not together:
        return found
    return [replace(each, bits=misread(each.bits, circuit, model, extend(seed, k))) for k, each in enumerate(found)]


def _joined(parts: Sequence[Samples]) -> Samples:
    bits = {name: np.concatenate([part.bits[name] for part in parts]) for name in parts[0].bits}
    return Samples(sum(part.shots for part in parts), bits, _metadata([part.metadata for part in parts]))


def measured(
    circuit: QuantumCircuit, cases: Sequence[Any], model: DeviceModel, *, shots: int | None, seed: Seed, **settings: Any
) -> list[Measured]:
    """As `measure_terms`, as the mean over the draws."""
    models = realizations(model, seed)
    if len(models) == 1:
        return measure_terms(circuit, cases, model, shots=shots, seed=seed, **settings)
    numbers = [None] * len(models) if shots is None else [max(1, n) for n in divided(shots, len(models))]
    parts = [
        measure_terms(circuit, cases, drawn, shots=number, seed=extend(seed, r), **settings)
        for r, (drawn, number) in enumerate(zip(models, numbers, strict=True))
    ]
    return [_mean(of_one) for of_one in zip(*parts, strict=True)]


def _mean(parts: Sequence[Measured]) -> Measured:
    groups = []
    for same in zip(*(part.groups for part in parts), strict=True):
        means, covariance = mean_of([group.means for group in same], [group.covariance for group in same])
        groups.append(replace(same[0], means=means, covariance=covariance))
    return replace(parts[0], groups=groups, metadata=_metadata([part.metadata for part in parts]))


def _metadata(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of the first draw, with the time of all."""
    return {**parts[0], "seconds": sum(part.get("seconds", 0.0) for part in parts)}
