"""One write after the other, and many of them in a commit.

Each write of this process is a *unit*: a function that is given a connection inside a transaction. Units that wait while a
commit is being synced are run together and committed together, so that a sync is paid once for all of them. `run` returns
after that commit: what it returned is on disk. A unit may be run again, when its first transaction came to nothing.

A unit that raises is undone alone; the others of its transaction are not touched. Where the database itself
fails (disk full, input or output error), nothing of the transaction is kept and every unit of it raises.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from qumulus.core.errors import QumulusError, StorageFull, Unavailable
from qumulus.core.waits import waits

T = TypeVar("T")
Work = Callable[[Connection], T]
Say = Callable[[str], object]  # a statement without parameters and without rows

GROUP = 256  # units of one transaction at most
OWN_FAULTS = (IntegrityError, DataError)  # of a unit, not of the database

log = logging.getLogger("qumulus.storage")


class Unit(Generic[T]):
    """A write and the place where its caller waits."""

    __slots__ = ("done", "error", "result", "synced", "work")

    def __init__(self, work: Work[T], *, synced: bool = True) -> None:
        self.work = work
        self.synced = synced
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

    def run(self, connection: Connection) -> bool:
        """Run it; what it raises is kept for its caller. False when it raised something.

        Raises:
            DBAPIError: the database fails.
        """
        self.error = None
        try:
            self.result = self.work(connection)
        except DBAPIError as error:
            if not isinstance(error, OWN_FAULTS):
                raise
            self.error = error
        except Exception as error:  # whatever it is, it belongs to the caller: the other units must not suffer
            self.error = error
        return self.error is None

    def run_alone(self, connection: Connection, say: Say) -> None:
        """Run it inside a savepoint, so that it can be undone alone. Another process may have been faster with the same key: then
        it finds what that one has written when it is run once more.

        Raises:
            DBAPIError: the database fails.
        """
        for again in (False, True):
            say("SAVEPOINT unit")
            if not self.run(connection):
                say("ROLLBACK TO SAVEPOINT unit")
            say("RELEASE SAVEPOINT unit")
            if again or not isinstance(self.error, IntegrityError):
                return


class Transactions(Protocol):
    """The way of units to the disk, used by one thread at a time."""

    look_seconds: float | None  # how often `look` is called; None: never

    def commit(self, units: Sequence[Unit[Any]]) -> Exception | None:
        """Run units in one transaction and commit it; the error of all of them, if nothing of it was kept."""
        ...

    def undo(self) -> None:
        """Let nothing be left of a transaction that `commit` has raised in."""
        ...

    def look(self) -> None:
        """Look whether another process has written."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class Writer:
    """Runs units of work in the order in which they come. Every write of the process goes through it.

    Where nobody writes, who comes with a unit commits it in its own thread: to wake another one, and to be woken by it, takes longer
    than most units do. What comes meanwhile is left to the thread of the writer.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._units: deque[Unit[Any]] = deque()
        self._changed = threading.Condition()  # guards all that follows
        self._writing = False  # somebody commits
        self._left = False  # what waits, and the turn to commit it, are the thread's
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="qumulus-writer", daemon=True)
        self._thread.start()

    def run(self, work: Work[T], *, synced: bool = True) -> T:
        """Run ``work`` in a transaction and return what it returned, after the commit.

        Without ``synced`` a loss of power may undo it, where the database can save a sync by that; the end of a process never
        does. It is for what ends with the power too, such as a run, and for what nobody outside is told.

        Raises:
            StorageFull: the disk is full; nothing was stored.
            Unavailable: the database can't be written now.
        """
        unit = Unit(work, synced=synced)
        if self._begin(unit):
            self._commit()
        return unit.done.result()

    def post(self, work: Work[T], *, synced: bool = True) -> Future[T]:
        """Like `run`, without waiting. Units are committed in the order in which they were posted."""
        unit = Unit(work, synced=synced)
        if self._begin(unit):
            self._leave()
        return unit.done

    def close(self) -> None:
        """Commit what was posted, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _begin(self, unit: Unit[Any]) -> bool:
        """Have a unit wait for its commit; True if nobody writes, so that it is for the caller to do so now.

        Raises:
            Unavailable: this has ended.
        """
        waits()
        with self._changed:
            if self._closed:
                raise Unavailable("The server is stopping: send the request again in a few seconds.")
            self._units.append(unit)
            first, self._writing = not self._writing, True
        return first

    def _commit(self) -> None:
        """Commit what waits, and give the turn on: to the thread, where more has come meanwhile."""
        group: list[Unit[Any]] = []
        failure: Exception | None = Unavailable(NOT_NOW)
        try:
            with self._changed:
                while self._units and len(group) < GROUP:
                    group.append(self._units.popleft())
            failure = committed(self._transactions, group)
        finally:  # also where this thread is interrupted: nobody waits for ever
            for unit in group:
                unit.settle(failure)
            self._leave()

    def _leave(self) -> None:
        """Give the turn to commit to the thread, if anything waits; else to whoever comes next."""
        with self._changed:
            self._writing = self._left = bool(self._units)
            if self._left or self._closed:
                self._changed.notify_all()

    def _loop(self) -> None:
        while self._my_turn():
            if self._units:
                self._commit()
            else:
                self._transactions.look()
                self._leave()
        self._transactions.close()

    def _my_turn(self) -> bool:
        """Wait for something to commit, or until it is time to look what others did; False when this has ended."""
        with self._changed:
            while not (self._left or (self._closed and not self._writing)):
                if not self._changed.wait(self._transactions.look_seconds) and not self._writing:
                    self._writing = True
                    return True
            self._left = False
            return self._writing


def committed(transactions: Transactions, group: Sequence[Unit[Any]]) -> Exception | None:
    """Commit; the error of all units, if nothing of them was kept. Whatever goes wrong, nobody waits for ever."""
    try:
        return transactions.commit(group)
    except BaseException as error:  # no memory, say, which SQLite's module does not tell as an error of the database
        with suppress(Exception):
            transactions.undo()
        if not isinstance(error, Exception):  # this thread is interrupted
            raise
        log.exception("%d writes came to nothing.", len(group))
        return Unavailable(NOT_NOW)


NOT_NOW = "The database can't be used now: send the request again in a few seconds."


def core_error(error: Exception) -> QumulusError:
    """Turn an error of the database into an error of the core."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if "full" in str(cause).lower() or "No space left" in str(cause):
        return StorageFull()
    log.error("The database does not answer as it should: %s", cause)
    return Unavailable(NOT_NOW)
