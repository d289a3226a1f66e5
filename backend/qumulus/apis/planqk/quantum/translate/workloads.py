"""Jobs and sessions as entries of one list."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from pydantic import MISSING

from qumulus.apis.given import given, said
from qumulus.apis.planqk.quantum.schemas import workload as wire
from qumulus.core.jobs import Job
from qumulus.core.sessions import Session

from . import jobs, sessions

Texts = Collection[str] | None


def of_job(job: Job) -> wire.Workload:
    """A job that belongs to no session."""
    shown = jobs.job(job)
    return wire.Workload(
        id=job.id,
        type=wire.Type.JOB,
        backend_id=shown.backend_id,
        provider=shown.provider,
        status=shown.status,
        name=shown.name,
        tags=shown.tags or MISSING,
        sdk_provider=shown.sdk_provider,
        created_at=shown.created_at,
        started_at=shown.started_at,
        ended_at=shown.ended_at,
        usage_time_millis=shown.usage_time_millis,
        usage_time_state=shown.usage_time_state,
        service_execution_id=said(job.instance),
    )


def of_session(session: Session, count: int, now: datetime) -> wire.Workload:
    """A session with its jobs."""
    shown = sessions.session(session, now)
    return wire.Workload(
        id=session.id,
        type=wire.Type.SESSION,
        backend_id=shown.backend_id,
        provider=shown.provider,
        status=shown.status,
        created_at=shown.created_at,
        started_at=shown.started_at,
        ended_at=shown.closed_at,
        job_count=count,
        usage_time_millis=shown.usage_time_millis,
        service_execution_id=said(sessions.belongs(session)[1]),
        mode=shown.mode,
        sdk_provider=shown.sdk_provider,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list is to show; each that is given narrows, and any of its values will do."""

    type: Texts
    status: Texts
    provider: Texts
    backend: Texts
    tag: Texts
    origin: Texts
    execution: Texts

    def has(self, workload: wire.Workload) -> bool:
        """Whether a workload is wanted; upper and lower case are alike."""
        execution = given(workload.service_execution_id)
        asked: Iterable[tuple[Texts, Collection[str | None]]] = (
            (self.type, [workload.type]),
            (self.status, [workload.status]),
            (self.provider, [workload.provider]),
            (self.backend, [workload.backend_id]),
            (self.tag, given(workload.tags) or ()),
            (self.origin, ["STANDALONE" if execution is None else "SERVICE_EXECUTION"]),
            (self.execution, [execution]),
        )
        return all(not values or not _folded(values).isdisjoint(_folded(its)) for values, its in asked)


def _folded(texts: Iterable[str | None]) -> set[str]:
    return {text.lower() for text in texts if text is not None}


def page(found: Iterable[wire.Workload], number: int, size: int, *, descending: bool) -> wire.Page:
    """A page of those that were found."""
    every = sorted(found, key=lambda each: (each.created_at, each.id), reverse=descending)
    return wire.Page(
        content=every[number * size : (number + 1) * size],
        page=number,
        size=size,
        total_elements=len(every),
        total_pages=-(-len(every) // size),
    )
