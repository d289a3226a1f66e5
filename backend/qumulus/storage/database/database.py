"""The database as the stores use it, whichever it is: `sqlite` is the default, `postgres` the one for several machines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, InterfaceError, ProgrammingError
from sqlalchemy.exc import TimeoutError as AllInUse

from qumulus.core.events import Events
from qumulus.core.ports import MachineClock
from qumulus.core.waits import waits

from .writer import Writer, core_error


class Database(ABC):
    """The database of one process: `read` for queries, `writer` for everything else."""

    shared = False  # whether processes that know nothing of each other may run its jobs at the same time
    at_once = True  # whether the tables are made without a look at the migrations

    def __init__(self, name: str, *, reading: Engine, writing: Engine, clock: MachineClock) -> None:
        """``name`` is what people are told; no password is in it. ``clock`` is one that all who use it agree with."""
        self.name = name
        self.clock = clock
        self._reading = reading
        self._writing = writing
        self._writer: Writer | None = None

    @property
    def engine(self) -> Engine:
        """Return the engine for migrations, before `start`."""
        return self._writing

    @property
    def writer(self) -> Writer:
        """Return what all writes of this process go through."""
        if self._writer is None:
            raise RuntimeError("Database.start() comes before the first write.")
        return self._writer

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A connection for queries; each statement sees the newest commit.

        Raises:
            Unavailable: the database can't be read now.
        """
        if self.shared:  # and far away, perhaps
            waits()
        try:
            with self._reading.connect() as connection:
                yield connection
        except (IntegrityError, DataError, ProgrammingError):
            raise  # the question is wrong, not the database
        except (DatabaseError, InterfaceError, AllInUse) as error:
            raise core_error(error) from error

    @abstractmethod
    def changing(self) -> AbstractContextManager[Connection]:
        """Return a transaction in which tables are changed; other processes that want to do so wait for its end."""

    @abstractmethod
    def start(self, events: Events) -> None:
        """Begin to write, and to emit ``events`` for what other processes did. The tables are there by now."""

    @abstractmethod
    def announce(self) -> None:
        """Let the other processes forget what they have read of settings and credentials: it was changed here."""

    def calm(self) -> bool:
        """Say whether every process that lives has had the time to renew its leases."""
        return True

    def close(self) -> None:
        """Commit what waits and close all connections."""
        if self._writer is not None:
            self._writer.close()
        self._reading.dispose()
        self._writing.dispose()
