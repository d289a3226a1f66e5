"""Jobs that wait for a device that takes none now: their logs say so, so that nobody has to guess."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, literal, select

from qumulus.core.devices import DeviceSettings
from qumulus.core.results import Severity
from qumulus.storage.database.tables import IS_QUEUED, Moment, jobs, log_lines

from . import rows


def tell(
    connection: Connection, device: str, settings: DeviceSettings, now: datetime, job_id: str | None = None
) -> None:
    """Write to the logs of the jobs that wait for a device, or of one of them, why they wait; nothing where it takes jobs."""
    if settings.online or settings.provider:
        return
    why = f" ({settings.message.removesuffix('.')})" if settings.message else ""
    text = f"It waits: device {device} takes no jobs now{why}."
    said: tuple[Any, ...] = (literal(now, Moment), literal(Severity.NOTICE.value), literal(text))
    waiting = select(jobs.c.id, jobs.c.attempt, *said).where(IS_QUEUED)
    waiting = waiting.where(rows.lanes_of(device)) if job_id is None else waiting.where(jobs.c.id == job_id)
    connection.execute(insert(log_lines).from_select(["job", "attempt", "time", "severity", "text"], waiting))
