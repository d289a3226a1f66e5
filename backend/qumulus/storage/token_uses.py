"""When credentials were last used: noted in memory with each request, and stored now and then, so that no request waits for it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, or_, select, update

from qumulus.core.errors import Unavailable

from .database.database import Database
from .database.tables import tokens

EVERY_SECONDS = 60.0  # that others see it late by, and that a process that is killed forgets

_LATER = (
    update(tokens)
    .where(
        tokens.c.id == bindparam("its_id"),
        or_(tokens.c.used_at.is_(None), tokens.c.used_at < bindparam("its_use")),
    )
    .values(used_at=bindparam("its_use"))
)


class TokenUses:
    """What one process knows of it. A thread stores it, from the first use to `close`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[str, datetime] = {}  # by the id of the credential: what is not stored yet
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, token: str, now: datetime) -> None:
        """Note that a credential was used."""
        with self._lock:
            self._noted[token] = now
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="qumulus-token-uses", daemon=True)
                self._thread.start()

    def of(self, account: str) -> Mapping[str, datetime]:
        """Return when each credential of an account was last used, by its id."""
        wanted = select(tokens.c.id, tokens.c.used_at).where(tokens.c.account == account)
        with self._database.read() as connection:
            stored = {row.id: row.used_at for row in connection.execute(wanted)}
        with self._lock:
            used = {token: self._noted.get(token, at) for token, at in stored.items()}
        return {token: at for token, at in used.items() if at is not None}

    def store(self) -> None:
        """Store what was noted until now.

        Raises:
            Unavailable
        """
        with self._lock:
            noted = dict(self._noted)
        if not noted:
            return
        uses = [{"its_id": token, "its_use": at} for token, at in sorted(noted.items())]
        self._database.writer.run(lambda connection: connection.execute(_LATER, uses), synced=False)
        with self._lock:
            for token, at in noted.items():
                if self._noted.get(token) == at:
                    del self._noted[token]

    def close(self) -> None:
        """Store the rest, and end."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        ended = False
        while not ended:
            ended = self._closing.wait(EVERY_SECONDS)
            with contextlib.suppress(Unavailable):  # it is stored with what comes
                self.store()
