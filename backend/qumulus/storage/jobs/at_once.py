"""Jobs that are claimed in the step in which they are stored, because nothing waits before them and a dispatcher here is free.

A claim of its own would cost such a job a second transaction, and the dispatcher a look into the queue. What is stored is the same: a
job of which the first attempt is claimed under a lease.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from qumulus.core.devices import calibrated_as
from qumulus.core.jobs import JobEvent, JobState, NewJob, after
from qumulus.core.ports import Claim, DeviceRules, MachineClock
from qumulus.core.ports.devices import AddedDevices
from qumulus.core.ports.queue import Begin
from qumulus.storage.faults import SqlFaults

from . import rows
from .waiting import Waiting

CLAIMED = after(JobState.QUEUED, JobEvent.CLAIM)


@dataclass(slots=True)
class Reservation:
    """A slot that is kept for one job. Where none is, the job is `claimed` by nobody."""

    claimed: Mapping[str, Any] = field(default_factory=dict)  # the columns of a claim
    claim: Claim | None = None

    def take(self, columns: Mapping[str, Any], payload: bytes) -> bool:
        """Have the job run whose columns were stored, with those of the claim; False where it waits for a claim of its own."""
        if self.claimed:
            row: Any = SimpleNamespace(**{"lost_because": None, **columns, **self.claimed})
            self.claim = rows.to_claim(row, payload, seed_of(row.id))
        return self.claim is not None


class AtOnce:
    """The free slots of the dispatcher in this process. See `core.ports.queue.AtOnce`."""

    def __init__(
        self,
        waiting: Waiting,
        device_settings: DeviceRules,
        added_devices: AddedDevices,
        faults: SqlFaults,
        machine: MachineClock,
        turns: MutableMapping[str, int],
        turn: Iterator[int],
    ) -> None:
        """``turns`` says when each account was served last, by numbers of ``turn``."""
        self._waiting = waiting
        self._device_settings = device_settings
        self._added_devices = added_devices
        self._faults = faults
        self._machine = machine
        self._turns = turns
        self._turn = turn
        self._keep: Callable[[], Begin | None] = lambda: None
        self._owner = ""
        self._lease = timedelta()
        self._devices: Callable[[str], bool] = lambda _device: False

    def offer(
        self, owner: str, lease: timedelta, keep: Callable[[], Begin | None], devices: Callable[[str], bool]
    ) -> None:
        """Let jobs be claimed for a dispatcher. See `core.ports.queue.AtOnce.offer`."""
        self._owner, self._lease, self._devices, self._keep = owner, lease, devices, keep

    @property
    def quiet(self) -> bool:
        """Say whether no job waits, as far as is known. See `core.ports.queue.AtOnce.quiet`."""
        return self._waiting.quiet

    @property
    def faulty(self) -> bool:
        """Say whether faults may hit jobs as they are claimed. See `core.ports.queue.AtOnce.faulty`."""
        return bool(self._faults.of_jobs())

    @contextmanager
    def reservation(self, new: NewJob, now: datetime) -> Generator[Reservation]:
        """A slot for a job that is being stored, if one is free; at the end the job begins there, or the slot is free again."""
        begin = self._keep() if self._may(new) else None
        if begin is None:
            yield Reservation()
            return
        until = self._machine.wall() + self._lease
        columns = {"owner": self._owner, "lease_until": until, "claimed_at": now}
        reservation = Reservation({"state": CLAIMED.value, "attempt": 1, **columns})
        try:
            yield reservation
        finally:
            if reservation.claim is not None:
                self._turns[new.account] = next(self._turn)
            begin(reservation.claim)

    def _may(self, new: NewJob) -> bool:
        """Say whether nothing is to be seen to before a job runs but that there is somebody to run it."""
        if new.registered or not self._devices(new.device) or not self._waiting.quiet or self.faulty:
            return False
        settings = self._device_settings.settings(new.device)
        free = settings.online and settings.at_once and not settings.provider
        if not free or self._device_settings.queue(new.device) is not None:
            return False
        return calibrated_as(new.device, new.request) not in self._added_devices.all()


def seed_of(job_id: str) -> int:
    """Return the seed of a job that asks for none: an attempt more gives the same counts."""
    return int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:4])
