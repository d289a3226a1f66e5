"""What jobs at devices do if no time passes, and when the next thing happens that time brings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from qumulus.core.ports import DeviceRules
from qumulus.core.ports.jobs import Movement
from qumulus.core.services import is_device
from qumulus.storage.database.tables import IS_HELD, jobs

from . import rows
from .positions import due
from .statements import HEADS_AND_HELD


def movement(connection: Connection, rules: DeviceRules, now: datetime) -> Movement:
    """Look at what is held, and at the oldest job of each lane; programs of users and engines elsewhere keep their own time."""
    held = select(jobs.c.device, jobs.c.due_at, jobs.c.owner).where(IS_HELD)
    ours = [
        row.due_at
        for row in connection.execute(held)
        if is_device(row.device) and not (row.owner or "").startswith(rows.PROVIDER)
    ]
    running = sum(at is None or at <= now for at in ours)
    waiting = [due(connection, job, rules, now) for job in _heads(connection, rules)]
    moments = [at for at in (*ours, *waiting) if at is not None and at > now]
    return Movement(
        running=running,
        ready=sum(at is None or at <= now for at in waiting),
        next_at=min(moments, default=None),
    )


def _heads(connection: Connection, rules: DeviceRules) -> list[rows.Job]:
    heads = [row for row in connection.execute(HEADS_AND_HELD) if not row.held and is_device(row.device)]
    taken = [row.number for row in heads if (known := rules.settings(row.device)).online and not known.provider]
    wanted = select(*rows.JOB_COLUMNS).where(jobs.c.number.in_(taken))
    return [rows.to_job(row) for row in connection.execute(wanted)] if taken else []
