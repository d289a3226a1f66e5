"""Writing to a database that may go away: what was not committed is run again, and a caller hears of a failure only if nothing was kept."""

from __future__ import annotations

import logging
import secrets
import select
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from qumulus.core.ports import MachineClock

from .columns import EPOCH, MICROSECOND
from .writer import Unit, core_error

PATIENCE_SECONDS = 4.0  # how long a write waits for a database that went away
UNSURE_SECONDS = 60.0  # how long one waits that may have been committed
AGAIN_SECONDS = 0.1
COLLISIONS = 5  # how often a transaction is run that stood in another one's way
COLLIDED = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected
AWAY = ("08", "57P", "53300")  # connection_exception, admin_shutdown and its kin, too_many_connections

BEGIN = (
    "BEGIN; INSERT INTO writers (id, commits, written_at) VALUES ('{id}', {commits}, {now}) "
    "ON CONFLICT (id) DO UPDATE SET commits = excluded.commits, written_at = excluded.written_at"
)  # one message and not two, which therefore takes no parameters
COUNTED = text("SELECT commits FROM writers WHERE id = :id FOR UPDATE")  # waits for a commit that is still on its way
LEAVE = text("DELETE FROM writers WHERE id = :id OR written_at < :long_ago")
LONG_SECONDS = 7 * 86_400.0  # after which a process that has not written is gone

log = logging.getLogger("qumulus.storage")


def lost(error: BaseException) -> bool:
    """Say whether an error means that the database went away, or is not there."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        cause = error.orig
    else:
        cause = error
    if not isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError)):
        return False
    return cause.sqlstate is None or cause.sqlstate.startswith(AWAY)


def ended(driver: Any) -> bool:
    """Say whether the server has closed a connection that nobody uses just now: there is something to read, which is its end."""
    if driver.closed:
        return True
    ready = select.poll()
    ready.register(driver.fileno(), select.POLLIN)
    return bool(ready.poll(0))


class Outage:
    """A record of whether the database is there, as far as this process knows."""

    def __init__(self, clock: MachineClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None
        self._over_at = clock.monotonic()

    def begin(self) -> None:
        """Note that the database went away."""
        with self._lock:
            if self._since is None:
                self._since = time.monotonic()
                log.warning("The database went away: trying to reach it again.")

    def end(self) -> None:
        """Note that the database is there again."""
        with self._lock:
            if self._since is not None:
                log.warning("The database is there again, after %.1f s.", time.monotonic() - self._since)
                self._since = None
                self._over_at = self._clock.monotonic()

    @property
    def seconds(self) -> float:
        """Return for how many seconds the database has been away; 0 if it is there."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def over_for(self, seconds: float) -> bool:
        """Say whether the database has been there for so many seconds without a break."""
        return self._since is None and self._clock.monotonic() - self._over_at >= seconds


class PostgresTransactions:
    """Transactions of the one connection of this process that writes."""

    look_seconds: float | None = None

    def __init__(self, engine: Engine, clock: MachineClock, outage: Outage) -> None:
        self._engine = engine
        self._clock = clock
        self._outage = outage
        self._me = secrets.token_hex(16)
        self._commits = 0
        self._connection: Connection | None = None

    def commit(self, units: Sequence[Unit[Any]]) -> Exception | None:
        """Run units and commit them. See `Transactions.commit`."""
        collisions = 0
        alone = False  # savepoints take longer than what they are for: only after a unit has raised
        self._commits += 1
        while True:
            committing = False
            try:
                connection = self._connected()
                if not self._run(connection, units, alone=alone):
                    self._say("ROLLBACK")
                    alone = True
                    continue
                committing = True
                self._say("COMMIT")
            except (SQLAlchemyError, psycopg.Error) as error:
                if lost(error):
                    self._drop()
                    self._outage.begin()
                    committed = self._was_committed() if committing else False
                    if committed is None:
                        return core_error(error)
                    if not committed and self._outage.seconds < PATIENCE_SECONDS:
                        time.sleep(AGAIN_SECONDS)
                        continue
                    if not committed:
                        return core_error(error)
                else:
                    self._undo()
                    collisions += 1
                    if collided(error) and collisions < COLLISIONS:
                        continue
                    return core_error(error)
            self._outage.end()
            return None

    def _run(self, connection: Connection, units: Sequence[Unit[Any]], *, alone: bool) -> bool:
        """Begin a transaction and run units in it; False when one has raised and can't be undone alone."""
        self._say(BEGIN.format(id=self._me, commits=self._commits, now=self._now()))
        if not alone:
            return all(unit.run(connection) for unit in units)
        for unit in units:
            unit.run_alone(connection, self._say)
        return True

    def _connected(self) -> Connection:
        if self._connection is not None and ended(self._connection.connection.driver_connection):
            self._drop()
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _say(self, statement: str) -> None:
        """Execute a statement without parameters by the driver itself, which costs a third of what SQLAlchemy takes."""
        driver = cast("psycopg.Connection", self._connected().connection.driver_connection)
        driver.execute(statement.encode())

    def _was_committed(self) -> bool | None:
        """Say whether the transaction that was being committed when the connection was lost is there; None if nobody can tell."""
        until = time.monotonic() + UNSURE_SECONDS
        while time.monotonic() < until:
            try:
                connection = self._connected()
                connection.exec_driver_sql("BEGIN")
                commits = connection.execute(COUNTED, {"id": self._me}).scalar()
                connection.exec_driver_sql("COMMIT")
                return commits == self._commits
            except SQLAlchemyError as error:
                self._drop()
                if not lost(error):
                    log.error("Whether %s was committed can't be asked, trying again: %s", self._me, error)
                time.sleep(AGAIN_SECONDS)
        log.error(
            "The database has been away for %g s: nobody knows whether the last writes were kept.", UNSURE_SECONDS
        )
        return None

    def _now(self) -> int:
        return (self._clock.wall() - EPOCH) // MICROSECOND

    def _undo(self) -> None:
        try:
            self._say("ROLLBACK")
        except (SQLAlchemyError, psycopg.Error):
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, psycopg.Error):
                connection.invalidate()
            with suppress(SQLAlchemyError, psycopg.Error):
                connection.close()

    def undo(self) -> None:
        """The server undoes what is not committed when its connection ends. See `Transactions.undo`."""
        self._drop()

    def look(self) -> None:
        """Nothing to look for: others tell what they do (see `notify`)."""

    def close(self) -> None:
        """Take our row away, and those of processes that are long gone."""
        with suppress(SQLAlchemyError):  # the next process to end does it
            long_ago = self._now() - int(LONG_SECONDS * 1e6)
            self._connected().execute(LEAVE, {"id": self._me, "long_ago": long_ago})
        self._drop()


def collided(error: Exception) -> bool:
    """Say whether a transaction was refused because of another one that ran at the same time."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) in COLLIDED
