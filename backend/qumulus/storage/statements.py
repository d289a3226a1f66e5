"""The statements that every job needs, built once: building them anew costs more than running them.

Parameters that are no columns begin with `its_`; every other key of the parameters is a column to be set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Update, bindparam, delete, func, insert, literal_column, select, update

from qumulus.core.jobs import JobEvent, JobState, after, states_before
from qumulus.core.ports import Claim

from .rows import JOB_COLUMNS
from .tables import HELD_STATES, IS_HELD, IS_QUEUED, device_settings, jobs, results

CLAIM_COLUMNS = tuple(
    jobs.c[name]
    for name in (
        "id", "account", "device", "kind", "shots", "session", "calibration", "max_seconds", "request", "attempt",
        "attempts", "counted", "owner", "queued_at", "payload", "payload_blob",
    )
)  # fmt: skip

NEXT_TICKET = select(func.coalesce(func.max(jobs.c.number), 0) + 1).scalar_subquery()
"""After everything that was submitted until now; equal tickets are told apart by the number of the row."""

REGISTER = insert(jobs)
QUEUE = insert(jobs).values(ticket=NEXT_TICKET)

JOB = select(*JOB_COLUMNS).where(jobs.c.id == bindparam("its_id"))
OWNED_JOB = JOB.where(jobs.c.account == bindparam("its_account"))
LOCKED_JOB = (
    OWNED_JOB.with_for_update()
)  # who changes a job by what it was keeps others from it; SQLite has one writer anyway

HEAD_COLUMNS = tuple(jobs.c[name] for name in ("number", "id", "account", "device", "session", "ticket", "queued_at"))
_head = select(*HEAD_COLUMNS).where(IS_QUEUED).order_by(jobs.c.ticket, jobs.c.number).limit(1)
HEAD_OF_LANE = _head.where(jobs.c.lane == bindparam("its_lane"))
HEAD_OF_SESSION = _head.where(jobs.c.session == bindparam("its_session"), jobs.c.account == bindparam("its_account"))
LOCKED_HEAD_OF_LANE = HEAD_OF_LANE.with_for_update(
    skip_locked=True
)  # what another dispatcher takes just now is passed over
LOCKED_HEAD_OF_SESSION = HEAD_OF_SESSION.with_for_update(skip_locked=True)
LOCKED_DEVICE = (
    select(device_settings.c.one_at_a_time)
    .where(device_settings.c.device == bindparam("its_device"))
    .with_for_update(skip_locked=True)
)
ANY_QUEUED = select(jobs.c.number).where(IS_QUEUED).limit(1)

TAKE = (
    update(jobs)
    .where(jobs.c.number == bindparam("its_number"), IS_QUEUED)
    .values(state=after(JobState.QUEUED, JobEvent.CLAIM).value, attempt=jobs.c.attempt + 1)
    .returning(*CLAIM_COLUMNS)
)


def _change(event: JobEvent) -> Update:
    """A change of a claimed job, if the attempt is still the claim's and ``event`` is legal."""
    legal = [literal_column(f"'{state}'") for state in HELD_STATES if JobState(state) in states_before(event)]
    mine = (jobs.c.id == bindparam("its_id"), jobs.c.attempt == bindparam("its_attempt"))
    return update(jobs).where(*mine, jobs.c.state.in_(legal))


CHANGE: Mapping[JobEvent, Update] = {
    event: _change(event) for event in (JobEvent.START, JobEvent.RELEASE, JobEvent.SUCCEED, JobEvent.FAIL)
}

MINE = (
    select(jobs.c.state, jobs.c.counted, jobs.c.returned, jobs.c.attempts)
    .where(jobs.c.id == bindparam("its_id"), jobs.c.attempt == bindparam("its_attempt"), IS_HELD)
    .with_for_update()
)

KEEP_RESULT = insert(results)
FORGET_RESULT = (
    delete(results)
    .where(results.c.job == bindparam("its_job"), results.c.name == bindparam("its_name"))
    .returning(results.c.blob)
)


def of(claim: Claim) -> dict[str, Any]:
    """The parameters of `CHANGE` and `MINE` that name a claim."""
    return {"its_id": claim.job_id, "its_attempt": claim.attempt}
