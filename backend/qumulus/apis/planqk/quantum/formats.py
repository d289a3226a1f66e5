"""How a provider's programs and results are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Counts = Mapping[str, int]  # in Qiskit's order of bits: the last bit of the register first
Circuit = Mapping[str, Any]  # the result of one circuit: shots with counts, or statevector, or amplitudes


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What is known of a job when its result is written."""

    job_id: str
    device: str  # the provider's own name of the backend
    circuits: Sequence[Circuit]
    shots: int
    given: Any  # the input, as it was sent
    parameters: Mapping[str, Any]  # as they were stored
    newer: bool  # whether the client is of the newer kind

    @property
    def codes(self) -> Sequence[str]:
        """The programs: one text, or the list of an object `{"qasm": […]}`."""
        several = self.given.get("qasm") if isinstance(self.given, dict) else None
        return several if isinstance(several, list) else [str(self.given)]


def as_sent(_given: Any, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters as they came."""
    return parameters


def counts(done: Done) -> Any:
    """Counts with the last bit first: an object for one circuit, a list of them for several."""
    each = [
        {"counts": circuit["counts"], "metadata": {"num_qubits": width(circuit["counts"])}} for circuit in done.circuits
    ]
    return each if len(each) > 1 else each[0]


@dataclass(frozen=True, slots=True)
class Format:
    """One format. Its inputs are read by the worker."""

    name: str
    write: Callable[[Done], Any] = counts
    parameters: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] = as_sent  # as they are to be stored


def big_endian(counts: Counts) -> dict[str, int]:
    """With the first bit first."""
    return {bits.replace(" ", "")[::-1]: count for bits, count in counts.items()}


def width(counts: Counts) -> int:
    """How many bits an outcome has."""
    return len(next(iter(counts), "").replace(" ", ""))
