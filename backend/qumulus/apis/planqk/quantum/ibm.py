"""Inputs of IBM's primitives for the `ibm.*` backends: the engine's own programs read them, and their results go back as stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qumulus.core.errors import InvalidRequest

from .formats import Format

KIND = "runtime."
PROGRAMS = ("sampler", "estimator", "executor", "noise-learner")
FORMAT = Format("QISKIT_QPY")


def kind(parameters: Mapping[str, Any]) -> str:
    """The kind of program that a job asks for.

    Raises:
        InvalidRequest: it names none that there is.
    """
    program = parameters.get("program_id")
    if program not in PROGRAMS:
        raise InvalidRequest(f"input_params.program_id has to be one of {', '.join(PROGRAMS)}.")
    return f"{KIND}{program}"


def seconds(parameters: Mapping[str, Any]) -> float | None:
    """How long the caller allows it to run."""
    allowed = parameters.get("max_execution_time")
    return float(allowed) if isinstance(allowed, int) and not isinstance(allowed, bool) and allowed > 0 else None
