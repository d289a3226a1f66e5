"""PostgreSQL, for several machines: any number of processes accept jobs and run them, on one database.

Reads and writes are as on SQLite (one connection of a process writes, a pool of them reads). What differs is that others write at
the same time: a claim locks its row and skips what is locked (`statements`), leases are compared by the database's clock,
and news of what was committed travels by NOTIFY (`notify`).

**A lost connection.** What was not committed is run again on the next one; where it was lost while it committed, the count in
`writers` tells whether it did. So a caller hears of a failure only if nothing was kept.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import URL, Connection, NullPool, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError

from qumulus.core.clock import SystemClock
from qumulus.core.events import Events
from qumulus.core.ports import MachineClock
from qumulus.storage.errors import StateUnusable

from .database import Database
from .notify import Notifier
from .reconnect import AGAIN_SECONDS, PATIENCE_SECONDS, Outage, PostgresTransactions, ended, lost
from .writer import Writer

READERS = 16  # connections of a process at most that read
CALM_SECONDS = 5.0  # after the database was away: by then every dispatcher that lives has renewed its leases
SKEW = timedelta(seconds=0.25)  # clocks that differ by less are the same: asking takes time too
TABLES_LOCK = 0x71756D75  # an advisory lock of ours
# A connection is given up when the other side has been silent for so long; TCP itself waits for hours.
ALIVE = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}


class PostgresDatabase(Database):
    """One database of a server."""

    shared = True
    at_once = False  # the migrations have what PostgreSQL alone needs, such as the conditions of its indexes

    def __init__(self, target: URL, clock: MachineClock) -> None:
        """Open it; wait a little if it is not there yet. ``target`` is what `urls.parsed` gives.

        Raises:
            StateUnusable: it can't be reached, or can't be used.
        """
        options: dict[str, Any] = {"application_name": "qumulus"} | ALIVE
        common: dict[str, Any] = {
            "isolation_level": "AUTOCOMMIT",
            "connect_args": {name: value for name, value in options.items() if name not in target.query},
            "json_serializer": written,
        }
        reading = create_engine(
            target,
            poolclass=QueuePool,
            pool_size=READERS,
            max_overflow=0,
            pool_timeout=PATIENCE_SECONDS,
            pool_reset_on_return=None,  # each statement is its own transaction
            **common,
        )
        event.listen(reading, "checkout", _refuse_dead)
        super().__init__(
            shown(target),
            reading=reading,
            writing=create_engine(target, poolclass=NullPool, **common),
            clock=clock,
        )
        self.clock = self._agreed = DatabaseClock(clock)
        self._outage = Outage(clock)
        self._herald = None
        self._reach()

    def _reach(self) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self._writing.connect() as connection:
                    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
                    self._agreed.compare(connection)
                break
            except DBAPIError as error:
                if not lost(error) or time.monotonic() > until:
                    problem = " ".join(str(error.orig).split())
                    raise StateUnusable(
                        f"The database {self.name} can't be reached ({problem[:300].rstrip('.')}): "
                        "start it, or name another one with QUMULUS_DATABASE."
                    ) from None
                time.sleep(AGAIN_SECONDS)
        if encoding != "UTF8":
            raise StateUnusable(f"The database {self.name} keeps texts as {encoding}: make one with ENCODING 'UTF8'.")

    @contextmanager
    def changing(self) -> Generator[Connection]:
        """A transaction in which tables are changed. See `Database.changing`."""
        with self._writing.connect() as connection:
            try:
                connection.exec_driver_sql("BEGIN")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TABLES_LOCK})")
                yield connection
                connection.exec_driver_sql("COMMIT")
            except DBAPIError as error:
                problem = str(error.orig).splitlines()[0]
                raise StateUnusable(f"The tables can't be made in {self.name}: {problem}.") from None

    def start(self, events: Events) -> None:
        """Begin to write and to listen. See `Database.start`."""
        self._writer = Writer(PostgresTransactions(self._writing, self.clock, self._outage))
        self._herald = Notifier(self._reading, self._writing, events, self._outage, self._agreed.compare)
        self._herald.start()

    def announce(self) -> None:
        """Let the others forget. See `Database.announce`."""
        if self._herald is not None:
            self._herald.announce()

    def calm(self) -> bool:
        """Say whether the database has been there for some time. See `Database.calm`."""
        return self._outage.over_for(CALM_SECONDS)

    def close(self) -> None:
        """Commit what waits, say what is to be said, and close all connections."""
        if self._writer is not None:
            self._writer.close()
        if self._herald is not None:
            self._herald.close()
        super().close()


def shown(target: URL) -> str:
    """Return a URL for people: a password may stand in it, and in what follows its question mark."""
    where = {name: value for name, value in target.query.items() if name == "host"}
    return target.set(drivername="postgresql", query=where).render_as_string(hide_password=True)


class DatabaseClock:
    """`core.ports.MachineClock` as the database has it: the machines that share it may differ in what they think the time is."""

    def __init__(self, clock: MachineClock) -> None:
        self._clock = clock
        self._skew = timedelta()

    def compare(self, connection: Connection) -> None:
        """Compare the clock of this machine with that of the database."""
        before = SystemClock().wall()
        theirs = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        skew = theirs - before - (SystemClock().wall() - before) / 2
        self._skew = skew if abs(skew) > SKEW else timedelta()

    def wall(self) -> datetime:
        """Wall time, aware, in UTC."""
        return self._clock.wall() + self._skew

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._clock.monotonic()


def _refuse_dead(driver: Any, _record: object, _proxy: object) -> None:
    """Let the pool connect anew where the server has closed a connection: there is something to be read on it, its end."""
    if ended(driver):
        raise InvalidatePoolError


def written(value: Any) -> str:
    """Return a value as JSON for PostgreSQL, which takes no NaN and no infinite number: null stands for them."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(member) for member in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
