"""What a dry run returns: data at random, with the names, types and shapes of those that it stands for.

Nothing is simulated; the same seed gives the same data. Where a result has metadata of its own, they say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qumulus.simulation.seeds import extend, generator

from .kerneled import AVERAGED

SIMULATION: Mapping[str, Any] = {"dry_run": True}
"""What the metadata say instead of how something was simulated."""

LARGEST_RATE = 1e-2
"""Of the errors that a noise learner tells at random."""

_DATA = -5
"""The member of a seed's path for the data of a dry run."""


def source(seed: int, index: int = 0) -> np.random.Generator:
    """Where the data of a pub or an item come from."""
    return generator(extend(seed, index, _DATA))


def bits(random: np.random.Generator, *shape: int) -> NDArray[np.uint8]:
    """Bits of this shape, 0 and 1 with equal chances."""
    return random.integers(0, 2, shape, np.uint8)


def points(
    random: np.random.Generator, shape: tuple[int, ...], shots: int, width: int, level: str
) -> NDArray[np.complex128]:
    """Points of a register around the origin, shape (*shape, shots, width), or (*shape, width) where they are averaged."""
    wanted = (*shape, width) if level == AVERAGED else (*shape, shots, width)
    return random.standard_normal(wanted) + 1j * random.standard_normal(wanted)


def rates(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Rates of errors, each between 0 and `LARGEST_RATE`."""
    return random.uniform(0.0, LARGEST_RATE, count)


def report(usage: float, **told: Any) -> dict[str, Any]:
    """What the job's metadata say of a dry run, which would use so many seconds of the device."""
    return {"dry_run": True, "would_use": usage, **told}
