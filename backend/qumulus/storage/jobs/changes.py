"""What a claimed job is changed to, for the queue and for what is kept from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from qumulus.core.jobs import FINAL, PROGRESS, JobEvent, JobState, after
from qumulus.core.ports import Claim
from qumulus.core.results import LogLine
from qumulus.storage.database.tables import AnyRow, jobs

from .statements import CHANGE, LOG, NOBODY, of

CANCELLED = "It was cancelled while it ran."
AGAIN: dict[str, Any] = {
    "state": JobState.QUEUED.value,
    "claimed_at": None,
    "running_at": None,
    "metadata": {},  # how far the run was
    **NOBODY,
}


def changed(connection: Connection, claim: Claim, event: JobEvent, values: Mapping[str, Any]) -> bool:
    """Change the claimed job, if the attempt is still this one and ``event`` is legal."""
    return connection.execute(CHANGE[event], {**values, **of(claim)}).rowcount == 1


def put_back(row: AnyRow, *, now: datetime) -> Mapping[str, Any]:
    """Return what becomes of a job whose run has not begun."""
    state = after(JobState(row.state), JobEvent.RELEASE)
    return {"state": state.value, "ended_at": now, "reason": CANCELLED, **NOBODY} if state in FINAL else AGAIN


def write_log(connection: Connection, claim: Claim, lines: Sequence[LogLine]) -> None:
    """Add lines to the log of a claimed job."""
    if lines:
        written = [
            {
                "job": claim.job_id,
                "attempt": claim.attempt,
                "time": line.time,
                "severity": line.severity.value,
                "text": line.text,
            }
            for line in lines
        ]
        connection.execute(LOG, written)


def write_progress(connection: Connection, claim: Claim, lines: Sequence[LogLine]) -> None:
    """Keep with the job what the last of these lines says of how far it is, until there is an outcome."""
    for line in reversed(lines):
        if line.progress is not None:
            said = {"time": line.time.isoformat(), "text": line.text, **asdict(line.progress)}
            connection.execute(update(jobs).where(jobs.c.id == claim.job_id).values(metadata={PROGRESS: said}))
            return
