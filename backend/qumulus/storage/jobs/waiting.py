"""Which lanes have jobs that wait, as dispatchers ask before they claim: again and again, mostly in vain.

What the database has said is believed for a moment. Jobs that this process queues meanwhile are added; whatever else happens to the
queue, here or elsewhere, has the database asked anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qumulus.core.devices import DeviceSettings
from qumulus.core.events import Events, Queued
from qumulus.storage.database.database import Database
from qumulus.storage.device_settings import SqlDeviceSettings

from . import rows
from .statements import LANES

BELIEVED_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Look:
    """The lanes in which jobs wait, those of them whose jobs may run here, and how much had been said of them by then."""

    lanes: frozenset[str]
    here: Sequence[str]
    said: int


class Waiting:
    """What one process knows of the lanes."""

    def __init__(self, database: Database, device_settings: SqlDeviceSettings, events: Events) -> None:
        self._database = database
        self._device_settings = device_settings
        self._lock = threading.Lock()
        self._said = 0
        self._lanes: frozenset[str] | None = None  # None: nobody knows
        self._until = 0.0
        events.queued.subscribe(self._queued)
        events.elsewhere.subscribe(self._queued)

    def look(self, devices: Callable[[str], bool] | None = None) -> Look:
        """Return the lanes in which jobs wait; ``devices`` says of which devices jobs are run here, None means of all.

        Raises:
            Unavailable
        """
        lanes, said = self._now()
        return Look(lanes, [lane for lane in lanes if self._runs_here(lane, devices)], said)

    @property
    def quiet(self) -> bool:
        """Say whether no job waits, as far as that is believed now."""
        with self._lock:
            return self._lanes is not None and not self._lanes and time.monotonic() < self._until

    def served(self, found: Look) -> None:
        """Say that of what was found no more may run now. If it was one lane whose jobs may always run, nothing waits any more."""
        emptied = len(found.lanes) == 1 and self._settings(found.here[0]).at_once
        with self._lock:
            if found.said == self._said:
                self._lanes = frozenset() if emptied else None

    def _now(self) -> tuple[frozenset[str], int]:
        with self._lock:
            said, lanes = self._said, self._lanes
            if lanes is not None and time.monotonic() < self._until:
                return lanes, said
        with self._database.read() as connection:
            lanes = frozenset(connection.execute(LANES).scalars())
        with self._lock:
            if said == self._said:  # else one was queued while we asked
                self._lanes, self._until = lanes, time.monotonic() + BELIEVED_SECONDS
        return lanes, said

    def _runs_here(self, lane: str, devices: Callable[[str], bool] | None) -> bool:
        if rows.fault_of(lane):  # it is aside
            return False
        settings = self._settings(lane)
        return settings.online and not settings.provider and (devices is None or devices(_device(lane)))

    def _settings(self, lane: str) -> DeviceSettings:
        return self._device_settings.settings(_device(lane))

    def _queued(self, queued: Queued | None) -> None:
        with self._lock:
            if queued is not None and queued.claimed:
                return
            self._said += 1
            if queued is None or self._lanes is None:
                self._lanes = None
            else:
                self._lanes |= {rows.lane(queued.device, queued.account)}


def _device(lane: str) -> str:
    return rows.device_and_account(lane)[0]
