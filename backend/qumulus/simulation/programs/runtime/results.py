"""The result of a primitive: pub results with their metadata, as ``RuntimeEncoder`` would write them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from qumulus.core.programs import Limits
from qumulus.core.results import Outcome
from qumulus.simulation.errors import Refused

_REPORTED = ("method", "engine", "approximation", "accuracy", "seconds")


def simulation(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What the result says of how a circuit was simulated."""
    return {name: metadata[name] for name in _REPORTED if name in metadata}


def check_size(bits: int, limits: Limits) -> None:
    """Refuse a job whose shots would be too many, before anything is run.

    Raises:
        Refused: the packed bits exceed a result, or the unpacked ones a quarter of the memory.
    """
    size = -(-bits // 8)
    if size > limits.result_bytes or bits > limits.memory_bytes // 4:
        most = min(limits.result_bytes, limits.memory_bytes // 32)
        raise Refused(
            f"The result would have {size} bytes and a job's may have {most}: ask for fewer shots.",
            {"result_bytes": size},
        )


def outcome(
    pub_results: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any], report: Mapping[str, Any]
) -> Outcome:
    """The outcome of a primitive; ``report`` says how it was simulated."""
    value = {"pub_results": pub_results, "metadata": {**metadata, "version": 2}}
    return encoded({"__type__": "PrimitiveResult", "__value__": value}, report)


def encoded(document: Mapping[str, Any], report: Mapping[str, Any]) -> Outcome:
    """A JSON document as the outcome of a program."""
    return Outcome(result=json.dumps(document, separators=(",", ":")).encode(), metadata=report)
