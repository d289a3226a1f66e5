"""Looking at a state without changing it: whether it is whole, and what this version would make of it."""

from __future__ import annotations

import ast
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from qumulus.core.clock import SystemClock

from .backup import copy_database, named_values
from .blobs.disk import DiskBlobs
from .database import schema, texts
from .database.columns import EPOCH, MICROSECOND
from .database.sqlite import FILE, SqliteDatabase
from .errors import StateUnusable

STEPS = Path(schema.__file__).parent / "migrations" / "versions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was seen of a state in a folder."""

    tables: str | None  # the version of its tables; None where there are none yet
    damage: str | None  # what SQLite says of the file; None where it is whole
    jobs: int
    lost: int  # large values that rows name and that are not there
    newest: datetime | None  # when the last job was submitted
    size: int  # bytes of the database


def examine(home: Path) -> Examined | None:
    """Look at the state in a folder, which others may use meanwhile; None where there is none.

    Raises:
        StateUnusable: the file can't be read, or is no database.
    """
    file = home / FILE
    if not file.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            found = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
            tables = _version(database)
            jobs, newest = 0, None
            if tables is not None:
                jobs, newest = database.execute("SELECT count(*), max(created_at) FROM jobs").fetchone()
    except sqlite3.Error as error:
        raise StateUnusable(f"The database {file} can't be read: {error}. Put back a backup of it.") from error
    return Examined(
        tables=tables,
        damage=None if found == "ok" else found,
        jobs=jobs,
        lost=_lost(home) if tables == schema.HEAD and found == "ok" else 0,
        newest=None if newest is None else EPOCH + newest * MICROSECOND,
        size=file.stat().st_size,
    )


def _version(database: sqlite3.Connection) -> str | None:
    known = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    return database.execute("SELECT version_num FROM alembic_version").fetchone()[0] if known else None


def _lost(home: Path) -> int:
    if not (home / "blobs").is_dir():
        return len(named_values(home / FILE))
    there = set(DiskBlobs(home / "blobs").keys())
    return len(named_values(home / FILE) - there)


def missing_steps(tables: str | None) -> Sequence[tuple[str, str]]:
    """Return the migrations that tables of a version need, with what each says that it does.

    Raises:
        StateUnusable: they are of a newer version.
    """
    if tables is not None and tables > schema.HEAD:
        raise StateUnusable(
            f"The state was made by a newer version of Qumulus (tables {tables}, this one knows {schema.HEAD}): install that one, "
            "or restore a backup of before into another folder."
        )
    if tables is None:  # they are made as they are today
        return []
    later = (path for path in sorted(STEPS.glob("[0-9]*.py")) if path.name[:4] > tables)
    return [(path.name[:4], _about(path)) for path in later]


def _about(step: Path) -> str:
    """The first paragraph of what a migration says of itself."""
    text = ast.get_docstring(ast.parse(step.read_text())) or ""
    return " ".join(text.split("\n\n")[0].split())


def rehearse(home: Path) -> Mapping[str, int]:
    """Run the missing migrations on a copy of the database beside it; how many rows each table has afterwards.

    Raises:
        StateUnusable: a migration fails, or rows are lost.
    """
    with tempfile.TemporaryDirectory(prefix=".upgrade-", dir=home) as folder:
        copy = Path(folder) / FILE
        copy_database(home / FILE, copy)
        before = _rows(copy)
        database = SqliteDatabase(Path(folder), SystemClock())
        try:
            schema.upgrade(database)
        finally:
            database.close()
        after = _rows(copy)
    fewer = [name for name, count in before.items() if after.get(name, 0) < count and name != "alembic_version"]
    if fewer:
        raise StateUnusable(
            f"An upgrade would lose rows of {', '.join(sorted(fewer))}: keep this version, and report it."
        )
    return after


def _rows(file: Path) -> Mapping[str, int]:
    with closing(sqlite3.connect(file)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        names = [name for name in names if not name.startswith(texts.TABLE)]  # an index, whose rows come and go
        return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608
