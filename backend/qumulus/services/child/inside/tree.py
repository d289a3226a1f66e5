"""All processes of an execution: who they are, what they have written, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable

BLOCK = 512


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


def on_disk(folders: Iterable[str], most_bytes: int, most_entries: int) -> tuple[int, int]:
    """Bytes and entries below ``folders``; the counting ends where either is over its limit."""
    size = entries = 0
    waiting = list(folders)
    while waiting and size <= most_bytes and entries <= most_entries:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as listed:
            for entry in listed:
                with contextlib.suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * BLOCK
                    entries += 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    return size, entries


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
