"""Jobs that wait for a device that takes none now: their logs say so, so that nobody has to guess."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, insert, literal, select, update

from qumulus.core.devices import DeviceSettings
from qumulus.core.faults import Fault
from qumulus.core.results import Severity
from qumulus.storage.database.columns import Moment
from qumulus.storage.database.tables import IS_QUEUED, jobs, log_lines

from . import rows


def tell(
    connection: Connection,
    device: str,
    settings: DeviceSettings,
    now: datetime,
    job_id: str | None = None,
    *,
    fault: Fault | None = None,
) -> int:
    """Write to the logs of the jobs that wait for a device, or of one of them, why they wait; nothing where it takes jobs.

    Where a ``fault`` has taken it off, their records name it. Returns how many jobs are told what they had not been told.
    """
    if settings.online or settings.provider:
        return 0
    why = f" ({settings.message.removesuffix('.')})" if settings.message else ""
    text = f"It waits: device {device} takes no jobs now{why}."
    waiting = IS_QUEUED & (rows.lanes_of(device) if job_id is None else jobs.c.id == job_id)
    if fault is not None:
        waiting &= ~rows.IS_ASIDE
        known = exists().where(log_lines.c.job == jobs.c.id, log_lines.c.text == text)
        untold = connection.execute(select(jobs.c.id).where(waiting, ~known)).scalars().all()
        connection.execute(update(jobs).where(waiting).values(metadata={"injected": fault.record}))
        waiting &= ~known
    said: tuple[Any, ...] = (literal(now, Moment), literal(Severity.NOTICE.value), literal(text))
    lines = select(jobs.c.id, jobs.c.attempt, *said).where(waiting)
    told = connection.execute(insert(log_lines).from_select(["job", "attempt", "time", "severity", "text"], lines))
    return told.rowcount if fault is None else len(untold)
