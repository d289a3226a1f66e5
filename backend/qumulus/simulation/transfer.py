"""Pauli transfer matrices.

A state of n qubits is the real vector r of its Pauli expectation values, r_P = tr(P ρ), and a channel Λ on k qubits the
real 4^k × 4^k matrix

    R_PQ = tr(P Λ(Q)) / 2^k,        P, Q in {I, X, Y, Z}^⊗k,

so that r' = R r. Rows and columns count I, X, Y, Z; of several qubits the first is the most significant. Λ preserves the
trace if and only if the first row is (1, 0, …, 0).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

PAULIS: NDArray[np.complex128] = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
"""I, X, Y, Z; shape (4, 2, 2)."""

GROUND: Matrix = np.array([1.0, 0.0, 0.0, 1.0])
"""The vector of |0⟩⟨0|."""

TRACE: Matrix = np.array([[1.0, 0.0, 0.0, 0.0]])
"""The row that forgets a qubit."""

MEASURE: Matrix = np.array([[0.5, 0.0, 0.0, 0.5], [0.5, 0.0, 0.0, -0.5]])
"""The rows that give the probabilities of reading 0 and 1."""

RESET: Matrix = np.outer(GROUND, TRACE)
"""The channel that prepares |0⟩ whatever was there."""

DEPHASING: Matrix = np.diag([1.0, 0.0, 0.0, 1.0])
"""The channel of a measurement whose outcome is forgotten."""


@lru_cache
def _basis(n_qubits: int) -> NDArray[np.complex128]:
    """The Pauli strings as rows of vectorised matrices; shape (4^n, 4^n)."""
    strings = np.ones((1, 1, 1), dtype=complex)
    for _ in range(n_qubits):
        strings = np.array([np.kron(string, pauli) for string in strings for pauli in PAULIS])
    return strings.reshape(4**n_qubits, 4**n_qubits)


def from_unitary(unitary: NDArray[np.complex128]) -> Matrix:
    """R_PQ = tr(P U Q U†) / 2^k of a unitary on k qubits, the first qubit the most significant.

    Raises:
        ValueError: the shape is not (2^k, 2^k).
    """
    dimension = unitary.shape[0]
    n_qubits = dimension.bit_length() - 1
    if unitary.shape != (1 << n_qubits, 1 << n_qubits):
        raise ValueError(f"A unitary of k qubits has the shape (2^k, 2^k); this has {unitary.shape}.")
    basis = _basis(n_qubits)
    return np.real(basis.conj() @ np.kron(unitary, unitary.conj()) @ basis.T) / dimension


def reversed_qubits(unitary: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """The same gate with the order of its qubits reversed: Qiskit's first qubit is the least significant, ours the most."""
    n_qubits = unitary.shape[0].bit_length() - 1
    axes = [*reversed(range(n_qubits)), *reversed(range(n_qubits, 2 * n_qubits))]
    return unitary.reshape((2,) * (2 * n_qubits)).transpose(axes).reshape(unitary.shape)


def _rotation(first: int, second: int) -> Callable[[float], Matrix]:
    """The turn by an angle in the plane of two Pauli operators, from the first to the second."""

    def turn(angle: float) -> Matrix:
        matrix = np.eye(4)
        matrix[first, first] = matrix[second, second] = np.cos(angle)
        matrix[second, first] = np.sin(angle)
        matrix[first, second] = -matrix[second, first]
        return matrix

    return turn


def _double_rotation(angle: float) -> Matrix:
    """exp(−i θ ZZ/2): P that commutes with ZZ stays, any other turns to i ZZ P."""
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.diag(np.where(_ANTICOMMUTES_ZZ, cosine, 1.0))
    for source, target, sign in _ZZ_PARTNERS:
        matrix[target, source] = sign * sine
    return matrix


_ANTICOMMUTES_ZZ = np.array([(a in (1, 2)) != (b in (1, 2)) for a in range(4) for b in range(4)])
# The partner of each string that anticommutes with ZZ, with the sign of −i [ZZ, P] / 2 = sign × partner.
_ZZ_PARTNERS = tuple(
    (source, target, float(np.round(commutator[target].real)))
    for source in np.flatnonzero(_ANTICOMMUTES_ZZ)
    for commutator in [
        _basis(2).conj() @ (-1j * np.kron(PAULIS[3], PAULIS[3]) @ _basis(2)[source].reshape(4, 4)).ravel() / 4
    ]
    for target in np.flatnonzero(np.abs(commutator) > 0.5)
)

ROTATIONS: dict[str, Callable[[float], Matrix]] = {
    "rz": _rotation(1, 2),
    "p": _rotation(1, 2),
    "u1": _rotation(1, 2),
    "rx": _rotation(2, 3),
    "ry": _rotation(3, 1),
    "rzz": _double_rotation,
}
"""Gates of one angle in closed form, by Qiskit's names; all others go through their unitary."""
