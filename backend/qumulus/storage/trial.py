"""Trying what a submission would meet now: a file and a row are written, synced and removed again."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import threading
from collections.abc import Sequence
from concurrent.futures import TimeoutError as TooLate
from pathlib import Path

from sqlalchemy import Connection, delete, insert

from qumulus.core.errors import QumulusError, StorageFull
from qumulus.core.health import Check

from .database.clock_jump import ClockJump
from .database.database import Database
from .database.tables import sealed_secrets

SIZE = 64 << 10  # bytes of each, more than most submissions have
FRESH_SECONDS = 2.0  # as long as what was found is told again: whoever asks often must not fill the disk with syncs
PATIENCE_SECONDS = 5.0
SLOW = f"The database has not committed a row within {PATIENCE_SECONDS:g} s: what is sent now waits as long, or longer."
LEAPT = "The clock of this machine was set a short time ago, or it slept: jobs of other dispatchers are left alone for a minute."
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Trial:
    """Writes to the state of one process, at most once in two seconds."""

    def __init__(self, home: Path, database: Database) -> None:
        self._home = home
        self._database = database
        self._leap = ClockJump(database.clock)
        self._lock = threading.Lock()
        self._found: Sequence[Check] = ()
        self._until = float("-inf")

    def checks(self) -> Sequence[Check]:
        """Disk, database and clock, as they were at most two seconds ago."""
        with self._lock:
            now = self._database.clock.monotonic()
            if now >= self._until:
                clock = LEAPT if self._leap.just_now() else None
                self._found = (
                    Check("disk", self._disk()),
                    Check("database", self._row()),
                    Check("clock", clock, needed=False),
                )
                self._until = self._database.clock.monotonic() + FRESH_SECONDS
            return self._found

    def _disk(self) -> str | None:
        path = self._home / f"trial-{os.getpid()}"
        try:
            with path.open("wb") as file:
                file.write(secrets.token_bytes(SIZE))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            full = error.errno in FULL
            return str(StorageFull()) if full else f"The folder {self._home} can't be written: {error.strerror}."
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        return None

    def _row(self) -> str | None:
        """What a commit meets. The row is gone before it is one: only pages have to be found for it."""
        key = f"trial-{secrets.token_hex(8)}"
        row = {"job": key, "kept_at": self._database.clock.wall(), "value": secrets.token_bytes(SIZE)}

        def work(connection: Connection) -> None:
            connection.execute(insert(sealed_secrets), row)
            connection.execute(delete(sealed_secrets).where(sealed_secrets.c.job == key))

        try:
            self._database.writer.post(work).result(PATIENCE_SECONDS)
        except TooLate:
            return SLOW
        except QumulusError as error:
            return str(error)
        return None
