"""One thread that writes, and commits many writes at once.

Each write of this process is a *unit*: a function that is given a connection inside a transaction. Units that wait while a
commit is being synced are run together and committed together, so that a sync is paid once for all of them. `run` returns
after that commit: what it returned is on disk.

A unit that raises is undone alone (a savepoint); the others of its transaction are not touched. Where the database itself
fails (disk full, input or output error), nothing of the transaction is kept and every unit of it raises.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from qumulus.core.errors import QumulusError, StorageFull, Unavailable

T = TypeVar("T")
Work = Callable[[Connection], T]

GROUP = 256  # units of one transaction at most
LOOK_SECONDS = 0.025  # how often it looks whether another process committed

log = logging.getLogger("qumulus.storage")


class _Unit(Generic[T]):
    """A write and the place where its caller waits."""

    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.done: Future[T] = Future()
        self.result: T
        self.error: Exception | None = None

    def settle(self, error: Exception | None = None) -> None:
        """Tell the caller."""
        error = error or self.error
        if error is None:
            self.done.set_result(self.result)
        else:
            self.done.set_exception(error)


class Writer:
    """Runs units of work in the order in which they come. Start it once; every write of the process goes through it."""

    def __init__(self, engine: Engine, *, begin: str, elsewhere: Callable[[], None], version: str | None) -> None:
        """``begin`` opens a transaction that will write; ``version`` is a query whose answer changes when another process
        has committed, after which ``elsewhere`` is called."""
        self._engine = engine
        self._begin = begin
        self._elsewhere = elsewhere
        self._version_query = version
        self._version: Any = None
        self._units: queue.SimpleQueue[_Unit[Any] | None] = queue.SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="qumulus-writer", daemon=True)
        self._thread.start()

    def run(self, work: Work[T]) -> T:
        """Run ``work`` in a transaction and return what it returned, after the commit.

        Raises:
            StorageFull: the disk is full; nothing was stored.
            Unavailable: the database can't be written now.
        """
        return self.post(work).result()

    def post(self, work: Work[T]) -> Future[T]:
        """Like `run`, without waiting. Units are committed in the order in which they were posted."""
        unit = _Unit(work)
        with self._closing:
            if self._closed:
                raise Unavailable("The server is stopping: send the request again in a few seconds.")
            self._units.put(unit)
        return unit.done

    def close(self) -> None:
        """Commit what was posted, and end."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._units.put(None)
        self._thread.join()

    def _loop(self) -> None:
        with self._engine.connect() as connection:
            open_ = True
            looked = 0.0
            while open_:
                if time.monotonic() - looked >= LOOK_SECONDS:
                    self._look(connection)
                    looked = time.monotonic()
                try:
                    first = self._units.get(timeout=LOOK_SECONDS)
                except queue.Empty:
                    continue
                open_, group = self._group(first)
                if group:
                    self._commit(connection, group)

    def _group(self, first: _Unit[Any] | None) -> tuple[bool, list[_Unit[Any]]]:
        """All units that wait, and whether more may come."""
        group: list[_Unit[Any]] = []
        unit = first
        while unit is not None:
            group.append(unit)
            if len(group) == GROUP:
                return True, group
            try:
                unit = self._units.get_nowait()
            except queue.Empty:
                return True, group
        return False, group

    def _commit(self, connection: Connection, group: list[_Unit[Any]]) -> None:
        failure: Exception | None = None
        try:
            connection.exec_driver_sql(self._begin)
            for unit in group:
                self._run(connection, unit)
            connection.exec_driver_sql("COMMIT")
        except SQLAlchemyError as error:
            failure = told(error)
            self._undo(connection)
        for unit in group:
            unit.settle(failure)

    @staticmethod
    def _run(connection: Connection, unit: _Unit[Any]) -> None:
        connection.exec_driver_sql("SAVEPOINT unit")
        try:
            unit.result = unit.work(connection)
        except DBAPIError as error:
            if not isinstance(error, IntegrityError):
                raise
            unit.error = error
        except Exception as error:
            unit.error = error
        if unit.error is not None:
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
        connection.exec_driver_sql("RELEASE SAVEPOINT unit")

    @staticmethod
    def _undo(connection: Connection) -> None:
        try:
            connection.exec_driver_sql("ROLLBACK")
        except SQLAlchemyError:
            log.debug("The database had undone the transaction by itself.")

    def _look(self, connection: Connection) -> None:
        """Ask whether another process committed: SQLite counts the commits of other connections."""
        if self._version_query is None:
            return
        try:
            version = connection.exec_driver_sql(self._version_query).scalar()
        except SQLAlchemyError as error:
            log.error("The database can't be read: %s", error)
            return
        if version != self._version:
            self._version, first = version, self._version is None
            if not first:
                self._elsewhere()


def told(error: SQLAlchemyError) -> QumulusError:
    """An error of the database as the core says it."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if "full" in str(cause).lower():
        return StorageFull()
    log.error("The database can't be written: %s", cause)
    return Unavailable("The database can't be written now: send the request again in a few seconds.")
