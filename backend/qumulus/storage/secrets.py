"""Secrets that all processes on one database share, and those of executions, which it keeps sealed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from secrets import token_bytes

from sqlalchemy import Connection, delete, insert, select

from .database.database import Database
from .database.tables import sealed_secrets, secrets
from .signing import secret_in

BYTES = 32


def shared_secret(database: Database, name: str) -> bytes:
    """Return the secret of that name, drawn by the process that asks for it first."""
    query = select(secrets.c.value).where(secrets.c.name == name)
    with database.read() as connection:
        value = connection.execute(query).scalar()
    if value is not None:
        return value

    def work(connection: Connection) -> bytes:
        value = connection.execute(query).scalar()
        if value is None:
            value = token_bytes(BYTES)
            connection.execute(insert(secrets).values(name=name, value=value))
        return value

    return database.writer.run(work)


def signing_secret(home: Path, database: Database) -> bytes:
    """Return what addresses and grants are signed with: all processes on one state have the same."""
    return shared_secret(database, "presigning") if database.shared else secret_in(home)


class SqlSealed:
    """`core.ports.SealedStore` on the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, job_id: str, sealed: bytes) -> None:
        """Keep what belongs to an execution."""
        row = {"job": job_id, "kept_at": self._database.clock.wall(), "value": sealed}
        self._database.writer.run(lambda connection: connection.execute(insert(sealed_secrets), row))

    def get(self, job_id: str) -> bytes | None:
        """Return a secret; None where there is none."""
        with self._database.read() as connection:
            return connection.execute(select(sealed_secrets.c.value).where(sealed_secrets.c.job == job_id)).scalar()

    def forget(self, job_id: str) -> None:
        """The execution has ended."""
        gone = delete(sealed_secrets).where(sealed_secrets.c.job == job_id)
        self._database.writer.run(lambda connection: connection.execute(gone))

    def sweep(self, age: timedelta) -> None:
        """Remove what was kept so long ago."""
        gone = delete(sealed_secrets).where(sealed_secrets.c.kept_at < self._database.clock.wall() - age)
        self._database.writer.run(lambda connection: connection.execute(gone))
