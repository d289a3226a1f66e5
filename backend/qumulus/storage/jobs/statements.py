"""The statements that every job needs, built once: building them anew costs more than running them.

Parameters that are no columns begin with `its_`; every other key of the parameters is a column to be set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Update,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from qumulus.core.jobs import JobEvent, JobState, after, states_before
from qumulus.core.ports import Claim
from qumulus.storage.database.tables import HELD_STATES, IS_HELD, IS_QUEUED, device_settings, jobs, log_lines, results

from .rows import JOB_COLUMNS

CLAIM_COLUMNS = tuple(
    jobs.c[name]
    for name in (
        "id", "account", "device", "kind", "shots", "session", "calibration", "max_seconds", "request", "attempt",
        "attempts", "counted", "owner", "queued_at", "trace", "lost_because", "put_back", "payload",
        "payload_blob",
    )
)  # fmt: skip

NOBODY: Mapping[str, Any] = {"owner": None, "lease_until": None, "due_at": None}
"""The columns of a job that nobody holds."""

NEXT_TICKET = select(func.coalesce(func.max(jobs.c.number), 0) + 1).scalar_subquery()
"""After everything that was submitted until now; equal tickets are told apart by the number of the row."""

REGISTER = insert(jobs)
QUEUE = insert(jobs).values(ticket=NEXT_TICKET)

JOB = select(*JOB_COLUMNS).where(jobs.c.id == bindparam("its_id"))
OWNED_JOB = JOB.where(jobs.c.account == bindparam("its_account"))
LOCKED_JOB = (
    OWNED_JOB.with_for_update()
)  # who changes a job by what it was keeps others from it; SQLite has one writer anyway

ONE: ColumnElement[int] = literal_column("1")
"""The limit of what needs one row, written out: PostgreSQL keeps no plan for one that is bound, and planning takes longer than running."""

_oldest = select(jobs.c.number).where(IS_QUEUED).order_by(jobs.c.ticket, jobs.c.number).limit(ONE)
_in_lane = _oldest.where(jobs.c.lane == bindparam("its_lane"))
_of_session = _oldest.where(
    jobs.c.session == bindparam("its_session"),
    jobs.c.account == bindparam("its_account"),
    jobs.c.lane == bindparam("its_lane"),  # and not aside
)

_first = select(func.min(jobs.c.lane).label("lane")).where(IS_QUEUED).cte("lanes", recursive=True)
_next = select(func.min(jobs.c.lane)).where(IS_QUEUED, jobs.c.lane > _first.c.lane).scalar_subquery()
_lanes = _first.union_all(select(_next).where(_first.c.lane.is_not(None)))
_waiting = jobs.alias("waiting")
_head = (
    select(_waiting.c.number)
    .where(_waiting.c.state == literal_column("'queued'"), _waiting.c.lane == _lanes.c.lane)
    .order_by(_waiting.c.ticket, _waiting.c.number)
    .limit(ONE)
    .correlate(_lanes)
    .scalar_subquery()
)

HEAD_COLUMNS = tuple(jobs.c[name] for name in ("lane", "device", "account", "ticket", "number", "queued_at"))
_heads = select(*HEAD_COLUMNS, null().label("held")).select_from(_lanes.join(jobs, jobs.c.number == _head))
_nothing = (cast(null(), jobs.c[name].type) for name in ("ticket", "number", "queued_at"))
_held = (
    select(cast(null(), jobs.c.lane.type), jobs.c.device, jobs.c.account, *_nothing, func.count())
    .where(IS_HELD)
    .group_by(jobs.c.device, jobs.c.account)
)
HEADS_AND_HELD = _heads.union_all(_held)
"""The oldest job of each lane in which jobs wait, and how many jobs of an account a device runs: two questions in one, for each
costs a journey. The lanes are found by skipping through the index from one to the next."""

HEAD_OF_LANE = select(*HEAD_COLUMNS).where(jobs.c.number == _in_lane.scalar_subquery())
HEAD_OF_SESSION = select(*HEAD_COLUMNS).where(jobs.c.number == _of_session.scalar_subquery())
LOCKED_DEVICE = (
    select(device_settings.c.one_at_a_time)
    .where(device_settings.c.device == bindparam("its_device"))
    .with_for_update(skip_locked=True)
)
LANES = select(_lanes.c.lane).where(_lanes.c.lane.is_not(None))
"""The lanes in which jobs wait."""


def _take(number: Any) -> ReturningUpdate[*tuple[Any, ...]]:
    """Claim a job by its number, if the job is still queued."""
    claimed = {"state": after(JobState.QUEUED, JobEvent.CLAIM).value, "attempt": jobs.c.attempt + 1}
    return update(jobs).where(jobs.c.number == number, IS_QUEUED).values(claimed).returning(*CLAIM_COLUMNS)


def _oldest_of(which: Select[Any]) -> Any:
    """Of some jobs the one to be claimed; what another dispatcher takes just now is passed over."""
    return which.with_for_update(skip_locked=True).scalar_subquery()


TAKE = _take(bindparam("its_number"))
TAKE_FROM_LANE = _take(_oldest_of(_in_lane))
TAKE_OF_SESSION = _take(_oldest_of(_of_session))


def _mine(states: Iterable[str]) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that a job is in one of some states and its attempt still the claim's.

    The states are bound, not written out: the index of the held jobs seems to serve then, and is read from end to end.
    """
    bound = [bindparam(None, state) for state in states]
    return jobs.c.id == bindparam("its_id"), jobs.c.attempt == bindparam("its_attempt"), jobs.c.state.in_(bound)


def _change(event: JobEvent) -> Update:
    """Return a change of a claimed job, if the attempt is still the claim's and ``event`` is legal."""
    return update(jobs).where(*_mine(state for state in HELD_STATES if JobState(state) in states_before(event)))


CHANGE: Mapping[JobEvent, Update] = {
    event: _change(event) for event in (JobEvent.START, JobEvent.RELEASE, JobEvent.SUCCEED, JobEvent.FAIL)
}

MINE = (
    select(jobs.c.state, jobs.c.counted, jobs.c.returned, jobs.c.attempts).where(*_mine(HELD_STATES)).with_for_update()
)

KEEP_RESULT = insert(results)
LOG = insert(log_lines)

RESULT = select(results.c.media_type, results.c.value, results.c.blob).where(
    results.c.job == bindparam("its_job"), results.c.name == bindparam("its_name")
)
OWNED_RESULT = (
    select(jobs.c.private, jobs.c.state, results.c.media_type, results.c.value, results.c.blob)
    .select_from(jobs.outerjoin(results, (results.c.job == jobs.c.id) & (results.c.name == "")))
    .where(jobs.c.id == bindparam("its_id"), jobs.c.account == bindparam("its_account"))
)
"""A job with its result, if there is one."""

STATES = select(jobs.c.id, jobs.c.state, jobs.c.device).where(jobs.c.id.in_(bindparam("its_ids", expanding=True)))

FORGET_RESULT = (
    delete(results)
    .where(results.c.job == bindparam("its_job"), results.c.name == bindparam("its_name"))
    .returning(results.c.blob)
)


def of(claim: Claim) -> dict[str, Any]:
    """Return the parameters of `CHANGE` and `MINE` that name a claim."""
    return {"its_id": claim.job_id, "its_attempt": claim.attempt}
