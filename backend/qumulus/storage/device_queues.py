"""The queues that others cause, kept in memory and read again when another process has written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from qumulus.core.queues import OthersQueue, QueueSetting

from .database.database import Database
from .database.tables import emulation

KIND = "queue"


class SqlDeviceQueues:
    """`core.ports.DeviceQueues` on the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Mapping[str, tuple[Any, OthersQueue]] | None = None
        self._before: Mapping[str, tuple[Any, OthersQueue]] = {}

    def queue(self, device: str) -> OthersQueue | None:
        """Return the queue of a device; None where nobody else is served."""
        found = self.all().get(device)
        return found[1] if found else None

    def all(self) -> Mapping[str, tuple[Any, OthersQueue]]:
        """Return what is stored of each queue, with the queue itself, by device."""
        known = self._known
        if known is None:
            wanted = select(emulation.c.name, emulation.c.value).where(emulation.c.kind == KIND)
            with self._database.read() as connection:
                stored = {row.name: row.value for row in connection.execute(wanted)}
            known = {device: (value, self._made(device, value)) for device, value in stored.items()}
            self._known = self._before = known
        return known

    def _made(self, device: str, value: Any) -> OthersQueue:
        """Return the queue; the one that was there before, if nobody has set it anew: it has come far, perhaps."""
        stored, queue = self._before.get(device, (None, None))
        return queue if queue is not None and stored == value else _of(device, value)

    def set(self, device: str, setting: QueueSetting, since: datetime) -> OthersQueue:
        """Let others queue at a device from then on."""
        value = {**asdict(setting), "recorded": [list(job) for job in setting.recorded], "since": since.isoformat()}

        def work(connection: Connection) -> None:
            _remove(connection, device)
            connection.execute(insert(emulation).values(kind=KIND, name=device, value=value))

        self._database.writer.run(work)
        self._changed()
        return _of(device, value)

    def remove(self, device: str) -> None:
        """Let nobody else be served."""
        self._database.writer.run(lambda connection: _remove(connection, device))
        self._changed()

    def forget(self) -> None:
        """Read them again: somebody may have set one."""
        self._known = None

    def _changed(self) -> None:
        self._database.announce()
        self.forget()


def _remove(connection: Connection, device: str) -> None:
    connection.execute(delete(emulation).where(emulation.c.kind == KIND, emulation.c.name == device))


def _of(device: str, value: Mapping[str, Any]) -> OthersQueue:
    members = dict(value)
    since = datetime.fromisoformat(members.pop("since"))
    recorded = tuple((float(after), float(run)) for after, run in members.pop("recorded"))
    return OthersQueue(device, QueueSetting(**members, recorded=recorded), since)
