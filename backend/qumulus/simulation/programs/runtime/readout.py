"""Readout mitigation by twirled readout error extinction (TREX).

With twirled measurements the mean of a Pauli string P is scaled by a factor λ_P that the state does not change: the mean
of P's reading when every qubit is in 0. A calibration measures λ_P, and the mitigated mean is the quotient of both
(E. van den Berg, Z. Minev, K. Temme, Phys. Rev. A 105, 032620, 2022).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.expectation import Letters
from qumulus.simulation.seeds import Seed, generator


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What a calibration read with all qubits in 0: for each shot and qubit 1 or -1, or the exact means without shots."""

    column: dict[int, int]
    means: NDArray[np.float64]  # (qubits,)
    readings: NDArray[np.int8] | None  # (shots, qubits)

    def factors(self, terms: Sequence[Letters]) -> NDArray[np.float64]:
        """The factor λ of each term."""
        if self.readings is None:
            return np.array([self.means[self._columns(letters)].prod() for letters in terms])
        return np.array([self._parity(self.readings, letters).mean() for letters in terms])

    def variance(self, terms: Sequence[Letters], slopes: NDArray[np.float64]) -> float:
        """The variance that the calibration's shots give to a value that depends on the factors with these slopes."""
        if self.readings is None:
            return 0.0
        shots = np.zeros(len(self.readings))
        for letters, slope in zip(terms, slopes, strict=True):
            if slope:
                shots += slope * self._parity(self.readings, letters)
        return float(shots.var() / len(shots))

    def _parity(self, readings: NDArray[np.int8], letters: Letters) -> NDArray[np.int8]:
        return readings[:, self._columns(letters)].prod(axis=1, dtype=np.int8)

    def _columns(self, letters: Letters) -> list[int]:
        return [self.column[qubit] for qubit, _ in letters]


def calibrated(model: DeviceModel, qubits: Iterable[int], *, shots: int | None, seed: Seed) -> Calibration:
    """Measure qubits in 0 on a device whose measurements are twirled; None for exact factors."""
    measured = list(qubits)
    means = np.array([_mean(model, qubit) for qubit in measured])
    readings = None
    if shots is not None:
        flipped = generator(seed).random((shots, len(measured))) > (1 + means) / 2
        readings = np.where(flipped, np.int8(-1), np.int8(1))
    return Calibration({qubit: column for column, qubit in enumerate(measured)}, means, readings)


def _mean(model: DeviceModel, qubit: int) -> float:
    """The mean of Z's reading in the state 0: the error before the measurement, then the twirled confusion."""
    if model.noise is None:
        return 1.0
    confusion = model.noise.confusion[qubit]
    error = model.error("measure", (qubit,))
    return float(confusion[0, 0] - confusion[1, 0]) * (1.0 if error is None else float(error[3, 3]))
