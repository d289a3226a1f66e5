"""Memory as a budget: a run begins when what it will need is free. First come, first served, so that a large one gets its turn."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque

MEMORY_SHARE = 0.8  # of this machine, for all runs together


class Budget:
    """Some bytes, shared by the runs of one machine."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def try_to_take(self, wanted: int) -> bool:
        """Take ``wanted`` bytes (at most all) if that needs no waiting."""
        wanted = min(wanted, self.total)
        with self._changed:
            if self._queue or self._free < wanted:
                return False
            self._free -= wanted
            return True

    def take(self, wanted: int, given_up: threading.Event | None = None) -> bool:
        """Wait until ``wanted`` bytes (at most all) are free and take them; False if it was given up meanwhile."""
        wanted = min(wanted, self.total)
        me = object()
        with self._changed:
            self._queue.append(me)
            self._changed.wait_for(
                lambda: (
                    self._closed
                    or (given_up is not None and given_up.is_set())
                    or (self._queue[0] is me and self._free >= wanted)
                )
            )
            self._queue.remove(me)
            self._changed.notify_all()
            if self._closed or (given_up is not None and given_up.is_set()):
                return False
            self._free -= wanted
            return True

    def give_back(self, taken: int) -> None:
        """Give memory back, so that others may have that memory."""
        with self._changed:
            self._free += min(taken, self.total)
            self._changed.notify_all()

    def look(self) -> None:
        """Wake those who wait, so that they see that they were given up."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """Return how many wait now."""
        with self._changed:
            return len(self._queue)

    @property
    def free(self) -> int:
        """Return what is free now."""
        with self._changed:
            return self._free


def machine_bytes() -> int:
    """Return what all runs may use together on this machine."""
    if sys.platform == "darwin":
        return 8 << 30  # no portable way to ask; a setting says otherwise
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * MEMORY_SHARE)
