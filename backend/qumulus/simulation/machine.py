"""How fast machines are: a reference for choosing methods, and this one against it.

Methods are compared in seconds of the reference machine, so that the same circuit is simulated by the same method wherever
and whenever it runs: the same seed then gives the same shots. How slow this machine is counts for limits and reports only.
"""

from __future__ import annotations

from functools import cache
from time import process_time

import numpy as np

from .meter import meter

SECONDS_PER_MULTIPLICATION = 4.5e-10
"""Of a two-qubit block on a tensor of Pauli expectation values, on one core of the reference machine."""

_SECONDS_PER_PROBE = 4.5e-4  # of the same machine: a product of two matrices of 256 rows
_ROUNDS = 12


def slowness() -> float:
    """How many times slower than the reference one core of this machine is; as slow as that where a run is to repeat itself anywhere."""
    return 1.0 if meter().repeatable else measured_slowness()


@cache
def measured_slowness() -> float:
    """The same, measured once, in the parent of all workers, in some 6 ms.

    The best of several rounds in processor time: other work on the machine is not its slowness.
    """
    factor = np.full((256, 256), 0.5)
    product = np.empty_like(factor)
    times = []
    for _ in range(_ROUNDS):
        start = process_time()
        np.matmul(factor, factor, out=product)
        times.append(process_time() - start)
    return min(times) / _SECONDS_PER_PROBE
