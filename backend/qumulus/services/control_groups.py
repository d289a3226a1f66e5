"""Control groups (version 2) for the programs of users, where the machine has given the server a part of the tree.

That part is the server's own group, if it may be written: under `systemd-run --user --scope`, in a unit with `Delegate=yes`, or in
a container with a writable tree. The kernel allows processes in the leaves only, so the server moves itself into one. See
`man 7 cgroups` and Documentation/admin-guide/cgroup-v2.rst of the kernel.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .resources import Resources

WANTED = ("memory", "pids", "cpu")
OWN_LEAF = "qumulus-server"
PERIOD = 100_000  # microseconds in which a run has its share of the processors
MOVES = 20  # until a server that starts processes all the time has moved all of them
EMPTY_SECONDS = 2.0  # until the kernel has cleared away what was killed


class NoGroups(Exception):
    """There are no groups for programs here; the text says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class ControlGroups:
    """The part of the tree in which each execution gets a group of its own."""

    folder: Path

    def make(self, name: str, resources: Resources) -> Path:
        """Return a group with the limits of one execution.

        Raises:
            OSError: the kernel refused.
        """
        group = self.folder / f"run-{name}"
        self.remove(group)
        group.mkdir()
        limits = {
            "memory.max": resources.memory_bytes,
            "memory.oom.group": 1,
            "pids.max": resources.processes,
            "cpu.max": f"{max(1, resources.cores) * PERIOD} {PERIOD}",
        }
        try:
            for limit, value in limits.items():
                (group / limit).write_text(f"{value}\n")
            if (group / "memory.swap.max").exists():  # no such file where the kernel counts no swap
                (group / "memory.swap.max").write_text("0\n")
        except OSError:
            self.remove(group)
            raise
        return group

    def remove(self, group: Path) -> None:
        """End what is left in a group, and remove it."""
        deadline = time.monotonic() + EMPTY_SECONDS
        while group.exists() and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                (group / "cgroup.kill").write_text("1\n")
            with contextlib.suppress(OSError):
                group.rmdir()
                return
            time.sleep(0.01)


def delegated(own: str | None = None, mounts: str | None = None) -> ControlGroups:
    """Return the groups that this server may make.

    Args:
        own, mounts: what `/proc/self/cgroup` and `/proc/self/mountinfo` say, if not of this process.

    Raises:
        NoGroups: with the reason.
    """
    try:
        own = Path("/proc/self/cgroup").read_text() if own is None else own
        mounts = Path("/proc/self/mountinfo").read_text() if mounts is None else mounts
        folder = _own_group(own, mounts)
        missing = set(WANTED) - set((folder / "cgroup.controllers").read_text().split())
        if missing:
            raise NoGroups(f"control groups of version 2 don't have {' and '.join(sorted(missing))}")
        if not os.access(folder / "cgroup.procs", os.W_OK) or not os.access(folder, os.W_OK):
            raise NoGroups("the server's control group is not its own: start it with `systemd-run --user --scope`")
        _open(folder)
    except OSError as error:
        raise NoGroups(f"control groups can't be made ({error.strerror or error})") from error
    return ControlGroups(folder)


def _own_group(own: str, mounts: str) -> Path:
    """Return the folder of the group that this process is in."""
    path = next((line[3:] for line in own.splitlines() if line.startswith("0::")), None)
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if path is not None and after.startswith("cgroup2 "):
            root, place = before.split()[3:5]
            inside = path if root == "/" else path.removeprefix(root)
            return Path(place) / inside.lstrip("/")
    raise NoGroups("there are no control groups of version 2")


def _open(folder: Path) -> None:
    """Let groups below ``folder`` have limits; processes in that folder move into a leaf.

    Raises:
        OSError: the kernel refused.
        NoGroups: there are other processes in it, which are not ours to move.
    """
    if set(WANTED) <= set((folder / "cgroup.subtree_control").read_text().split()):
        return
    leaf = folder / OWN_LEAF
    leaf.mkdir(exist_ok=True)
    for _ in range(MOVES):
        inside = [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]
        if not inside:
            break
        if not all(map(_ours, inside)):
            raise NoGroups("the server's control group has other processes: start it with `systemd-run --user --scope`")
        _move(inside, leaf)
    (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in WANTED))


def _move(pids: Iterable[int], leaf: Path) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            (leaf / "cgroup.procs").write_text(str(pid))


def _ours(pid: int) -> bool:
    """Say whether a process is this one, or was started by it."""
    while pid > 1:
        if pid == os.getpid():
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return True  # it has ended meanwhile
    return False
