"""How a provider's programs and results are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Counts = Mapping[str, int]  # in Qiskit's order of bits: the last bit of the register first


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What is known of a job when its result is written."""

    job_id: str
    counts: Counts
    shots: int
    code: str
    parameters: Mapping[str, Any]  # as they were stored


@dataclass(frozen=True, slots=True)
class Format:
    """One format. Its inputs are read by the worker."""

    name: str
    parameters: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]]  # as they are to be stored
    write: Callable[[Done], Mapping[str, Any]]


def as_sent(_given: Any, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters as they came."""
    return parameters


def big_endian(counts: Counts) -> dict[str, int]:
    """With the first bit first."""
    return {bits.replace(" ", "")[::-1]: count for bits, count in counts.items()}
