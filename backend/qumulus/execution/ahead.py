"""Claims that wait in memory for the next slot, while runs are short.

A worker that ends a run of a few milliseconds would wait as long again for the transaction that claims its next job. So a few jobs
are claimed before a slot is free: when a job is stored, or together with one that a slot takes. A claim does not stay here: once runs
are not short any more, or it has waited for a moment, it is put back into the queue, as if it had not been claimed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from qumulus.core.ports import Claim

SHORT_SECONDS = 0.02  # of a run: what claims beside it take is felt
MOST_SECONDS = 0.1  # that a claim waits here, or a run takes that it waits for
A_WORKER = 3  # claims that wait for each worker
STORED_SECONDS = 1.0  # in which a job is stored that a place is kept for


@dataclass(frozen=True, slots=True)
class _Waiting:
    claim: Claim
    since: float


class ClaimsAhead:
    """Those of one dispatcher."""

    def __init__(self, workers: Callable[[], int], longest: Callable[[], float]) -> None:
        """``workers`` says how many jobs run at once, now; 0 where no claim is to wait here. ``longest`` says for how many seconds
        the longest of those that run has run."""
        self._workers = workers
        self._longest = longest
        self._changed = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._left: list[Claim] = []  # to be put back
        self._reserved = 0  # places of claims that are on their way
        self._mean = inf  # seconds of the last runs

    def ran(self, seconds: float) -> None:
        """Say how long a run took; infinitely long where it came to nothing."""
        mean = self._mean
        self._mean = seconds if mean == inf else (3 * mean + seconds) / 4

    def reserve(self, most: int | None = None) -> int:
        """Keep places for claims that come in a moment: all that are free, or not more than ``most``; how many they are."""
        with self._changed:
            room = A_WORKER * self._workers() - len(self._waiting) - self._reserved if self._short else 0
            kept = max(0, room if most is None else min(room, most))
            self._reserved += kept
        return kept

    def fill(self, places: int, *claims: Claim) -> None:
        """Let claims wait in places that were kept, and the rest of these be free again."""
        with self._changed:
            self._reserved -= places
            self._waiting.extend(_Waiting(claim, time.monotonic()) for claim in claims)
            self._changed.notify_all()

    def take(self) -> Claim | None:
        """Take the claim that has waited longest; None where none waits."""
        with self._changed:
            taken = self._waiting.popleft().claim if self._waiting else None
            self._changed.notify_all()
        return taken

    @property
    def any(self) -> bool:
        """Say whether a claim waits for a slot."""
        return bool(self._waiting)

    @property
    def low(self) -> bool:
        """Say whether it is time to claim more, if jobs wait."""
        return len(self._waiting) + self._reserved < self._workers() and self._short

    @property
    def _short(self) -> bool:
        return self._mean < SHORT_SECONDS and self._longest() < MOST_SECONDS

    def emptied(self, within: float) -> bool:
        """Wait until no claim is here, on its way, or to be put back; False where one still is after so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._left or self._reserved), within)

    @property
    def claims(self) -> list[Claim]:
        """Return the claims that are here."""
        with self._changed:
            return [waiting.claim for waiting in self._waiting] + self._left

    def end(self, job_id: str, attempt: int | None) -> bool:
        """Let no slot have the claim of a job, which is to be put back; whether it was here."""
        with self._changed:
            return self._leave(lambda one: one.claim.job_id == job_id and attempt in (None, one.claim.attempt))

    def forget(self, job_id: str) -> None:
        """Let no slot have the claim of a job that has ended: it was cancelled, and there is nothing to be put back."""
        with self._changed:
            gone = [one for one in self._waiting if one.claim.job_id == job_id]
            for one in gone:
                self._waiting.remove(one)
            if gone:  # each job that ends comes here
                self._changed.notify_all()

    def put_back(self, put: Callable[[Claim], object], *, everything: bool) -> None:
        """Put back all where one may wait no longer, for the others came after it; or ``everything``.

        So did what is on its way here: it is waited for, and put back with them. Nobody reserves a place meanwhile.
        """
        with self._changed:
            if everything or (self._late and self._changed.wait_for(lambda: not self._reserved, STORED_SECONDS)):
                late = everything or self._late  # slots may have taken what was
                if self._leave(lambda _: late):
                    self._mean = inf  # until a run is known to be short again
        for claim in list(self._left):
            put(claim)
            with self._changed:
                self._left.remove(claim)
                self._changed.notify_all()

    @property
    def _late(self) -> bool:
        before = time.monotonic() - MOST_SECONDS
        return any(one.since < before for one in self._waiting)

    def _leave(self, which: Callable[[_Waiting], bool]) -> bool:
        leaving = [one for one in self._waiting if which(one)]
        for one in leaving:
            self._waiting.remove(one)
        self._left += (one.claim for one in leaving)
        return bool(leaving)
