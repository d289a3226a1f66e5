"""Executions of the core and service executions and jobs of the platform."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import MISSING
from pydantic_core import to_jsonable_python

from qumulus.apis.given import said
from qumulus.apis.planqk.platform.schemas import execution as wire
from qumulus.apis.planqk.results import merged
from qumulus.core.errors import InvalidRequest
from qumulus.core.jobs import Job
from qumulus.core.results import LogLine
from qumulus.core.services import Service, service_of

from .jobs import STATUSES
from .services import time

STORES = (
    "stores_input"  # in what the family keeps of an execution: it is a service job, and whether its input may be read
)
KIND = "MANAGED"
NEWEST = "createdAt,desc"
Known = Mapping[str, Service]  # by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which executions are listed; None where nothing is asked for."""

    application: str | None = None
    service: str | None = None
    tags: Collection[str] | None = None  # one of them is enough
    ids: Collection[str] | None = None  # patterns, likewise
    jobs_alone: bool = False

    def has(self, job: Job, known: Known) -> bool:
        """Whether an execution is wanted."""
        service = known.get(service_of(job.device))
        return (
            (not self.jobs_alone or STORES in job.request)
            and self.application in (None, job.request.get("application"))
            and self.service in (None, None if service is None else str(service.id))
            and (self.tags is None or bool(set(self.tags) & set(job.tags)))
            and (self.ids is None or any(fnmatch.fnmatchcase(job.id, _pattern(each)) for each in self.ids))
        )


def _pattern(text: str) -> str:
    """A pattern in which * alone means something."""
    return text.replace("[", "[[]").replace("?", "[?]")


def moment(name: str, text: str | None) -> datetime | None:
    """A time of a request.

    Raises:
        InvalidRequest: it is none.
    """
    if text is None:
        return None
    try:
        at = datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdecimal() else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise InvalidRequest(f"{name} is {text!r}: send a time as 2026-01-31T12:00:00Z, or milliseconds.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def execution(job: Job, known: Known) -> wire.Execution:
    """An execution."""
    return wire.Execution(**members(job, known))


def service_job(job: Job, known: Known, payload: bytes | None = None) -> wire.Job:
    """A service job; ``payload`` is its input, where that is told."""
    shown = payload is not None and job.request.get(STORES)
    return wire.Job(**members(job, known), input=payload.decode() if shown and payload is not None else MISSING)


def members(job: Job, known: Known) -> dict[str, Any]:
    """The members that all have."""
    service, application = known.get(service_of(job.device)), job.request.get("application")
    return {
        "id": job.id,
        "created_at": time(job.created_at),
        "started_at": said(None if job.running_at is None else time(job.running_at)),
        "ended_at": said(None if job.ended_at is None else time(job.ended_at)),
        "status": wire.Status(STATUSES[job.state].value),
        "type": KIND,
        "service_id": said(None if service is None else str(service.id)),
        "service_definition_id": said(None if service is None else str(service.definition_id)),
        "application_id": said(application),
        "tags": list(job.tags) or MISSING,
    }


def page(
    shown: Callable[[Job], Any], found: Sequence[Job], known: Known, page: int, size: int, sort: Sequence[str] | None
) -> dict[str, Any]:
    """The members of a page of what was found."""
    by, _, direction = (sort[0] if sort else NEWEST).partition(",")
    descending = direction == "desc"
    ordered = sorted(found, key=lambda job: (ORDERS[by](job, known), job.id), reverse=descending)
    content = [shown(job) for job in ordered[page * size : (page + 1) * size]]
    pages = -(-len(found) // size)
    return {
        "content": content,
        "page": page,
        "size": size,
        "total_elements": len(found),
        "total_pages": pages,
        "first": page == 0,
        "last": page + 1 >= pages,
        "number": len(content),
        "number_of_elements": len(content),
        "empty": not content,
        "sort": [wire.SortOrder(property=by, direction="DESC" if descending else "ASC")],
    }


def _ordinal(at: datetime | None) -> float:
    return 0.0 if at is None else at.timestamp()


ORDERS: Mapping[str, Callable[[Job, Known], Any]] = {  # by what people sort; times to the microsecond
    "createdAt": lambda job, _: job.created_at,
    "startedAt": lambda job, _: _ordinal(job.running_at),
    "endedAt": lambda job, _: _ordinal(job.ended_at),
    "status": lambda job, _: STATUSES[job.state].value,
    "serviceId": lambda job, known: str(known[service_of(job.device)].id) if service_of(job.device) in known else "",
    "applicationId": lambda job, _: job.request.get("application") or "",
}


def result(job: Job, known: Known, origin: str, files: Iterable[str], members: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the result, with the links to its files and the execution."""
    address = f"{origin}/platform/service-executions/{job.id}"
    status = to_jsonable_python(execution(job, known), by_alias=True)
    return merged(members, status, files, execution=address, result=f"{address}/results")


def logs(lines: Sequence[LogLine]) -> wire.Logs:
    """A log of at least one line."""
    entries = [_entry(line) for line in lines]
    return wire.Logs(first=entries[0], last=entries[-1], empty=False, entries=entries)


def plain(lines: Iterable[LogLine]) -> bytes:
    """A log as text."""
    told = (f"{line.time.isoformat(timespec='milliseconds')} {line.severity.value} {line.text}\n" for line in lines)
    return "".join(told).encode("utf-8", "replace")


def _entry(line: LogLine) -> wire.LogEntry:
    at = str(round(line.time.timestamp() * 1000))
    return wire.LogEntry(message=line.text, severity=line.severity.value, timestamp=at)


def sent_again(payload: bytes) -> Mapping[str, Any]:
    """The input of an execution, as it was sent."""
    return json.loads(payload)
