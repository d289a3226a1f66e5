"""Processes and those that they have started."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from dispatchers import alive, wait_for


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(") ")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(stat.parent.name))
    return found


def family(pid: int) -> list[int]:
    """A process's children and theirs."""
    return [found for child in children(pid) for found in (child, *family(child))]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def kill(pid: int) -> None:
    """`kill -9`; nothing happens if it has ended by itself."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def gone(pids: list[int], seconds: float) -> None:
    """Wait until none of them lives."""
    wait_for(lambda: not any(alive(pid) for pid in pids), seconds, lambda: f"alive: {[p for p in pids if alive(p)]}")
