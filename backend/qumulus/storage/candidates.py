"""Which job may run next: the devices' rules and the accounts' turns, inside one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update

from qumulus.core.jobs import JobEvent, JobState, after
from qumulus.core.results import Failure

from . import rows, sessions
from .board import Board
from .statements import HEAD_OF_LANE, HEAD_OF_SESSION, LOCKED_DEVICE, LOCKED_HEAD_OF_LANE, LOCKED_HEAD_OF_SESSION
from .tables import IS_HELD, IS_QUEUED, AnyRow, jobs

EXPIRED = "The time of its session was over before it ran: open another session and submit it again."

_first = select(func.min(jobs.c.lane).label("lane")).where(IS_QUEUED).cte("lanes", recursive=True)
_next = select(func.min(jobs.c.lane)).where(IS_QUEUED, jobs.c.lane > _first.c.lane).scalar_subquery()
LANES = select(_first.union_all(select(_next).where(_first.c.lane.is_not(None))).c.lane)
"""The lanes in which jobs wait, found by skipping through the index from one to the next."""

HELD = (
    select(jobs.c.device, jobs.c.account, func.count().label("count"))
    .where(IS_HELD)
    .group_by(jobs.c.device, jobs.c.account)
)


class Candidates:
    """Gives the jobs that may run now, one by one, each to be claimed before the next is asked for."""

    def __init__(
        self,
        connection: Connection,
        board: Board,
        now: datetime,
        turns: Mapping[str, int],
        devices: Callable[[str], bool] | None,
    ) -> None:
        """``turns``: when each account was served last. ``devices``: only those that it is true for, or None for all."""
        self._connection = connection
        self._board = board
        self._now = now
        self._turns = turns
        self.expired: list[str] = []  # jobs that were ended because their session is over
        self._by_account: Counter[str] = Counter()
        self._by_device: Counter[str] = Counter()
        for row in connection.execute(HELD):
            self._by_account[row.account] += row.count
            self._by_device[row.device] += row.count
        self._holders: dict[str, str | None] = {}
        self._owned: set[str] = set()  # devices that run one job at a time, and that we give one
        self._lanes: dict[str, list[str]] = {}  # by account
        for name in connection.execute(LANES).scalars().all():
            if name is None:
                continue
            device, account = rows.device_and_account(name)
            settings = board.settings(device)
            if settings.online and not settings.provider and (devices is None or devices(device)):
                self._lanes.setdefault(account, []).append(name)

    def next(self) -> int | None:
        """The number of the job that is to run next; None when nothing may."""
        for account in sorted(self._lanes, key=lambda name: (self._by_account[name], self._turns.get(name, 0))):
            first = self._first(self._lanes[account])
            if first is not None:
                self._by_account[account] += 1
                self._by_device[first.device] += 1
                return first.number
        return None

    def _first(self, lanes: list[str]) -> AnyRow | None:
        """The oldest job of an account that may run, which no other dispatcher takes from now on."""
        while lanes:
            name = lanes[0]
            if len(lanes) > 1:
                heads = {name: head for name in lanes if (head := self._head(name, lock=False)) is not None}
                if not heads:
                    return None
                name = min(heads, key=lambda name: (heads[name].ticket, heads[name].number))
            head = self._head(name, lock=True)
            if head is not None:
                return head
            lanes.remove(name)  # nothing in it may run, or others take all of it just now
        return None

    def _head(self, name: str, *, lock: bool) -> AnyRow | None:
        """The oldest job of a lane, if its device takes it now. With ``lock`` it is ours until the end of the transaction."""
        device, account = rows.device_and_account(name)
        settings = self._board.settings(device)
        wanted, which = LOCKED_HEAD_OF_LANE if lock else HEAD_OF_LANE, {"its_lane": name}
        if settings.one_at_a_time:
            if (lock and not self._own(device)) or self._by_device[device]:
                return None
            if holder := self._holder(device):
                wanted = LOCKED_HEAD_OF_SESSION if lock else HEAD_OF_SESSION
                which = {"its_session": holder, "its_account": account}
        while (head := self._connection.execute(wanted, which).first()) is not None:
            if head.session is None or not self._over(head):
                break
        if head is None or self._now < head.queued_at + timedelta(seconds=settings.least_queue_seconds):
            return None
        return head

    def _own(self, device: str) -> bool:
        """Keep other dispatchers from a device that runs one job at a time, and count anew what it runs."""
        if device not in self._owned:
            if self._connection.execute(LOCKED_DEVICE, {"its_device": device}).first() is None:
                return False
            held = select(func.count()).select_from(jobs).where(IS_HELD, jobs.c.device == device)
            self._by_device[device] = self._connection.execute(held).scalar_one()
            self._holders.pop(device, None)
            self._owned.add(device)
        return True

    def _holder(self, device: str) -> str | None:
        """The session that has a device to itself."""
        if device not in self._holders:
            on_device = sessions.on_device(self._connection, device)
            holding = (session.id for session in on_device if session.holds_device(self._now))
            self._holders[device] = next(holding, None)
        return self._holders[device]

    def _over(self, head: AnyRow) -> bool:
        """Whether the time of a job's session is over; if so the job is ended."""
        session = sessions.load(self._connection, head.session)
        expires_at = session.expires_at() if session else None
        if expires_at is None or self._now < expires_at:
            return False
        state = after(JobState.QUEUED, JobEvent.FAIL).value
        ended = {"state": state, "failure": Failure.TIME.value, "reason": EXPIRED, "ended_at": self._now}
        over = update(jobs).where(jobs.c.number == head.number, IS_QUEUED).values(ended)
        if self._connection.execute(over).rowcount:
            self.expired.append(head.id)
        return True
