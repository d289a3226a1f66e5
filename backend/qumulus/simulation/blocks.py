"""Fusing: single-qubit channels and noise are absorbed into two-qubit blocks.

A circuit of channels becomes a list of 16 × 16 transfer matrices, one for each run of gates on the same pair of qubits,
and one 4 × 4 matrix a qubit for what comes after its last block. Evolving a state costs its blocks only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from .steps import Binding, Channel
from .transfer import Matrix

_ID = np.eye(4)


@dataclass(slots=True)
class Block:
    """All that happens on a pair of qubits between two blocks of one of them and somebody else."""

    qubits: tuple[int, int]
    matrix: Matrix  # shape (16, 16), the first qubit the most significant


@dataclass(frozen=True, slots=True)
class Fused:
    """Blocks in order, and what follows the last block of each qubit; shape (4, 4) each, absent for the identity."""

    blocks: list[Block]
    ends: dict[int, Matrix]


def kron(first: Matrix, second: Matrix) -> Matrix:
    """The Kronecker product of two square matrices; several times faster than numpy's on small ones."""
    rows, columns = first.shape[0] * second.shape[0], first.shape[1] * second.shape[1]
    return (first[:, None, :, None] * second[None, :, None, :]).reshape(rows, columns)


def swapped(matrix: Matrix) -> Matrix:
    """The same two-qubit channel with its qubits in the other order."""
    return matrix.reshape(4, 4, 4, 4).transpose(1, 0, 3, 2).reshape(16, 16)


def fuse(channels: Iterable[Channel], binding: Binding) -> Fused:
    """Fuse channels on one or two qubits, with the values of the circuit's parameters."""
    blocks = list[Block]()
    pending = dict[int, Matrix]()
    latest = dict[int, Block]()
    for channel in channels:
        matrix = channel.transfer if isinstance(channel.transfer, np.ndarray) else channel.transfer(binding)
        if len(channel.qubits) == 1:
            (qubit,) = channel.qubits
            before = pending.get(qubit)
            pending[qubit] = matrix if before is None else matrix @ before
            continue
        first, second = channel.qubits
        block = latest.get(first)
        if block is not None and block is latest.get(second):
            if block.qubits[0] != first:
                first, second, matrix = second, first, swapped(matrix)
            block.matrix = _after(matrix, pending, first, second) @ block.matrix
        else:
            block = Block((first, second), _after(matrix, pending, first, second))
            blocks.append(block)
            latest[first] = latest[second] = block
    return Fused(blocks, pending)


def _after(matrix: Matrix, pending: dict[int, Matrix], first: int, second: int) -> Matrix:
    """The two-qubit matrix after what is pending on its qubits, which is taken."""
    before, beside = pending.pop(first, None), pending.pop(second, None)
    if before is None and beside is None:
        return matrix
    return matrix @ kron(_ID if before is None else before, _ID if beside is None else beside)


def outputs_after(ends: Mapping[int, Matrix], outputs: Mapping[int, Matrix]) -> dict[int, Matrix]:
    """What is asked of each qubit, moved before the last single-qubit channels: rows E become E·R."""
    return {qubit: rows @ ends[qubit] if qubit in ends else rows for qubit, rows in outputs.items()}
