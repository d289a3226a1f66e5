"""Inputs of IBM's primitives for the `ibm.*` backends: the engine's own programs read them, and their results go back as stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qumulus.core.errors import InvalidRequest
from qumulus.core.kinds import Kind
from qumulus.payloads import ESTIMATOR, EXECUTOR, NOISE_LEARNER, SAMPLER
from qumulus.payloads.primitives import PrimitiveInput

from .formats import Format

PROGRAMS: Mapping[str, Kind[PrimitiveInput]] = {
    "sampler": SAMPLER,
    "estimator": ESTIMATOR,
    "executor": EXECUTOR,
    "noise-learner": NOISE_LEARNER,
}
FORMAT = Format("QISKIT_QPY")


def kind(parameters: Mapping[str, Any]) -> Kind[PrimitiveInput]:
    """The kind of program that a job asks for.

    Raises:
        InvalidRequest: it names none that there is.
    """
    program = parameters.get("program_id")
    if not isinstance(program, str) or program not in PROGRAMS:
        raise InvalidRequest(f"input_params.program_id has to be one of {', '.join(PROGRAMS)}.")
    return PROGRAMS[program]


def seconds(parameters: Mapping[str, Any]) -> float | None:
    """How long the caller allows it to run."""
    allowed = parameters.get("max_execution_time")
    return float(allowed) if isinstance(allowed, int) and not isinstance(allowed, bool) and allowed > 0 else None
