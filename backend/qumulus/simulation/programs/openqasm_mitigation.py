"""Readout mitigation of counts, with the confusion that the calibration tells of each measured qubit.

The readings of the qubits are independent, so the confusion of all is the product A = A₁ ⊗ … ⊗ Aₙ of 2×2 matrices
A_i[read, true], and the frequencies that a perfect reading would give solve A p = q:

    pseudo_inverse    p = A⁺ q, whose negative entries are cut off
    least_square      p = argmin ‖A p − q‖² over all distributions: p ≥ 0, Σ p = 1

A and its inverse are applied factor by factor, in n 2ⁿ steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.errors import ProgramError

METHODS = ("none", "pseudo_inverse", "least_square")
MOST_BITS = 20
"""Measured bits: a vector of 2^20 frequencies takes a second; twice as many bits would take a million times as long."""

STEPS = 2000
TOLERANCE = 1e-10

Vector = NDArray[np.float64]


def mitigate(counts: Mapping[str, int], circuit: QuantumCircuit, model: DeviceModel, method: str) -> dict[str, int]:
    """The counts that a perfect reading would have given, as many shots as before.

    Args:
        counts: in Qiskit's notation.
        circuit: what ran, on the device's qubits; each bit is measured once at most.
        model: the device. An ideal one reads perfectly: the counts stay.
        method: one of `METHODS`.

    Raises:
        ProgramError: an unknown method, too many bits, or a bit that is measured more than once.
    """
    if method not in METHODS:
        raise ProgramError(f"Mitigation {method[:40]!r} is not known here: use {', '.join(METHODS)}.")
    if method == "none" or model.noise is None:
        return dict(counts)
    measured = _measured(circuit)
    if len(measured) > MOST_BITS:
        raise ProgramError(
            f"The program measures {len(measured)} bits, and {MOST_BITS} are the limit of mitigation: measure fewer."
        )
    factors = [model.noise.confusion[qubit] for qubit in measured.values()]
    places = _places(circuit)
    shots = sum(counts.values())
    read = _frequencies(counts, [places[bit] for bit in measured])
    solved = _inverted(read, factors) if method == "pseudo_inverse" else _least_squares(read, factors)
    return _as_counts(solved, shots, [places[bit] for bit in measured], next(iter(counts)))


def _measured(circuit: QuantumCircuit) -> dict[int, int]:
    """Index of each measured bit -> the qubit that is read into it.

    Raises:
        ProgramError: a bit is measured twice, or under a condition: there is not one confusion for it.
    """
    found: dict[int, int] = {}
    for instruction in circuit.data:
        if instruction.name != "measure" and not instruction.clbits:
            continue
        if instruction.name != "measure" or circuit.find_bit(instruction.clbits[0]).index in found:
            raise ProgramError(
                "Mitigation needs each bit to be measured once and nothing to depend on it: use none, or change the program."
            )
        found[circuit.find_bit(instruction.clbits[0]).index] = circuit.find_bit(instruction.qubits[0]).index
    return found


def _places(circuit: QuantumCircuit) -> dict[int, int]:
    """Index of each bit -> where its digit stands in a key of the counts, with a blank between registers."""
    places, place = {}, 0
    for register in reversed(circuit.cregs):
        for bit in reversed(list(register)):
            places[circuit.find_bit(bit).index] = place
            place += 1
        place += 1
    return places


def _frequencies(counts: Mapping[str, int], places: Sequence[int]) -> Vector:
    read = np.zeros(2 ** len(places))
    for key, count in counts.items():
        read[int("".join(key[place] for place in places), 2)] += count
    return read / read.sum()


def _apply(vector: Vector, factors: Sequence[Vector]) -> Vector:
    """(F₁ ⊗ F₂ ⊗ …) v, the first factor on the highest digit."""
    tensor = vector.reshape((2,) * len(factors))
    for axis, factor in enumerate(factors):
        tensor = np.moveaxis(np.tensordot(factor, tensor, axes=(1, axis)), 0, axis)
    return tensor.reshape(-1)


def _inverted(read: Vector, factors: Sequence[Vector]) -> Vector:
    solved = np.clip(_apply(read, [np.asarray(np.linalg.pinv(factor), float) for factor in factors]), 0.0, None)
    return solved / solved.sum()


def _least_squares(read: Vector, factors: Sequence[Vector]) -> Vector:
    """Accelerated projected gradients (Beck and Teboulle 2009), with the step 1/‖A‖²."""
    transposed = [factor.T for factor in factors]
    step = 1.0 / np.prod([np.linalg.norm(factor, 2) ** 2 for factor in factors])
    solved = ahead = _on_simplex(_inverted(read, factors))
    momentum = 1.0
    for _ in range(STEPS):
        last = solved
        solved = _on_simplex(ahead - step * _apply(_apply(ahead, factors) - read, transposed))
        if np.abs(solved - last).max() < TOLERANCE:
            break
        following = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        ahead = solved + (momentum - 1.0) / following * (solved - last)
        momentum = following
    return solved


def _on_simplex(vector: Vector) -> Vector:
    """The nearest distribution (Duchi et al. 2008)."""
    descending = np.sort(vector)[::-1]
    excess = (np.cumsum(descending) - 1.0) / np.arange(1, len(vector) + 1)
    return np.clip(vector - excess[np.count_nonzero(descending > excess) - 1], 0.0, None)


def _as_counts(solved: Vector, shots: int, places: Sequence[int], pattern: str) -> dict[str, int]:
    """Whole numbers whose sum is ``shots``: rounded down, and the rest to the largest remainders."""
    exact = solved * shots
    whole = np.floor(exact).astype(int)
    rest = shots - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1
    blank = "".join(" " if character == " " else "0" for character in pattern)
    counts = {}
    for outcome in np.flatnonzero(whole):
        key = list(blank)
        for place, digit in zip(places, format(int(outcome), f"0{len(places)}b"), strict=True):
            key[place] = digit
        counts["".join(key)] = int(whole[outcome])
    return dict(sorted(counts.items()))
