"""The twin of a device: what its calibration does not publish, and hardware shows.

Five effects, each with a seed that is the device's, so that a qubit keeps its character:

- **Over-rotation.** A part of each calibrated gate error is coherent: the gate turns too far or not far enough, about X (`x`,
  `sx`, `rx`), ZX (`ecr`, as its cross-resonance pulse) or ZZ (`cz`, `cx`, `rzz`). The gate as a whole keeps its calibrated
  infidelity. Coherent errors add up in amplitude, and twirling turns them into stochastic ones, which add up in
  probability (J. J. Wallman, J. Emerson, Phys. Rev. A 94, 052325, 2016; A. Hashim et al., Phys. Rev. X 11, 041039, 2021).
- **Quasi-static dephasing.** The frequency of a qubit is off by δ, drawn anew only now and then: constant during a circuit and for
  many shots. Averaged, a free qubit dephases with T2* instead of T2; an echo or a decoupling sequence takes it back
  (P. Krantz et al., Appl. Phys. Rev. 6, 021318, 2019, section III). With δ ~ N(0, σ²),

      ⟨X⟩(t) = e^(−t/T2) e^(−σ²t²/2),    1/e at T2*:   σ = √(2 (1 − T2*/T2)) / T2*.

  The average is taken over `REALIZATIONS` draws, between which a job's shots are divided.
- **Always-on ZZ** between neighbours, see `crosstalk`.
- **Correlated readout** of neighbours, see `correlated_readout`.
- **Slow drift.** Devices are calibrated at midnight, UTC; from then on T1 and T2, the errors of gates and those of readouts walk
  away from their calibrated values, in logarithms, by steps of an hour with lines between them (J. Burnett et al., npj
  Quantum Information 5, 54, 2019; T. Proctor et al., Nature Communications 11, 5396, 2020). After a day they are off by
  `DRIFT_OF_TIMES` and `DRIFT_OF_ERRORS`.

`noise.COHERENT_SHARE` and `DEPHASING_RATIO` are not measured on these devices: they are what the sources report for
comparable ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from .devices import DeviceModel
from .seeds import Seed, extend, generator

DEPHASING_RATIO = 0.5
"""T2* in units of T2."""

DRIFT_OF_TIMES, DRIFT_OF_ERRORS = 0.25, 0.15
"""The deviation of the logarithms after a day: of T1 and T2, and of errors."""

REALIZATIONS = 24
_HOURS = 24
_SLOTS_AN_HOUR = 6
_DRIFT = 7
"""What tells the seeds of the drift from those of other things of the device."""

_DETUNINGS = -5
"""The member of a seed's path for the frequencies of the qubits."""


def realizations(model: DeviceModel, seed: Seed) -> list[DeviceModel]:
    """The device with the frequencies of one draw each; the device itself where its frequencies do not drift."""
    noise = model.noise
    if noise is None or not is_twin(model):
        return [model]
    t2 = np.minimum(noise.t2, 2 * noise.t1)
    sigma = np.sqrt(2 * (1 - DEPHASING_RATIO)) / (DEPHASING_RATIO * t2)
    draws = generator(extend(seed, _DETUNINGS)).standard_normal((REALIZATIONS, len(sigma))) * sigma
    return [replace(model, noise=replace(noise, detunings=tuple(draw)), _waits={}) for draw in draws]


def drifted(model: DeviceModel, when: datetime) -> DeviceModel:
    """The device as it is at a time of the day; the device itself where its noise is not that of the twin."""
    if not is_twin(model):
        return model
    day = when.astimezone(UTC)
    return _at(model, day.toordinal(), day.hour * _SLOTS_AN_HOUR + day.minute * _SLOTS_AN_HOUR // 60)


@lru_cache(maxsize=16)
def _at(model: DeviceModel, day: int, slot: int) -> DeviceModel:
    """The device in a slot of ten minutes of a day."""
    noise = model.noise
    if noise is None or slot == 0:
        return model
    n_qubits, gates = len(noise.t1), sorted(noise.gates)
    steps = generator((noise.character, _DRIFT, day)).standard_normal((_HOURS, 2 * n_qubits + len(gates)))
    hour, part = divmod(slot, _SLOTS_AN_HOUR)
    walked = (steps[:hour].sum(axis=0) + steps[hour] * part / _SLOTS_AN_HOUR) / np.sqrt(_HOURS)
    times = np.exp(DRIFT_OF_TIMES * walked[:n_qubits])
    misread = np.exp(DRIFT_OF_ERRORS * walked[n_qubits : 2 * n_qubits])
    errors = np.exp(DRIFT_OF_ERRORS * walked[2 * n_qubits :])
    wrong = (noise.confusion[:, [1, 0], [0, 1]] * misread[:, np.newaxis]).clip(0.0, 1.0)
    confusion = np.array([[1.0 - wrong[:, 0], wrong[:, 1]], [wrong[:, 0], 1.0 - wrong[:, 1]]]).transpose(2, 0, 1)
    changed = replace(
        noise,
        t1=noise.t1 * times,
        t2=noise.t2 * times,
        confusion=confusion,
        gates={
            key: replace(noise.gates[key], error=noise.gates[key].error * float(e))
            for key, e in zip(gates, errors, strict=True)
        },
        _channels={},
    )
    return replace(model, noise=changed, transfers={}, _waits={})


def is_twin(model: DeviceModel) -> bool:
    """Whether the noise of a device is that of its twin."""
    return model.noise is not None and model.noise.coherent_share > 0


def divided(shots: int, parts: int) -> list[int]:
    """Shots divided as evenly as possible."""
    whole, rest = divmod(shots, parts)
    return [whole + (k < rest) for k in range(parts)]


def mean_of(values: Sequence[np.ndarray], covariances: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The mean over the realizations, and its covariance: that of the shots, or the scatter between realizations if that is more."""
    stacked = np.array(values)
    shots = np.array(covariances).sum(axis=0) / len(values) ** 2
    if not shots.any():
        return stacked.mean(axis=0), shots
    between = np.atleast_2d(np.cov(stacked, rowvar=False)) / len(values)
    return stacked.mean(axis=0), np.where(np.trace(between) > np.trace(shots), between, shots)
