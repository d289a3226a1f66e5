"""Random generators derived from a job's seed by hashing.

A job has one seed; each unit of work in it (a pub, a parameter set, a chunk of shots) has a path of indices. Both are
hashed together, so that results depend neither on the number of workers nor on the order of the work. Adding an index to
the seed would not do: Aer seeds shot i with seed + i, so that neighbouring seeds give the same shots shifted by one.
"""

from __future__ import annotations

import secrets

import numpy as np

Seed = int | tuple[int, ...]
"""A job's seed, or a path that starts with it: ``(seed, pub, set)``."""

_WORD = 1 << 64


def fresh() -> int:
    """A new seed of 32 bits for a job that names none; report it, so that the job can be repeated."""
    return secrets.randbits(32)


def extend(seed: Seed, *indices: int) -> tuple[int, ...]:
    """The path of a smaller unit of work inside the unit ``seed``."""
    return (*(seed if isinstance(seed, tuple) else (seed,)), *indices)


def _sequence(seed: Seed) -> np.random.SeedSequence:
    """Hash a path. Negative members count modulo 2**64, the length is hashed too, so that (1,) and (1, 0) differ."""
    path = extend(seed)
    return np.random.SeedSequence([len(path), *(member % _WORD for member in path)])


def generator(seed: Seed) -> np.random.Generator:
    """The generator of a unit of work (PCG64)."""
    return np.random.Generator(np.random.PCG64(_sequence(seed)))


def integer(seed: Seed) -> int:
    """A seed of 31 bits for an engine that takes only one integer, such as Aer."""
    return int(_sequence(seed).generate_state(1, np.uint32)[0] >> 1)
