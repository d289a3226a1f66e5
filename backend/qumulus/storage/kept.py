"""What is read again and again, and seldom written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

from .database.database import Database

T = TypeVar("T")
MOST_KEPT = 10_000  # queries


class Kept:
    """A cache of what was read, until somebody writes: every request asks who sends it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values: dict[tuple[Any, ...], Any] = {}

    def read(self, key: tuple[Any, ...], ask: Callable[[Connection], T]) -> T:
        """Return what ``ask`` finds. What is not there is asked for each time."""
        values = self._values  # those of now: what is read before somebody writes is not kept beyond that
        if key in values:
            return values[key]
        with self._database.read() as connection:
            found = ask(connection)
        if found and len(values) < MOST_KEPT:
            values[key] = found
        return found

    def forget(self) -> None:
        """Keep nothing of what was read until now."""
        self._values = {}


class Keeping:
    """Reads by way of what is kept, and writes so that everybody reads again."""

    _database: Database
    _kept: Kept

    def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            return self._database.writer.run(work)
        finally:
            self.forget()
            self._database.announce()

    def forget(self) -> None:
        """Read again what is next asked for: somebody has written."""
        self._kept.forget()
