"""Opening the SQLite database: what it promises, and what it refuses.

WAL with `synchronous=FULL`: a commit is synced before it returns, readers never wait for the writer. One connection
writes (see `writer`), a pool of them reads.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, QueuePool, create_engine, event
from sqlalchemy.exc import DatabaseError

from .errors import StateUnusable
from .writer import Writer

FILE = "qumulus.sqlite3"
BUSY_SECONDS = 10.0
READERS = 48  # the web server's threads, and ours
PAGE_CACHE_KIB = 8192

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


class Database:
    """The database of one process: `read` for queries, `writer` for everything else."""

    def __init__(self, folder: Path, *, elsewhere: Callable[[], None]) -> None:
        """Open or create it.

        Raises:
            StateUnusable: the file is damaged or not a database, or lies on a network file system.
        """
        refuse_network(folder)
        self.path = folder / FILE
        url = f"sqlite+pysqlite:///{self.path}"
        options: dict[str, Any] = {"timeout": BUSY_SECONDS, "check_same_thread": False, "cached_statements": 256}
        self._writing = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=options)
        self._reading = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=READERS,
            max_overflow=-1,
            isolation_level="AUTOCOMMIT",
            connect_args=options,
        )
        event.listen(self._writing, "connect", _prepare_writing)
        event.listen(self._reading, "connect", _prepare_reading)
        self._elsewhere = elsewhere
        self._writer: Writer | None = None

    @property
    def engine(self) -> Engine:
        """The engine for migrations, before `start`."""
        return self._writing

    @property
    def writer(self) -> Writer:
        """The one thread that writes."""
        if self._writer is None:
            raise RuntimeError("Database.start() comes before the first write.")
        return self._writer

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

    def start(self) -> None:
        """Begin to write. The tables are there by now."""
        version = "PRAGMA data_version"
        self._writer = Writer(self._writing, begin="BEGIN IMMEDIATE", elsewhere=self._elsewhere, version=version)

    def read(self) -> Connection:
        """A connection for queries, to be used in a `with`; each statement sees the newest commit."""
        return self._reading.connect()

    def close(self) -> None:
        """Commit what waits and close all connections."""
        if self._writer is not None:
            self._writer.close()
        self._reading.dispose()
        self._writing.dispose()


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
    """The kind of file system of a folder, by a text in the form of /proc/self/mountinfo."""
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
