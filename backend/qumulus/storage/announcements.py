"""Announcements, on the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from qumulus.core.announcements import Announcement
from qumulus.core.errors import UnknownAnnouncement
from qumulus.core.ports import Clock

from .database.administration import announcements
from .database.database import Database

SAID = ("title", "content", "start_time", "end_time", "publishable")


class SqlAnnouncements:
    """`core.announcements.Announcements` on the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def announcements(self) -> Sequence[Announcement]:
        """Return all announcements. See `Announcements.announcements`."""
        wanted = select(announcements).order_by(announcements.c.start_time, announcements.c.number)
        with self._database.read() as connection:
            return [Announcement(**row._mapping) for row in connection.execute(wanted)]

    def announcement(self, number: int) -> Announcement:
        """Return one announcement. See `Announcements.announcement`."""
        with self._database.read() as connection:
            row = connection.execute(select(announcements).where(announcements.c.number == number)).first()
        if row is None:
            raise UnknownAnnouncement(number)
        return Announcement(**row._mapping)

    def add(self, new: Announcement) -> Announcement:
        """Store an announcement. See `Announcements.add`."""
        added = insert(announcements).values(self._values(new)).returning(announcements)
        row = self._database.writer.run(lambda connection: connection.execute(added).one())
        return Announcement(**row._mapping)

    def change(self, changed: Announcement) -> None:
        """Store another content. See `Announcements.change`."""
        there = announcements.c.number == changed.number
        wanted = update(announcements).where(there).values(self._values(changed))
        if not self._database.writer.run(lambda connection: connection.execute(wanted).rowcount):
            raise UnknownAnnouncement(changed.number)

    def remove(self, number: int) -> None:
        """Forget an announcement. See `Announcements.remove`."""
        wanted = delete(announcements).where(announcements.c.number == number)
        if not self._database.writer.run(lambda connection: connection.execute(wanted).rowcount):
            raise UnknownAnnouncement(number)

    def _values(self, said: Announcement) -> dict[str, Any]:
        return {name: getattr(said, name) for name in SAID} | {"updated_at": self._clock.now()}
