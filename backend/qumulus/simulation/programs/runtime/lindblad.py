"""Pauli-Lindblad rates of a device's own noise.

A Pauli channel exp(Σ_K r_K (K · K − 1)) scales the Pauli P by

    f_P = exp(−2 Σ_K r_K [K and P anticommute]),    so that    r_K = Σ_P (−1)^[K and P anticommute] log f_P / 4^n,  K ≠ I.

The twirled error of a gate is such a channel: f is the diagonal of its transfer matrix.
"""

from __future__ import annotations

import numpy as np

from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.transfer import Matrix

_LETTERS = "IXYZ"
_SIGNS = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])
"""1 where two Paulis commute, −1 where they do not."""
_LEAST_FIDELITY = 1e-12

Rates = dict[tuple[str, tuple[int, ...]], float]
"""Rates by generator: its letters other than I, and the physical qubits that they stand on, ascending."""


def gate_rates(model: DeviceModel, name: str, qubits: tuple[int, ...]) -> Rates:
    """The rates of the twirled error that follows a gate on one or two physical qubits; none where the gate is ideal."""
    error = model.error(name, qubits)
    return {} if error is None else _rates(error, qubits)


def wait_rates(model: DeviceModel, qubit: int, cycles: int) -> Rates:
    """The rates of the twirled relaxation of a physical qubit that waits for so many cycles."""
    if model.noise is None or not cycles:
        return {}
    return _rates(model.noise.relaxation(qubit, cycles * model.cycle), (qubit,))


def _rates(error: Matrix, qubits: tuple[int, ...]) -> Rates:
    """The rates of a twirled channel on one or two physical qubits."""
    logarithms = np.log(np.diag(error).clip(_LEAST_FIDELITY))
    signs = _SIGNS if len(qubits) == 1 else np.kron(_SIGNS, _SIGNS)
    rates = signs @ logarithms / len(logarithms)
    found: Rates = {}
    for index, rate in enumerate(rates[1:], start=1):
        letters = [_LETTERS[digit] for digit in np.unravel_index(index, (4,) * len(qubits))]
        placed = sorted((qubit, letter) for qubit, letter in zip(qubits, letters, strict=True) if letter != "I")
        found["".join(letter for _, letter in placed), tuple(qubit for qubit, _ in placed)] = max(float(rate), 0.0)
    return found


def readout_rate(model: DeviceModel, qubit: int) -> float:
    """The rate of X before an ideal measurement that misreads as often as the twirled one: (1 − e^{−2r})/2 = p."""
    if model.noise is None:
        return 0.0
    confusion, error = model.noise.confusion[qubit], model.error("measure", (qubit,))
    mean = (confusion[0, 0] - confusion[1, 0] + confusion[1, 1] - confusion[0, 1]) / 2
    if error is not None:
        mean *= error[3, 3]
    return float(-np.log(max(mean, _LEAST_FIDELITY)) / 2)
