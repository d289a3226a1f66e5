"""The choice of the next job: the devices' rules and the accounts' turns, inside one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from qumulus.core.jobs import JobEvent, JobState, after
from qumulus.core.results import Failure
from qumulus.storage.database.tables import IS_HELD, AnyRow, jobs
from qumulus.storage.device_settings import SqlDeviceSettings

from . import rows, sessions
from .statements import (
    CHANGE,
    HEAD_OF_LANE,
    HEAD_OF_SESSION,
    HEADS_AND_HELD,
    LOCKED_DEVICE,
    NOBODY,
    TAKE_FROM_LANE,
    TAKE_OF_SESSION,
)

EXPIRED = "The time of its session was over before it ran: open another session and submit it again."


class FairQueue:
    """Claims the jobs that may run now, one by one."""

    def __init__(
        self,
        connection: Connection,
        device_settings: SqlDeviceSettings,
        now: datetime,
        turns: Mapping[str, int],
        devices: Callable[[str], bool] | None,
        lanes: Sequence[str] = (),
        besides: frozenset[str] = frozenset(),
    ) -> None:
        """``turns``: when each account was served last. ``devices``: only those that it is true for, or None for all. ``lanes``: those
        in which jobs wait, if that was just asked: where there is a single one, nobody has to be compared with anybody. ``besides``:
        accounts that are not served."""
        self._connection = connection
        self._device_settings = device_settings
        self._now = now
        self._turns = turns
        self.expired: list[str] = []  # jobs that were ended because their session is over
        self._by_account: Counter[str] = Counter()
        self._by_device: Counter[str] = Counter()
        self._holders: dict[str, str | None] = {}
        self._owned: set[str] = set()  # devices that run one job at a time, and that we give one
        self._heads: dict[str, AnyRow] = {}  # by lane, as they were when we looked
        self._lanes: dict[str, list[str]] = {}  # by account
        if len(lanes) == 1 and self._is_plain(lanes[0]):
            self._lanes[rows.device_and_account(lanes[0])[1]] = [lanes[0]]
            return
        for head in connection.execute(HEADS_AND_HELD):
            settings = device_settings.settings(head.device)
            if head.held:
                self._by_account[head.account] += head.held
                self._by_device[head.device] += head.held
            elif rows.fault_of(head.lane) or head.account in besides:
                continue  # nobody takes those of a fault until it is over
            elif settings.online and not settings.provider and (devices is None or devices(head.device)):
                self._heads[head.lane] = head
                self._lanes.setdefault(head.account, []).append(head.lane)

    def take(self, owner: str, lease_until: datetime) -> AnyRow | None:
        """Claim the job that is to run next; None when nothing may."""
        claim = {"owner": owner, "claimed_at": self._now, "lease_until": lease_until}
        for account in sorted(self._lanes, key=lambda name: (self._by_account[name], self._turns.get(name, 0))):
            taken = self._take_oldest(self._lanes[account], claim)
            if taken is not None:
                self._by_account[account] += 1
                self._by_device[taken.device] += 1
                return taken
        return None

    def _take_oldest(self, lanes: list[str], claim: Mapping[str, Any]) -> AnyRow | None:
        """Claim the oldest job of an account that may run, which no other dispatcher takes just now."""
        if len(lanes) == 1 and self._is_plain(lanes[0]):
            if (taken := self._take(lanes[0], claim)) is None:
                lanes.clear()
            return taken
        while heads := {name: head for name in lanes if (head := self._head(name)) is not None}:
            name = min(heads, key=lambda name: (heads[name].ticket, heads[name].number))
            taken = self._take(name, claim)
            if taken is not None:
                return taken
            lanes.remove(name)  # others take all of it just now
        lanes.clear()  # nothing in them may run
        return None

    def _is_plain(self, name: str) -> bool:
        """Say whether the oldest job of a lane may run, whichever that is: then nobody looks for it before it is taken."""
        device, _ = rows.device_and_account(name)
        return self._device_settings.settings(device).at_once and self._device_settings.queue(device) is None

    def _head(self, name: str) -> AnyRow | None:
        """Return the oldest job of a lane, if the device takes that job now."""
        device, account = rows.device_and_account(name)
        settings = self._device_settings.settings(device)
        head, holder = self._heads.get(name), None
        if settings.one_at_a_time:
            if self._by_device[device]:
                return None
            if holder := self._holder(device):
                which = {"its_session": holder, "its_account": account, "its_lane": name}
                head = self._connection.execute(HEAD_OF_SESSION, which).first()
                if head is None:
                    return None
        if head is None:
            head = self._connection.execute(HEAD_OF_LANE, {"its_lane": name}).first()
        if head is None or self._now < head.queued_at + timedelta(seconds=settings.least_queue_seconds):
            return None
        others = None if holder else self._device_settings.queue(device)  # a session that has the device has its turn
        if others is not None and self._now < others.ready_at(head.queued_at):
            return None
        self._heads[name] = head
        return head

    def _take(self, name: str, claim: Mapping[str, Any]) -> AnyRow | None:
        """Claim the oldest job of a lane. It need not be the one that was its head when we looked."""
        device, account = rows.device_and_account(name)
        statement, which = TAKE_FROM_LANE, {"its_lane": name}
        if self._device_settings.settings(device).one_at_a_time:
            if not self._own(device) or self._by_device[device]:
                return None
            if holder := self._holder(device):
                statement, which = TAKE_OF_SESSION, {"its_session": holder, "its_account": account, "its_lane": name}
        self._heads.pop(name, None)
        while (taken := self._connection.execute(statement, {**claim, **which}).first()) is not None:
            if taken.session is None or not self._over(taken):
                break
        return taken

    def _own(self, device: str) -> bool:
        """Keep other dispatchers from a device that runs one job at a time, and count anew what it runs."""
        if device not in self._owned:
            if self._connection.execute(LOCKED_DEVICE, {"its_device": device}).first() is None:
                return False
            busy = select(func.count()).select_from(jobs).where(IS_HELD, jobs.c.device == device)
            self._by_device[device] = self._connection.execute(busy).scalar_one()
            self._holders.pop(device, None)
            self._owned.add(device)
        return True

    def _holder(self, device: str) -> str | None:
        """Return the session that has a device to itself."""
        if device not in self._holders:
            on_device = sessions.on_device(self._connection, device)
            holding = (session.id for session in on_device if session.holds_device(self._now))
            self._holders[device] = next(holding, None)
        return self._holders[device]

    def _over(self, taken: AnyRow) -> bool:
        """Say whether the time of a job's session is over; if so, the job is ended."""
        session = sessions.load(self._connection, taken.session)
        expires_at = session.expires_at() if session else None
        if expires_at is None or self._now < expires_at:
            return False
        state = after(JobState.CLAIMED, JobEvent.FAIL).value
        ended = {"state": state, "failure": Failure.TIME.value, "reason": EXPIRED, "ended_at": self._now}
        never = {"claimed_at": None, **NOBODY}
        self._connection.execute(
            CHANGE[JobEvent.FAIL], {**ended, **never, "its_id": taken.id, "its_attempt": taken.attempt}
        )
        self.expired.append(taken.id)
        return True
