"""What a claimed job is changed to, for the queue and for what is kept from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from qumulus.core.jobs import FINAL, PROGRESS, JobEvent, JobState, after
from qumulus.core.owners import silence
from qumulus.core.ports import Claim
from qumulus.core.results import Failure, LogLine
from qumulus.storage.database.tables import AnyRow, jobs

from . import rows
from .statements import CHANGE, LOG, NOBODY, of

MOST_RETURNS = 10  # how often a job is handed back because of us before something must be wrong with it
NOT_REPORTED = "The engine of its device did not report in time."
CANCELLED = "It was cancelled while it ran."
LOST = f"It was begun {MOST_RETURNS + 1} times, and each time the run was lost: see the server's log, then submit it again. The last time: "
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


def let_go(row: AnyRow, *, now: datetime) -> Mapping[str, Any]:
    """Return what becomes of a job that nobody holds any more."""
    state = after(JobState(row.state), JobEvent.RELEASE)
    return {"state": state.value, "ended_at": now, "reason": CANCELLED, **NOBODY} if state in FINAL else AGAIN


def put_back(claim: Claim) -> dict[str, Any]:
    """Return what is counted of a claim that has come to nothing: the attempts that people are shown are without it."""
    return {"put_back": claim.put_back + 1}


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


def failed(failure: Failure, reason: str, now: datetime) -> dict[str, Any]:
    """Return what becomes of a job that fails without an outcome."""
    return {"state": JobState.FAILED.value, "failure": failure.value, "reason": reason, "ended_at": now, **NOBODY}


def handed_back(row: AnyRow, *, counted: bool, reason: str, now: datetime) -> Mapping[str, Any]:
    """Return what becomes of a job whose run ended without an outcome."""
    values = let_go(row, now=now)
    if values is not AGAIN:
        return values
    if counted and row.counted + 1 >= row.attempts:
        return failed(Failure.CRASHED, reason, now) | {"counted": row.counted + 1}
    if not counted and row.returned >= MOST_RETURNS:
        return failed(Failure.LOST, LOST + reason, now)
    tally = {"counted": row.counted + 1} if counted else {"returned": row.returned + 1}
    return AGAIN | tally | {"lost_because": reason}


def cause(owner: str) -> str:
    """Why a claim was not renewed."""
    return NOT_REPORTED if owner.startswith(rows.PROVIDER) else silence(owner)


def ran_on(claim: Claim) -> dict[str, Any]:
    """Return the calibration that a run has, where that was chosen for it: the job says which, and another attempt has the same."""
    return {} if claim.program.calibration is None else {"calibration": claim.program.calibration}
