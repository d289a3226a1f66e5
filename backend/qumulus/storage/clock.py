"""The clock of the cloud, as all processes on one state have it: `core.ports.ClockControl` on the database.

Where nobody has set it, a time costs no question. Where somebody has, each look reads the row, so that no process is late.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from qumulus.core.clock import REAL, ClockMode, ClockSetting, CloudClock
from qumulus.core.errors import Unavailable
from qumulus.core.events import Events

from .database.database import Database
from .database.tables import emulation

KIND = "clock"
SEEN_SECONDS = 0.15  # in which every process has noticed that the first row was written

_ITS = emulation.c.kind == KIND
_READ = select(emulation.c.value).where(_ITS)


class SqlClock(CloudClock):
    """The clock, and who may set it."""

    def __init__(self, database: Database, events: Events) -> None:
        super().__init__(database.clock, self._now_set)
        self._database = database
        self._events = events
        self._last = REAL
        self._asked = 0  # how often somebody may have written the row
        self._real = -1  # the last of these times after which there was none
        events.elsewhere.subscribe(lambda _: self.forget())

    def change(self, change: Callable[[ClockSetting, datetime], ClockSetting]) -> ClockSetting:
        """Set what ``change`` makes of the setting. See `core.ports.ClockControl`."""

        def work(connection: Connection) -> tuple[ClockSetting, ClockSetting]:
            before = _setting(connection.execute(_READ.with_for_update()).scalar())
            after = change(before, self._database.clock.wall())
            connection.execute(delete(emulation).where(_ITS))
            if after.mode is not ClockMode.REAL:
                connection.execute(insert(emulation).values(kind=KIND, name="", value=after.members()))
            return before, after

        before, after = self._database.writer.run(work)
        self.forget()
        self._database.announce()
        if before.mode is ClockMode.REAL and after.mode is not ClockMode.REAL:
            time.sleep(SEEN_SECONDS)
        self._events.clock.emit(None)
        self._events.queued.emit(None)  # what was not ripe may be so now
        return after

    def forget(self) -> None:
        """Look for the row again: somebody may have written it."""
        self._asked += 1

    def _now_set(self) -> ClockSetting:
        asked = self._asked  # before the question: somebody may write meanwhile
        if self._real == asked:
            return REAL
        with suppress(Unavailable), self._database.read() as connection:  # else it goes on as it did
            self._last = _setting(connection.execute(_READ).scalar())
            if self._last is REAL:
                self._real = asked
        return self._last


def _setting(value: Any) -> ClockSetting:
    return ClockSetting.of_members(value)
