"""Identifiers of what is made: drawn by chance, or following from the seed of the run."""

from __future__ import annotations

import hashlib
import uuid

from sqlalchemy import Connection, insert, select, update

from .database.database import Database
from .database.tables import emulation

KIND = "ids"  # of the rows that count what was made of each sort
LASTING = ("pool",)  # sorts that a reset keeps, whose counts go on


class Ids:
    """Gives identifiers. With a seed, the so-manieth of its sort is the same in every run, whichever process asks."""

    def __init__(self, database: Database, seed: int | None) -> None:
        self._database = database
        self._seed = seed

    def new(self, sort: str) -> str:
        """Return an identifier that nothing has yet."""
        if self._seed is None:
            return str(uuid.uuid4())
        number = self._database.writer.run(lambda connection: _next(connection, sort))
        drawn = hashlib.sha256(f"{self._seed} {sort} {number}".encode()).digest()
        return str(uuid.UUID(bytes=drawn[:16], version=4))


def _next(connection: Connection, sort: str) -> int:
    here = (emulation.c.kind == KIND) & (emulation.c.name == sort)
    number = (connection.execute(select(emulation.c.value).where(here).with_for_update()).scalar() or 0) + 1
    if not connection.execute(update(emulation).where(here).values(value=number)).rowcount:
        connection.execute(insert(emulation).values(kind=KIND, name=sort, value=number))
    return number
