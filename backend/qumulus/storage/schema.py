"""Making the tables, and bringing older ones up to date.

Alembic is imported only where there is something to bring up to date: a start on current tables costs one query.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select
from sqlalchemy.exc import DBAPIError

from .database import Database
from .errors import StateUnusable
from .tables import metadata

HEAD = "0001"  # the newest file in migrations/versions; a test holds this

_version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def prepare(database: Database) -> None:
    """Make or update the tables.

    Raises:
        StateUnusable: they were made by a newer version.
    """
    with database.engine.connect() as connection:
        version = current(connection)
    if version == HEAD:
        return
    if version is None:
        _create(database)
    elif version > HEAD:
        raise StateUnusable(
            f"The database {database.path} was made by a newer version of Qumulus: install that one, or name another folder."
        )
    else:
        upgrade(database)


def current(connection: Connection) -> str | None:
    """The version of the tables; None where there are none yet."""
    if not inspect(connection).has_table(_version.name):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()


def _create(database: Database) -> None:
    """All tables in one transaction; another process that starts at the same time waits, and finds them."""
    with database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            if current(connection) is None:
                metadata.create_all(connection, checkfirst=False)
                _version.create(connection)
                connection.execute(_version.insert().values(version_num=HEAD))
            connection.exec_driver_sql("COMMIT")
        except DBAPIError as error:
            connection.exec_driver_sql("ROLLBACK")
            raise StateUnusable(f"The tables can't be made in {database.path}: {error.orig}.") from error


def upgrade(database: Database) -> None:
    """Run the migrations that are missing."""
    from pathlib import Path

    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
