"""Claims under a lease. Who has claimed a job renews its lease until it has ended; a job whose lease is over is handed back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from qumulus.core.ports import Claim, JobQueue

from .loops import until_done

LEASE = timedelta(seconds=10)
HEARTBEAT_SECONDS = 2.0  # between two renewals


class Leases:
    """The claims of one dispatcher. A thread renews them, from `start` to `stop`."""

    def __init__(
        self,
        queue: JobQueue,
        *,
        owner: str,
        log: logging.Logger,
        devices: Callable[[str], bool],
        held: Callable[[], Sequence[Claim]],
        on_lost: Callable[[Claim], None],
        besides: Callable[[], None] = lambda: None,
        active: Callable[[], bool] = lambda: True,
        lease: timedelta = LEASE,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            queue: where jobs are claimed.
            owner: the name of this dispatcher.
            log: takes what goes wrong.
            devices: says of which devices jobs are claimed.
            held: gives the claims that are to be renewed now.
            on_lost: ends the run of a claim that was cancelled, or that is somebody else's now.
            besides: is called after each renewal.
            active: says whether there is anything to renew at all.
            lease: how long a claim holds without a heartbeat.
        """
        self._queue = queue
        self._owner = owner
        self._log = log
        self._devices = devices
        self._held = held
        self._on_lost = on_lost
        self._besides = besides
        self._active = active
        self._lease = lease
        self._pulse = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="qumulus-leases", daemon=True)

    def start(self) -> None:
        """Renew from now on."""
        self._thread.start()

    def claim(self, count: int, *, besides: frozenset[str] = frozenset()) -> list[Claim]:
        """Take up to ``count`` jobs that may run now, of no account in ``besides``.

        Raises:
            Unavailable
        """
        return self._queue.claim(self._owner, count, self._lease, devices=self._devices, besides=besides)

    def look(self) -> None:
        """Renew now: something was cancelled, perhaps."""
        self._pulse.set()

    def stop(self, seconds: float) -> None:
        """Renew no more."""
        self._stopping.set()
        self._pulse.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _keep(self) -> None:
        until_done(self._beat, self._stopping, self._log, "Leases can't be renewed")

    def _beat(self) -> bool:
        self._pulse.wait(HEARTBEAT_SECONDS)
        self._pulse.clear()
        if not self._stopping.is_set() and self._active():
            held = self._held()
            lost = self._queue.heartbeat(self._owner, held, self._lease)
            for claim in held:
                if claim in lost:
                    self._on_lost(claim)
            self._besides()
        return False
