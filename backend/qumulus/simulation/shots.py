"""Independent shots from a distribution that is known exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .transfer import Matrix


def draw_indices(distribution: Matrix, shots: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Independent draws, in order, from the weights of a flat array; rounding errors below zero count as zero.

    The weights need not add up to one.
    """
    cumulative = np.cumsum(np.maximum(distribution, 0.0))
    indices = np.searchsorted(cumulative, random.random(shots) * cumulative[-1], side="right")
    return np.minimum(indices, len(cumulative) - 1)


def unpack(indices: NDArray[np.intp], n_bits: int) -> NDArray[np.uint8]:
    """The binary digits of flat indices, the most significant first; shape (shots, n_bits)."""
    shifts = np.arange(n_bits - 1, -1, -1)
    return ((indices[:, None] >> shifts) & 1).astype(np.uint8)
