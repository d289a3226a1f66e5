"""News between the processes on one database, by PostgreSQL's LISTEN and NOTIFY.

What is emitted here after a commit is emitted in every other process a moment later. It is told after the commit and not with it: a
transaction that notifies holds a lock of the whole server while it is synced. So news may be lost with its process or its
connection; everybody looks by himself now and then, and at once when his connection is there again.
"""

from __future__ import annotations

import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import cast

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from qumulus.core.events import Event, Events

from .reconnect import Outage

CHANNEL = "qumulus"
MOST_BYTES = 7900  # of one NOTIFY; PostgreSQL takes 8000
LOOK_SECONDS = 2.0  # how often a listener that heard nothing asks whether the database is still there
GATHER_SECONDS = (
    0.01  # between two hearings, and after telling of a job: each wakes processes, so what comes fast goes together
)
MOST_GATHER_SECONDS = 0.05  # after telling of many
AGAIN_SECONDS = 0.2
CLOSE_SECONDS = 2.0

QUEUED, CANCELLING, SETTLED, ELSEWHERE = "queued", "cancelling", "settled", "elsewhere"
SAY = text(f"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{CHANNEL}', :news)")
"""What is told may be lost, and what is lost with its server nobody needs: so no sync is waited for."""

News = tuple[str, str]  # the bell, and the job where it matters
log = logging.getLogger("qumulus.storage")


class Notifier:
    """Tells the other processes what is emitted here, and emits here what they tell."""

    def __init__(
        self, speaking: Engine, listening: Engine, events: Events, outage: Outage, looked: Callable[[Connection], None]
    ) -> None:
        """``looked`` is given the connection whenever it was asked whether the database is there."""
        self._speaking = speaking
        self._listening = listening
        self._events = events
        self._outage = outage
        self._looked = looked
        self._me = secrets.token_hex(4)
        self._news: queue.SimpleQueue[News | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._heard = threading.Event()
        self._speaker = threading.Thread(target=self._speak, name="qumulus-notify", daemon=True)
        self._listener = threading.Thread(target=self._listen, name="qumulus-listener", daemon=True)

    def start(self) -> None:
        """Begin. When this returns, nothing that others tell is missed."""
        events = self._events
        events.queued.subscribe(self._on_queued)
        events.cancelling.subscribe(self._on_cancelling)
        events.settled.subscribe(self._on_settled)
        self._speaker.start()
        self._listener.start()
        self._heard.wait(CLOSE_SECONDS)

    def announce(self) -> None:
        """Let all others forget what they have read of settings and credentials."""
        self._news.put((ELSEWHERE, ""))

    def close(self) -> None:
        """Say what is left to be said, and end."""
        events = self._events
        events.queued.unsubscribe(self._on_queued)
        events.cancelling.unsubscribe(self._on_cancelling)
        events.settled.unsubscribe(self._on_settled)
        self._closing.set()
        self._news.put(None)
        self._speaker.join(CLOSE_SECONDS)
        self._listener.join(CLOSE_SECONDS)

    # -- speaking ------------------------------------------------------------------------------------------------------

    def _on_queued(self, _queued: object) -> None:
        self._tell(QUEUED, "")

    def _on_cancelling(self, job_id: str) -> None:
        self._tell(CANCELLING, job_id)

    def _on_settled(self, job_id: str) -> None:
        self._tell(SETTLED, job_id)

    def _tell(self, bell: str, job_id: str) -> None:
        if threading.current_thread() is not self._listener:  # what came from others they know
            self._news.put((bell, job_id))

    def _speak(self) -> None:
        open_ = True
        while open_:
            open_, news = self._waiting()
            last = [] if open_ else [self._me]  # for our listener, to see that we end
            try:
                with self._speaking.connect() as connection:
                    for message in (*messages(self._me, news), *last):
                        connection.execute(SAY, {"news": message})
            except SQLAlchemyError as error:
                log.debug("News could not be told: %s", error)
                self._closing.wait(AGAIN_SECONDS)
            self._closing.wait(min(GATHER_SECONDS * len(news), MOST_GATHER_SECONDS))

    def _waiting(self) -> tuple[bool, list[News]]:
        """Return all news that there is, each once, and whether more may come."""
        found: dict[News, None] = {}
        one = self._news.get()
        while one is not None:
            found[one] = None
            try:
                one = self._news.get_nowait()
            except queue.Empty:
                return True, list(found)
        return False, list(found)

    # -- listening -----------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        missed = False  # whether others may have told something while we did not listen
        while not self._closing.is_set():
            try:
                with self._listening.connect() as connection:
                    self._hear(connection, missed=missed)
            except (SQLAlchemyError, psycopg.Error) as error:
                log.debug("The listener has lost its connection: %s", error)
                self._outage.begin()
                missed = True
                self._closing.wait(AGAIN_SECONDS)

    def _hear(self, connection: Connection, *, missed: bool) -> None:
        connection.exec_driver_sql(f"LISTEN {CHANNEL}")
        self._heard.set()
        self._outage.end()
        if missed:
            self._events.elsewhere.emit(None)
        driver = cast("psycopg.Connection", connection.connection.driver_connection)
        looked = time.monotonic()
        while not self._closing.is_set():
            heard = list(driver.notifies(timeout=AGAIN_SECONDS * 2, stop_after=1))
            for notify in heard:
                self._emit(notify.payload)
            if heard:
                self._closing.wait(GATHER_SECONDS)
            if time.monotonic() - looked > LOOK_SECONDS:
                self._looked(connection)
                looked = time.monotonic()

    def _emit(self, message: str) -> None:
        sender, *lines = message.split("\n")
        if sender == self._me:
            return
        events: dict[str, Event[str]] = {
            CANCELLING: self._events.cancelling,
            SETTLED: self._events.settled,
        }
        for line in lines:
            name, _, job_id = line.partition(" ")
            if name == ELSEWHERE:
                self._events.elsewhere.emit(None)
            elif name == QUEUED:
                self._events.queued.emit(None)
            elif name in events:
                events[name].emit(job_id)


def messages(sender: str, news: list[News]) -> Iterator[str]:
    """News as messages of `MOST_BYTES` at most; a line each, after the sender's."""
    message, size = sender, len(sender)
    for bell, job_id in news:
        line = f"\n{bell} {job_id}"
        bytes_ = len(line.encode())
        if size + bytes_ > MOST_BYTES:
            yield message
            message, size = sender, len(sender)
        message, size = message + line, size + bytes_
    if message != sender:
        yield message
