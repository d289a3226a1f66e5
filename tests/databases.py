"""Which database the states of tests are kept in: SQLite in their folder, or one of their own on a PostgreSQL server.

The tests of the storage run on both, and those of execution and faults that are marked `everywhere`. The
long form of the tests of faults runs them on both. With QUMULUS_TEST_DATABASE=postgres all tests run on PostgreSQL, and every server that they start; with `sqlite` none does.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import postgres
import qumulus.storage
from qumulus.core.clock import SystemClock
from qumulus.storage.database.postgres import CALM_SECONDS
from qumulus.storage.database.schema import prepare
from qumulus.storage.storage import open_database

ASKED = os.environ.get("QUMULUS_TEST_DATABASE", "both")
KINDS = ("sqlite", "postgres")
CALM = {"sqlite": 0.0, "postgres": CALM_SECONDS}
"""For how many seconds a process that has just begun hands back nothing that others had: they may have lost their connection too."""


def wanted(kind: str, *, everywhere: bool) -> bool:
    """Whether a test that may run on all databases runs on this one."""
    return kind == ASKED or (ASKED == "both" and (everywhere or kind == "sqlite"))


_kind = ["postgres" if ASKED == "postgres" else "sqlite"]
_made: set[str] = set()
_making = threading.Lock()


def kind() -> str:
    """The kind that states are opened on now."""
    return _kind[0]


def use(name: str) -> None:
    """Open states on databases of this kind from now on."""
    _kind[0] = name


def url(home: Path, *, empty: bool = False) -> str | None:
    """The URL of the database of a state folder, with its tables unless it is to be ``empty``; None for SQLite."""
    if kind() == "sqlite":
        return None
    name = "t" + hashlib.sha256(str(home.absolute()).encode()).hexdigest()[:24]
    with _making:
        if name not in _made and not empty:
            return _copy(name)
        _made.add(name)
        return postgres.shared().database(name)


@functools.cache
def _template() -> str:
    """A database with all tables: copying it is faster than making them."""
    name = "tables"
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder), postgres.shared().database(name), SystemClock())
        prepare(database)
        database.close()
    return name


def _copy(name: str) -> str:
    _made.add(name)
    return postgres.shared().database(name, _template())


def environment(home: Path) -> dict[str, str]:
    """What a process needs in its environment to use the state in ``home`` as tests do."""
    found = url(home)
    return {"QUMULUS_DATABASE": found} if found else {}


@pytest.fixture(autouse=True, params=KINDS)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The kind of database. Import it into the conftest of tests that may run on all."""
    before = kind()
    use(request.param)
    if request.param == "postgres":
        monkeypatch.setattr("qumulus.storage.database.postgres.CALM_SECONDS", 0)
    yield request.param
    use(before)
    forget()


def forget() -> None:
    """Drop the databases that were made until now."""
    while _made:
        postgres.shared().drop(_made.pop())


_open = qumulus.storage.open_storage


@functools.wraps(_open)
def _open_as_asked(home: Path, **options: object) -> qumulus.storage.Storage:
    options.setdefault("url", url(home))
    return _open(home, **options)  # ty: ignore[invalid-argument-type]


qumulus.storage.open_storage = _open_as_asked
