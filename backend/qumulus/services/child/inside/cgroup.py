"""The control group (version 2) of one execution, whose folder the server has made with its limits. See `man 7 cgroups`."""

from __future__ import annotations

import contextlib
import os


def enter(folder: str | None) -> None:
    """Put this process and what it starts from now on into the group.

    Raises:
        OSError: the kernel refused.
    """
    if folder is not None:
        _write(folder, "cgroup.procs", "0")


def over_memory(folder: str | None) -> bool:
    """Say whether the kernel has ended the group because it was over its memory."""
    if folder is None:
        return False
    with contextlib.suppress(OSError, ValueError), open(os.path.join(folder, "memory.events")) as lines:
        return any(int(count) > 0 for name, count in map(str.split, lines) if name in ("oom_kill", "oom_group_kill"))
    return False


def end(folder: str | None) -> None:
    """Kill all that is in the group."""
    if folder is not None:
        with contextlib.suppress(
            OSError
        ):  # a kernel before 5.14 has no such file; what runs is found by its parents too
            _write(folder, "cgroup.kill", "1")


def _write(folder: str, name: str, value: str) -> None:
    with open(os.path.join(folder, name), "w") as file:
        file.write(value)
