"""All processes of an execution: who they are, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable


def descendants(pid: int) -> list[int]:
    """Every process below ``pid``, also those that left its session."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for child in _children(waiting.pop()):
            found.append(child)
            waiting.append(child)
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as listed:
                found.extend(map(int, listed.read().split()))
    return found


class Hidden:
    """Finds processes that have hidden from this one, which is of their user, what they hold."""

    def __init__(self) -> None:
        self._seen = False  # where none can be looked at, none has hidden

    def has_one_of(self, pids: Iterable[int]) -> bool:
        """Say whether a process can't be looked at, where others could."""
        hidden = False
        for pid in pids:
            try:
                with open(f"/proc/{pid}/maps"):
                    self._seen = True
            except PermissionError:
                hidden = True
            except OSError:  # it has ended meanwhile
                continue
        return hidden and self._seen


def end(pid: int, within: float = 5.0) -> None:
    """Kill everything below ``pid`` and wait until nothing is left; ``pid`` is this process and reaps orphans."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        for child in descendants(pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)
