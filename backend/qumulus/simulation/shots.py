"""Independent shots from a distribution that is known exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .transfer import Matrix

_BYTE = 8


def draw_indices(distribution: Matrix, shots: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Independent draws, in order, from the weights of a flat array; rounding errors below zero count as zero.

    The weights need not add up to one.
    """
    cumulative = np.cumsum(np.maximum(distribution, 0.0))
    indices = np.searchsorted(cumulative, random.random(shots) * cumulative[-1], side="right")
    return np.minimum(indices, len(cumulative) - 1)


def unpack(indices: NDArray[np.intp], n_bits: int) -> NDArray[np.uint8]:
    """The binary digits of flat indices, the most significant first; shape (shots, n_bits)."""
    found = np.empty((len(indices), n_bits), np.uint8)
    left = indices.astype(np.uint8) if n_bits <= _BYTE else indices
    for column in range(n_bits):
        found[:, column] = (left >> (n_bits - 1 - column)) & 1
    return found
