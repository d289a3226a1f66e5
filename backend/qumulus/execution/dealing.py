"""Dealing: jobs that may run, and slots that have nothing to do, brought together; by whichever thread learns of either."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from qumulus.core.ports import Claim, Clock, JobQueue
from qumulus.core.ports.queue import Begin

from .ahead import ClaimsAhead
from .idle import IdleSlots
from .metrics import Tally
from .slot import Slot

OVERTAKE_SECONDS = 1.0  # for which all slots are busy before an account that has none of them gets another one


class Claiming(Protocol):
    """Takes jobs that may run now. See `Leases.claim`."""

    def __call__(self, count: int, *, besides: frozenset[str] = frozenset()) -> list[Claim]: ...


class Dealer:
    """That of one dispatcher. ``wake`` is set where the dispatcher's own thread is to deal."""

    def __init__(
        self,
        queue: JobQueue,
        clock: Clock,
        idle: IdleSlots,
        ahead: ClaimsAhead,
        tally: Tally,
        *,
        claim: Claiming,
        gives: Callable[[], bool],
        wake: threading.Event,
    ) -> None:
        """``claim`` takes jobs from the queue; ``gives`` says whether jobs may begin now."""
        self._queue = queue
        self._clock = clock
        self._idle = idle
        self._ahead = ahead
        self._tally = tally
        self._take = claim
        self._gives = gives
        self._wake = wake
        self._dealt = 0.0  # when a job was last taken, or looked for
        self._dealing = threading.Lock()

    def deal(self) -> None:
        """Give jobs to slots as long as there are both.

        Raises:
            Unavailable
        """
        with self._dealing:
            while self._deal_once():
                pass

    def put_back(self, put: Callable[[Claim], object], *, everything: bool) -> None:
        """Put claims back that have waited for too long, or ``everything``; nothing that came after them is claimed meanwhile."""
        with self._dealing:
            self._ahead.put_back(put, everything=everything)

    def _deal_once(self) -> bool:
        """Give claims to idle slots; whether there may be more to give."""
        if not self._gives():
            return False
        slots = self._idle.take()
        places = self._ahead.reserve()
        if not slots and not places:
            return self._overtake()
        return self._claim(slots, places) == len(slots) + places

    def _overtake(self) -> bool:
        """Give a slot besides the usual ones to an account that has none, once all have been busy for a while; whether one was taken.

        Who is alone never gets one, so that as many jobs run at once as somebody has set.
        """
        if time.monotonic() - self._dealt < OVERTAKE_SECONDS or not (slots := self._idle.take_besides()):
            return False
        self._dealt = time.monotonic()
        busy = frozenset(claim.account for slot in self._idle.all if (claim := slot.claim) is not None)
        return self._claim(slots, besides=busy) > 0

    def _claim(self, slots: Sequence[Slot], places: int = 0, *, besides: frozenset[str] = frozenset()) -> int:
        """Claim jobs for slots, and for places ahead of them; how many they were."""
        claims: list[Claim] = []
        try:
            claims = self._take(len(slots) + places, besides=besides)
        finally:
            self._idle.put(slots[len(claims) :])  # before those that work look how many have nothing to do
            self._ahead.fill(places, *(() if besides else claims))  # behind those that wait there already
        for slot, claim in zip(slots, claims, strict=False):
            if besides:
                self._give(slot, claim)
            else:
                self._give_next(slot)
        self._give_ahead()
        return len(claims)

    def _give_next(self, slot: Slot) -> None:
        """Give a slot what has waited longest; it is idle where others took all."""
        if (claim := self._ahead.take()) is None:
            self._idle.put([slot])
        else:
            self._give(slot, claim)

    def _give(self, slot: Slot, claim: Claim) -> None:
        self._dealt = time.monotonic()
        if claim.queued_at is not None:
            self._tally.waited((self._clock.now() - claim.queued_at).total_seconds())
        slot.give(claim)

    def _give_ahead(self) -> None:
        """Give claims that wait here to slots that are idle. Whoever adds one of either calls this."""
        while self._ahead.any and self._gives() and (slots := self._idle.take(1)):
            self._give_next(slots[0])

    def keep(self) -> Begin | None:
        """Keep a slot, or a place ahead of one, for a job that may be accepted. See `AtOnce.offer`."""
        if not self._gives() or self._behind():
            return None
        slots = [] if self._ahead.any else self._idle.take(1)  # and so did what waits for a slot
        if not slots and not self._ahead.reserve(1):
            return None

        def begin(claim: Claim | None) -> None:
            if not slots:
                self._ahead.fill(1, *([] if claim is None else [claim]))
                self._give_ahead()
            elif claim is not None:
                self._ahead.fill(0, claim)  # behind those that wait, whose slot this may have been
                self._give_next(slots[0])
            else:
                self._idle.put(slots)
                self._wake.set()

        if self._behind():  # what was put back meanwhile
            begin(None)
            return None
        return begin

    def _behind(self) -> bool:
        """Say whether there may be what came before a job that comes now: it waits, or is being claimed or put back."""
        behind = self._dealing.locked() or not self._queue.at_once.quiet
        if behind:
            self._wake.set()
        return behind

    def on_idle(self, slot: Slot) -> None:
        """Look for the next jobs in the slot's own thread: to wake the dispatcher's takes longer."""
        self._idle.put([slot])
        self._give_ahead()
        if self._queue.at_once.quiet or slot.claim is not None or not self._dealing.acquire(blocking=False):
            self.look()
            return
        try:
            while self._deal_once():
                if slot.claim is not None:  # its own run comes first, and the end of its last one
                    self.look()
                    break
        except Exception:  # the thread of the dispatcher meets it as well, says so, and knows when to try again
            self._wake.set()
        finally:
            self._dealing.release()

    @property
    def more(self) -> bool:
        """Say whether another job waits for a slot, as far as is known."""
        return self._ahead.any or not self._queue.at_once.quiet

    def look(self) -> None:
        """Have the dispatcher deal, if it may have slots for jobs that wait."""
        if self._has_room() and not self._queue.at_once.quiet:
            self._wake.set()

    def queued(self) -> None:
        """Have the dispatcher deal, if it has slots for a job that waits from now on; a slot that is idle later looks itself."""
        if self._has_room():
            self._wake.set()

    def _has_room(self) -> bool:
        return self._ahead.low or self._idle.free > 0
