"""The slots that have nothing to do: whoever has a job for one takes it from here, and nobody else has it then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from .slot import Slot


class IdleSlots:
    """Those of one dispatcher. Some are there besides the usual ones, and are not taken like them."""

    def __init__(self, wanted: Callable[[], int], *, besides: int) -> None:
        """``wanted`` says how many jobs slots may have at once, now; there may have been more."""
        self._wanted = wanted
        self._besides = besides
        self._idle: list[Slot] = []  # taken from the end
        self._changed = threading.Condition()
        self.all: list[Slot] = []

    def grow(self, make: Callable[[int], Slot]) -> None:
        """Have as many slots as are wanted, and let the usual ones that are idle get their workers ready."""
        with self._changed:
            more = [make(number) for number in range(len(self.all), self._wanted() + self._besides)]
            self.all += more
            self._idle += more
            for slot in self._idle[self._besides :]:
                slot.prepare()

    @property
    def free(self) -> int:
        """Return how many slots may be taken."""
        surplus = max(0, len(self.all) - self._besides - self._wanted())
        return max(0, len(self._idle) - self._besides - surplus)

    def take(self, most: int | None = None) -> list[Slot]:
        """Take slots for jobs that begin now: all that are free, or not more than ``most``."""
        with self._changed:
            return self._taken(self.free if most is None else min(self.free, most))

    def take_besides(self) -> list[Slot]:
        """Take one slot of those besides, if one is idle: never one that is only left of more that were wanted."""
        with self._changed:
            busy = len(self.all) - len(self._idle)
            return self._taken(1 if self._idle and busy < self._wanted() + self._besides else 0)

    def _taken(self, count: int) -> list[Slot]:
        kept = len(self._idle) - count
        taken, self._idle = self._idle[kept:], self._idle[:kept]
        return taken[::-1]

    def put(self, slots: Iterable[Slot]) -> None:
        """Give back slots that have nothing to do."""
        with self._changed:
            self._idle += slots
            self._changed.notify_all()

    def wait(self, within: float) -> bool:
        """Wait until all slots are idle; False where they are not within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._idle) == len(self.all), within)
