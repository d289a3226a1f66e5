"""Removing what is too old or too much, by rules, in steps so small that nobody waits for one.

Of the jobs of an account, those of a kind that a rule names are counted by themselves, all others together. The oldest go first, and none
that has not ended, or has ended within the last hour: whoever waits for a result gets it.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select, tuple_

from qumulus.core.errors import Unavailable
from qumulus.core.jobs import FINAL
from qumulus.core.keeping import POOLS, Held
from qumulus.core.ports import BlobStore, Clock

from .database.counting import tidy
from .database.database import Database
from .database.tables import jobs, results, sessions
from .jobs.values import Values
from .usage import GIB, PAYLOAD_BYTES, Usage

LEAST_AGE = timedelta(hours=1)
STEP = 50  # jobs of a transaction
FIRST_SECONDS, EVERY_SECONDS = 30.0, 600.0
REST = 4.0  # times as long as a step took: what removes takes a fifth of the disk's time at most
LEAST_REST = 0.02
ENDED = jobs.c.state.in_(sorted(FINAL))

log = logging.getLogger("qumulus.storage")


@dataclass(slots=True)
class _Gone:
    """How much was removed."""

    jobs: int = 0
    bytes: int = 0


class Retention:
    """Removes, once or now and then. Several processes may: each chooses its own moments."""

    def __init__(self, database: Database, blobs: BlobStore, usage: Usage, clock: Clock) -> None:
        self._database = database
        self._values = Values(blobs)
        self._usage = usage
        self._clock = clock
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Remove now and then, in the background."""
        self._thread = threading.Thread(target=self._loop, name="qumulus-retention", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Remove no more."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        seconds = FIRST_SECONDS
        while not self._closing.wait(seconds * random.uniform(0.5, 1.5)):  # noqa: S311
            seconds = EVERY_SECONDS
            try:
                self.remove()
            except Unavailable as error:
                log.warning("What is too old can't be removed now: %s", error)
            except Exception:  # a mistake of ours must not end the removing
                log.exception("What is too old can't be removed because of an error of ours.")

    def remove(self) -> int:
        """Remove what the rules don't keep; how many jobs it were.

        Raises:
            Unavailable: the database or the store can't be used now.
        """
        self._database.writer.run(tidy)
        held = [each for each in self._usage.held() if each.kind != POOLS]
        removed = 0
        for account in sorted({each.account for each in held}):
            named = self._usage.kept.kinds(account)
            for kind in (None, *sorted(named)):
                its = [
                    each
                    for each in held
                    if each.account == account and (each.kind if each.kind in named else None) == kind
                ]
                removed += self._of(account, kind, named, its)
            self._sessions(account)
        return removed

    def _of(self, account: str, kind: str | None, named: frozenset[str], held: Sequence[Held]) -> int:
        limits = self._usage.kept.limits(account, kind)
        count, size = sum(each.jobs for each in held), sum(each.bytes for each in held)
        mine = [jobs.c.account == account, jobs.c.kind == kind if kind else jobs.c.kind.not_in(sorted(named)), ENDED]
        now, gone = self._clock.now(), _Gone()

        def over() -> bool:
            many = limits.jobs is not None and count - gone.jobs > limits.jobs
            return many or (limits.gib is not None and size - gone.bytes > limits.gib * GIB)

        if limits.days is not None and count:
            until = now - max(timedelta(days=limits.days), LEAST_AGE)
            old = [*mine, jobs.c.created_at < until, jobs.c.ended_at < until]
            self._remove_oldest(old, lambda: True, gone, f"of account {account} were too old")
        if over():
            ended = [*mine, jobs.c.ended_at < now - LEAST_AGE]
            self._remove_oldest(ended, over, gone, f"of account {account} were more than it keeps")
        return gone.jobs

    def _remove_oldest(self, which: Sequence[Any], more: Callable[[], bool], gone: _Gone, why: str) -> None:
        """Remove the oldest of some jobs, step by step, as long as there shall be ``more``; they are added to what is ``gone``."""
        before = gone.jobs
        for some in self._oldest(which):
            began = time.monotonic()
            ids = []
            for job_id, size in some:
                if more():
                    ids.append(job_id)
                    gone.jobs += 1
                    gone.bytes += size
            self._delete(ids)
            if not more() or self._closing.wait(max(LEAST_REST, REST * (time.monotonic() - began))):
                break
        if gone.jobs > before:
            log.info("%d jobs %s, and were removed.", gone.jobs - before, why)

    def _oldest(self, which: Sequence[Any]) -> Iterator[Sequence[tuple[str, int]]]:
        """Yield jobs with their sizes, oldest first, in steps."""
        its = select(func.coalesce(func.sum(results.c.size), 0)).where(results.c.job == jobs.c.id).scalar_subquery()
        wanted = select(jobs.c.id, jobs.c.created_at, jobs.c.number, (PAYLOAD_BYTES + its).label("size")).where(*which)
        wanted = wanted.order_by(jobs.c.created_at, jobs.c.number).limit(STEP)
        after: tuple[datetime, int] | None = None
        while True:
            place = tuple_(jobs.c.created_at, jobs.c.number)
            with self._database.read() as connection:
                rows = connection.execute(wanted if after is None else wanted.where(place > after)).all()
            if not rows:
                return
            after = (rows[-1].created_at, rows[-1].number)
            yield [(row.id, int(row.size)) for row in rows]

    def _delete(self, ids: Sequence[str]) -> None:
        def work(connection: Connection) -> list[str | None]:
            gone = delete(jobs).where(jobs.c.id.in_(ids), ENDED)
            blobs: list[str | None] = list(
                connection.execute(select(results.c.blob).where(results.c.job.in_(ids))).scalars()
            )
            return blobs + list(connection.execute(gone.returning(jobs.c.payload_blob)).scalars())

        if ids:
            self._values.drop(self._database.writer.run(work))

    def _sessions(self, account: str) -> None:
        """Remove sessions that are as old as the jobs that go, have ended and have no jobs any more."""
        days = self._usage.kept.limits(account).days
        if days is None:
            return
        until = self._clock.now() - max(timedelta(days=days), LEAST_AGE)
        old = (sessions.c.account == account) & (sessions.c.created_at < until)
        has_jobs = select(jobs.c.id).where(jobs.c.session == sessions.c.id).exists()
        some = select(sessions.c.id).where(old, sessions.c.closing_at < until, ~has_jobs).limit(STEP)
        self._database.writer.run(
            lambda connection: connection.execute(delete(sessions).where(sessions.c.id.in_(some)))
        )
