"""What each account has stored, and whether it may store more.

Counting reads the whole table of jobs, in steps between which others have their turn. A submission is compared with the last count and
what this process has taken since; only an account that seems to be over its quota is counted anew.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, cast, func, or_, select

from qumulus.core.errors import QuotaReached
from qumulus.core.jobs import PENDING
from qumulus.core.keeping import POOLS, Held, Rules

from .database.database import Database
from .database.tables import IS_HELD, IS_QUEUED, jobs, log_lines, results
from .jobs import rows

STEP = 2000  # rows of jobs that are counted at once
FRESH_SECONDS = 1.0  # between two counts of an account that is over its quota
GIB = 1 << 30

PoolSizes = Callable[[], Iterable[tuple[str, int]]]  # the account and the bytes of each data pool

PAYLOAD_BYTES = func.coalesce(jobs.c.payload_size, func.length(jobs.c.payload), 0)
"""The size of a payload. Of an earlier version's that stands elsewhere, nothing is known."""


@dataclass(slots=True)
class _Total:
    """Of one account, as it was counted, and as it has grown since."""

    bytes: int = 0
    pending: int = 0
    counted_at: float = float("-inf")


class Usage:
    """`core.keeping.Keeping` on the database."""

    def __init__(self, database: Database, *, kept: Rules | None = None, quota: Rules | None = None) -> None:
        self.kept = kept or Rules("")
        self.quota = quota or Rules("")
        self.pool_sizes: PoolSizes = tuple  # who knows the data pools says so
        self._database = database
        self._lock = threading.Lock()
        self._totals: dict[str, _Total] = defaultdict(_Total)

    def held(self) -> Sequence[Held]:
        """Count. See `Keeping.held`."""
        counts: dict[tuple[str, str], _Count] = defaultdict(_Count)
        for low, high in self._steps():
            with self._database.read() as connection:
                _count(connection, low, high, counts)
        for account, size in self.pool_sizes():
            count = counts[account, POOLS]
            count.jobs += 1
            count.bytes += size
        held = [Held(account=account, kind=kind, **count.told()) for (account, kind), count in sorted(counts.items())]
        self._remember(held)
        return held

    def _steps(self) -> Iterable[tuple[int, int]]:
        with self._database.read() as connection:
            first, last = connection.execute(select(func.min(jobs.c.number), func.max(jobs.c.number))).one()
        return ((low, low + STEP) for low in range(first, last + 1, STEP)) if first is not None else ()

    def _remember(self, held: Iterable[Held]) -> None:
        totals: dict[str, _Total] = defaultdict(_Total)
        now = time.monotonic()
        for each in held:
            total = totals[each.account]
            total.bytes += each.bytes
            total.pending += each.pending
            total.counted_at = now
        with self._lock:
            self._totals = totals

    def admit(self, account: str, size: int, *, jobs: int = 0) -> None:
        """See that an account may store ``size`` bytes more and have so many more ``jobs`` that wait.

        Raises:
            QuotaReached
        """
        limits = self.quota.limits(account)
        if limits.gib is None and limits.jobs is None:
            return
        if self._fits(account, size, jobs):
            return
        with self._lock:
            recount = time.monotonic() - self._totals[account].counted_at >= FRESH_SECONDS
        if recount:
            self._recount(account)
        if not recount or not self._fits(account, size, jobs):
            total = self._totals[account]
            raise QuotaReached(
                f"Account {account} has {total.bytes / GIB:.3g} GiB stored and {total.pending} jobs that have not ended, and "
                f"may have {_said(limits.gib)} GiB and {_said(limits.jobs)} jobs: delete jobs or files that are no longer "
                "needed, wait for the end of jobs, or ask the administrator for more."
            )

    def _fits(self, account: str, size: int, more: int) -> bool:
        """Whether it fits; then it is counted."""
        limits = self.quota.limits(account)
        with self._lock:
            total = self._totals[account]
            enough = limits.gib is None or total.bytes + size <= limits.gib * GIB
            few = not more or limits.jobs is None or total.pending + more <= limits.jobs
            if enough and few:
                total.bytes += size
                total.pending += more
            return enough and few

    def _recount(self, account: str) -> None:
        mine = jobs.c.account == account
        with self._database.read() as connection:
            size = connection.execute(select(func.sum(PAYLOAD_BYTES)).where(mine)).scalar() or 0
            for each in (results.c.size, func.length(log_lines.c.text)):
                of = results if each is results.c.size else log_lines
                summed = select(func.sum(each)).select_from(of.join(jobs, of.c.job == jobs.c.id)).where(mine)
                size += connection.execute(summed).scalar() or 0
            waiting = connection.execute(
                select(func.count()).where(IS_QUEUED, jobs.c.lane.endswith(rows.lane("", account), autoescape=True))
            ).scalar_one()
            held = connection.execute(select(func.count()).where(IS_HELD, mine)).scalar_one()
        size += sum(each for owner, each in self.pool_sizes() if owner == account)
        with self._lock:
            self._totals[account] = _Total(int(size), waiting + held, time.monotonic())


def _said(limit: float | None) -> str:
    return "any number of" if limit is None else f"{limit:g}"


class _Count:
    def __init__(self) -> None:
        self.jobs = self.pending = self.bytes = 0
        self.oldest: datetime | None = None

    def told(self) -> dict[str, Any]:
        return {"jobs": self.jobs, "pending": self.pending, "bytes": self.bytes, "oldest": self.oldest}


def _count(connection: Connection, low: int, high: int, counts: dict[tuple[str, str], _Count]) -> None:
    """Add what the jobs with these numbers are and have."""
    ours = (jobs.c.number >= low, jobs.c.number < high)
    by = (jobs.c.account, jobs.c.kind)
    pending: Any = cast(or_(*(jobs.c.state == state for state in sorted(PENDING))), Integer)
    counted = select(*by, func.count(), func.sum(pending), func.sum(PAYLOAD_BYTES), func.min(jobs.c.created_at))
    for account, kind, number, unended, size, oldest in connection.execute(counted.where(*ours).group_by(*by)):
        count = counts[account, kind]
        count.jobs += number
        count.pending += unended
        count.bytes += int(size)
        count.oldest = min(count.oldest or oldest, oldest)
    for of, each in ((results, results.c.size), (log_lines, func.length(log_lines.c.text))):
        summed = select(*by, func.sum(each)).select_from(jobs.join(of, of.c.job == jobs.c.id))
        for account, kind, size in connection.execute(summed.where(*ours).group_by(*by)):
            counts[account, kind].bytes += int(size)
