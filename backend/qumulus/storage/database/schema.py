"""Making the tables, and bringing older ones up to date.

Alembic is imported only where there is something to bring up to date: a start on current tables costs one query.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select
from sqlalchemy.exc import DBAPIError

from qumulus.storage.errors import StateUnusable

from .administration import announcements
from .database import Database
from .texts import metadata

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0021"  # the newest file in migrations/versions; a test holds this
OURS = re.compile(r"[0-9]{4}")  # versions; those of other programs with Alembic are longer

WELCOME = {  # the migration that made the table writes the same
    "title": "Welcome",
    "content": "Everything here runs on your own machine: the devices are simulated with the noise of real calibrations.",
    "start_time": datetime(2026, 1, 1, tzinfo=UTC),
    "end_time": datetime(2099, 12, 31, tzinfo=UTC),
    "publishable": True,
    "updated_at": datetime(2026, 1, 1, tzinfo=UTC),
}

_version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def prepare(database: Database) -> None:
    """Make or update the tables.

    Raises:
        StateUnusable: they were made by a newer version or by another program, or can't be read or made.
    """
    try:
        with database.engine.connect() as connection:
            version = current(connection)
    except DBAPIError as error:
        problem = str(error.orig).splitlines()[0]
        raise StateUnusable(f"The tables in {database.name} can't be read: {problem}.") from None
    if version == HEAD:
        return
    if version is not None and not OURS.fullmatch(version):
        raise StateUnusable(f"The database {database.name} belongs to another program: name one that has no tables.")
    if version is not None and version > HEAD:
        raise StateUnusable(
            f"The database {database.name} was made by a newer version of Qumulus: install that one, or name another one."
        )
    if version is None and database.at_once:
        _create(database)
    else:
        upgrade(database)


def current(connection: Connection) -> str | None:
    """Return the version of the tables; None where there are none yet."""
    if not inspect(connection).has_table(_version.name):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()


def _create(database: Database) -> None:
    """All tables in one transaction; another process that starts at the same time waits, and finds them."""
    with database.changing() as connection:
        if current(connection) is None:
            metadata.create_all(connection, checkfirst=False)
            connection.execute(announcements.insert().values(WELCOME))
            _version.create(connection)
            connection.execute(_version.insert().values(version_num=HEAD))


def upgrade(database: Database, version: str = "head") -> None:
    """Run the migrations that are missing, all or none of them."""
    from alembic import command

    with database.changing() as connection:
        command.upgrade(_migrations(connection), version)


def downgrade(database: Database, version: str) -> None:
    """Take migrations back until ``version`` is the last one; for whoever goes back to an older Qumulus."""
    from alembic import command

    with database.changing() as connection:
        command.downgrade(_migrations(connection), version)


def _migrations(connection: Connection) -> Config:
    from pathlib import Path

    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
