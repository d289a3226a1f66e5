"""Programs and outcomes as frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from qumulus.core.clock import ClockSetting
from qumulus.core.programs import Limits, Program
from qumulus.core.results import Failure, LogLine, Outcome, Progress, Severity

from .wire import BrokenWire, Message

LIMITS = tuple(each.name for each in fields(Limits))


def program_members(program: Program) -> dict[str, Any]:
    """Return a program's members but those of `program_parts`."""
    names = ("job_id", "kind", "device", "calibration", "shots", "seed", "noise")
    names += ("service_limits", "repeatable", "processes", "room_bytes")
    return {name: getattr(program, name) for name in names} | {
        "options": dict(program.options),
        "limits": {name: getattr(program.limits, name) for name in LIMITS},
        "clock": program.clock.members(),
    }


def program_parts(program: Program) -> list[bytes]:
    """Return what of a program travels as parts: its payload, and the documents of a device that was added."""
    return [program.payload, program.documents]


def to_program(message: Message) -> Program:
    """Return the program of a frame."""
    members: dict[str, Any] = dict(message.members)
    limits = Limits(**members.pop("limits"))
    clock = ClockSetting.of_members(members.pop("clock"))
    payload, documents = message.parts
    return Program(payload=payload, documents=documents, limits=limits, clock=clock, **members)


def outcome_parts(outcome: Outcome) -> list[bytes]:
    """Return what of an outcome travels as parts: the result, then the files in order."""
    return [outcome.result, *outcome.files.values()]


def outcome_members(outcome: Outcome) -> dict[str, Any]:
    """Return the other members of an outcome."""
    return {
        "failure": outcome.failure.value if outcome.failure else None,
        "reason": outcome.reason,
        "reason_code": outcome.reason_code,
        "media_type": outcome.media_type,
        "files": list(outcome.files),
        "metadata": dict(outcome.metadata),
        "run_seconds": outcome.run_seconds,
    }


def refusal(reason: str) -> Message:
    """Return the frame of an outcome of a program that was not run."""
    outcome = Outcome(failure=Failure.REFUSED, reason=reason)
    spent = {"seconds": 0.0, "peak_bytes": 0, "resident_bytes": 0}
    return Message("outcome", outcome_members(outcome) | spent, outcome_parts(outcome))


def to_outcome(message: Message) -> Outcome:
    """Return the outcome of a frame.

    Raises:
        BrokenWire: it is none.
    """
    try:
        members: Mapping[str, Any] = message.members
        result, *files = message.parts
        failure = members["failure"]
        return Outcome(
            failure=Failure(failure) if failure is not None else None,
            reason=None if members["reason"] is None else str(members["reason"]),
            reason_code=None if members["reason_code"] is None else int(members["reason_code"]),
            result=result,
            media_type=str(members["media_type"]),
            files=dict(zip(map(str, members["files"]), files, strict=True)),
            metadata=dict(members["metadata"]),
            run_seconds=None if members["run_seconds"] is None else float(members["run_seconds"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenWire("An outcome can't be read.") from error


def _to_progress(members: Mapping[str, Any] | None) -> Progress | None:
    if members is None:
        return None
    method, left, usage = members["method"], members["seconds_left"], members["usage_seconds"]
    return Progress(
        method=None if method is None else str(method),
        parts=int(_amount(members["parts"])),
        parts_done=int(_amount(members["parts_done"])),
        seconds_used=_amount(members["seconds_used"]),
        seconds_left=None if left is None else _amount(left),
        usage_seconds=None if usage is None else _amount(usage),
    )


def _amount(value: Any) -> float:
    """A number that JSON can say, not below zero.

    Raises:
        ValueError: it is another one.
    """
    number = float(value)
    if not (isfinite(number) and number >= 0):
        raise ValueError("It is no amount.")
    return number


def to_line(message: Message) -> LogLine:
    """Return the line of the log of a frame.

    Raises:
        BrokenWire: it is none.
    """
    members = message.members
    try:
        at = datetime.fromtimestamp(float(members["time"]), UTC)
        return LogLine(at, str(members["text"]), Severity(members["severity"]), _to_progress(members.get("progress")))
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise BrokenWire("A line of the log can't be read.") from error
