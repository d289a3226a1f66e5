"""The default database, SQLite: its promises, and what it refuses.

WAL with `synchronous=FULL`: a commit is synced before it returns, readers never wait for the writer. One connection
writes (see `writer`), a pool of them reads.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, QueuePool, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, SQLAlchemyError

from qumulus.core.clock import SystemClock
from qumulus.core.events import Events
from qumulus.core.ports import MachineClock
from qumulus.storage.errors import StateUnusable

from .database import Database
from .writer import Unit, Writer, core_error

FILE = "qumulus.sqlite3"
BUSY_SECONDS = 10.0
READERS = 48  # the web server's threads, and ours
PAGE_CACHE_KIB = 8192
LOOK_SECONDS = 0.025  # how often the writer looks whether another process committed

log = logging.getLogger("qumulus.storage")

NETWORK_FILE_SYSTEMS = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "coda",
        "gfs",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "ocfs2",
        "beegfs",
        "davfs",
        "webdav",
        "s3fs",
        "sshfs",
    ]
)


class SqliteDatabase(Database):
    """One file in the state folder."""

    def __init__(self, folder: Path, clock: MachineClock | None = None) -> None:
        """Open the database, or create one.

        Raises:
            StateUnusable: the file is damaged or not a database, or lies on a network file system; or this SQLite has no full texts.
        """
        refuse_network(folder)
        refuse_without_texts()
        self.path = folder / FILE
        url = f"sqlite+pysqlite:///{self.path}"
        options: dict[str, Any] = {"timeout": BUSY_SECONDS, "check_same_thread": False, "cached_statements": 256}
        writing = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=options)
        reading = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=READERS,
            max_overflow=-1,
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,  # there is nothing to roll back
            connect_args=options,
        )
        event.listen(writing, "connect", _prepare_writing)
        event.listen(reading, "connect", _prepare_reading)
        super().__init__(str(self.path), reading=reading, writing=writing, clock=clock or SystemClock())

    def check(self) -> None:
        """Read the whole file once.

        Raises:
            StateUnusable: a page is damaged.
        """
        try:
            with self._writing.connect() as connection:
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        except (DatabaseError, sqlite3.DatabaseError) as error:
            found = str(getattr(error, "orig", error))
        if found != "ok":
            problem = " ".join(str(found).split())
            raise StateUnusable(
                f"The database {self.path} is damaged ({problem[:120]}): put back a copy of it, "
                "or move the folder away to begin anew."
            )

    @contextmanager
    def changing(self) -> Generator[Connection]:
        """A transaction in which tables are changed. See `Database.changing`."""
        with self._writing.connect() as connection:
            # A table that is made anew is dropped first: that must not take along the rows that refer to it.
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except DBAPIError as error:
                _undo(connection)
                raise StateUnusable(f"The tables can't be made in {self.path}: {error.orig}.") from error
            except BaseException:  # an interrupted start leaves no half of a change behind either
                _undo(connection)
                raise

    def start(self, events: Events) -> None:
        """Begin to write. See `Database.start`."""
        self._writer = Writer(SqliteTransactions(self._writing, events))

    def announce(self) -> None:
        """Nothing to say: the others see that the count of commits has changed."""


class SqliteTransactions:
    """Transactions of the one connection that writes, and a look at the counter of others' commits."""

    def __init__(self, engine: Engine, events: Events) -> None:
        self.look_seconds: float | None = LOOK_SECONDS
        self._connection = engine.connect()
        raw = self._connection.connection.driver_connection
        if not isinstance(raw, sqlite3.Connection):
            raise TypeError("SQLite is written by its own module.")
        self._raw = raw  # statements without values cost a tenth there
        self._syncs = True
        self._events = events
        self._version: Any = None
        self._looked = 0.0
        self.look()

    def commit(self, units: Sequence[Unit[Any]]) -> Exception | None:
        """Run units and commit them. See `Transactions.commit`."""
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self.look()
        say = self._raw.execute
        try:
            self._sync(any(unit.synced for unit in units))
            if len(units) == 1:
                self._commit_one(units[0])
            else:
                say("BEGIN IMMEDIATE")
                for unit in units:
                    unit.run_alone(self._connection, say)
                say("COMMIT")
        except (SQLAlchemyError, sqlite3.Error) as error:
            _undo(self._connection)
            return core_error(error)
        return None

    def _commit_one(self, unit: Unit[Any]) -> None:
        """What `Unit.run_alone` does, where there is nobody to be kept apart from: a savepoint costs as much as a statement."""
        for again in (False, True):
            self._raw.execute("BEGIN IMMEDIATE")
            kept = unit.run(self._connection)
            self._raw.execute("COMMIT" if kept else "ROLLBACK")
            if kept or again or not isinstance(unit.error, IntegrityError):
                return

    def undo(self) -> None:
        """Undo what was begun. See `Transactions.undo`."""
        _undo(self._connection)

    def _sync(self, wanted: bool) -> None:
        """Say whether the next commit is synced, which brings to disk what was committed before as well."""
        if wanted != self._syncs:
            self._raw.execute(f"PRAGMA synchronous = {'FULL' if wanted else 'NORMAL'}")
            self._syncs = wanted

    def look(self) -> None:
        """Ask whether another process committed: SQLite counts the commits of other connections."""
        self._looked = time.monotonic()
        try:
            (version,) = self._raw.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            log.error("The database can't be read: %s", error)
            return
        if version != self._version:
            self._version, first = version, self._version is None
            if not first:
                self._events.elsewhere.emit(None)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


def _undo(connection: Connection) -> None:
    try:
        connection.exec_driver_sql("ROLLBACK")
    except SQLAlchemyError:
        log.debug("The database had undone the transaction by itself.")


def _prepare_writing(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are ours
    for pragma in (
        f"busy_timeout = {int(BUSY_SECONDS * 1000)}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"cache_size = -{PAGE_CACHE_KIB}",
        "wal_autocheckpoint = 4000",
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_reading(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (f"busy_timeout = {int(BUSY_SECONDS * 1000)}", "query_only = ON", "cache_size = -2048"):
        connection.execute(f"PRAGMA {pragma}")


def refuse_without_texts(made_with: str = "ENABLE_FTS5") -> None:
    """Refuse a library that lacks what `texts` needs; hardly any does.

    Raises:
        StateUnusable: it was made without.
    """
    with closing(sqlite3.connect(":memory:")) as library:
        has = library.execute("SELECT sqlite_compileoption_used(?)", (made_with,)).fetchone()[0]
    if not has:
        raise StateUnusable(
            f"The SQLite {sqlite3.sqlite_version} of this Python was made without FTS5, by which jobs are searched: use another Python, "
            "or name a PostgreSQL in QUMULUS_DATABASE."
        )


def refuse_network(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> None:
    """Refuse a folder whose file system can't lock files and sync pages as a local one does.

    Raises:
        StateUnusable: the folder is on a network file system.
    """
    if not mounts.exists():
        return  # not Linux: there is nothing to ask
    kind = file_system(folder.resolve(), mounts.read_text())
    if kind.removeprefix("fuse.") in NETWORK_FILE_SYSTEMS:
        raise StateUnusable(
            f"The folder {folder} is on a network file system ({kind}), where the database is not safe: "
            "name a local folder with --home or QUMULUS_HOME."
        )


def file_system(folder: Path, mountinfo: str) -> str:
    """Return the kind of file system of a folder, by a text in the form of /proc/self/mountinfo."""
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4]))
        if folder.is_relative_to(point) and len(point.parts) >= best:  # a later mount covers an earlier one
            best, kind = len(point.parts), after.split()[0]
    return kind
