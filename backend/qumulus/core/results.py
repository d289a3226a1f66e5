"""What a run leaves behind: its result, files, log lines and timings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Severity(StrEnum):
    """How much a log line matters."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    NOTICE = "NOTICE"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: how many parts of the program (pubs, circuits) it has done of all, and by which method it works."""

    method: str | None
    parts: int
    parts_done: int
    seconds_used: float
    seconds_left: float | None = None  # an estimate, where there is one
    usage_seconds: float | None = (
        None  # for which the job will have had its device, where its service counts by a formula
    )


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a job's log. It may say how far the run is; what its text says is then what the run does now."""

    time: datetime
    text: str
    severity: Severity = Severity.INFO
    progress: Progress | None = None


class Log(Protocol):
    """Takes what a run has to say, while it runs."""

    def __call__(self, text: str, severity: Severity = Severity.INFO, progress: Progress | None = None, /) -> None:
        """Write a line."""
        ...


LOG_THREAD = "qumulus-log"
"""The name of the thread that sends lines of a run's log: whatever it holds, no process needs that is forked of its own."""


class Failure(StrEnum):
    """Why a job failed; the reasons that metrics count."""

    PROGRAM = "program"  # the program is wrong: it does not parse, does not fit the device, raises
    REFUSED = "refused"  # over a limit by its estimate, nothing was run
    TIME = "time"
    MEMORY = "memory"
    CRASHED = "crashed"  # its worker died in each attempt
    LOST = "lost"  # it may run once only and the server died meanwhile
    INTERNAL = "internal"  # our own error


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended.

    ``result`` is served as stored: the worker encodes it in the form that the program's kind asks for.
    ``metadata`` names method, engine, version, seed, what was approximated and how well, and the timings in seconds.
    """

    failure: Failure | None = None
    reason: str | None = None  # a whole sentence, with the position in the program where there is one
    reason_code: int | None = None
    result: bytes = b""
    media_type: str = "application/json"
    files: Mapping[str, bytes] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    run_seconds: float | None = None  # for which the program had its device, as its service counts; None: while it ran

    @property
    def succeeded(self) -> bool:
        """Say whether the run gave what was asked for."""
        return self.failure is None
