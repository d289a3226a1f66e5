"""The twin of a device: what its calibration does not publish, and hardware shows.

Three effects, each with a seed that is the device's, so that a qubit keeps its character:

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

`noise.COHERENT_SHARE` and `DEPHASING_RATIO` are not measured on these devices: they are what the sources report for
comparable ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .devices import DeviceModel
from .seeds import Seed, extend, generator

DEPHASING_RATIO = 0.5
"""T2* in units of T2."""

REALIZATIONS = 24
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
