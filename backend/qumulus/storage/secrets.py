"""Secrets that all processes on one database share."""

from __future__ import annotations

from secrets import token_bytes

from sqlalchemy import Connection, insert, select

from .database import Database
from .tables import secrets

BYTES = 32


def shared_secret(database: Database, name: str) -> bytes:
    """A secret, drawn by whoever asks for it first."""
    known = select(secrets.c.value).where(secrets.c.name == name)
    with database.read() as connection:
        value = connection.execute(known).scalar()
    if value is not None:
        return value

    def work(connection: Connection) -> bytes:
        value = connection.execute(known).scalar()
        if value is None:
            value = token_bytes(BYTES)
            connection.execute(insert(secrets).values(name=name, value=value))
        return value

    return database.writer.run(work)
