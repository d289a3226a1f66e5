"""Limits that the kernel holds a process to, and the rights it gives up."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import sys
from collections.abc import Mapping

from . import kernel

GRACE = 1  # seconds of processor time between SIGXCPU and SIGKILL
UNTOUCHED = 4 << 30  # bytes of address space that libraries reserve, for arenas and stacks, and hardly use
FIRST_TO_GO = "1000"  # of 1000: before workers, which are the server's own, and before the server


def apply(limits: Mapping[str, float], *, count_others: bool, address_space: bool) -> None:
    """Set the limits of this process and its children.

    Args:
        limits: cpu_seconds, memory_bytes, processes, files, file_bytes.
        count_others: the kernel counts other processes of this user too, so what runs already is added.
        address_space: whether what one process maps is bounded too, because memory is only looked at now and then.
    """
    seconds = math.ceil(limits["cpu_seconds"])
    _set(resource.RLIMIT_CPU, seconds, seconds + GRACE)
    _set(resource.RLIMIT_FSIZE, int(limits["file_bytes"]))
    _set(resource.RLIMIT_NOFILE, int(limits["files"]))
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_DATA, int(limits["memory_bytes"]))
    if address_space:
        _set(resource.RLIMIT_AS, int(limits["memory_bytes"]) + UNTOUCHED)
    if os.getuid() != 0:
        running = sum(1 for _ in _own_threads()) if count_others else 0
        _set(resource.RLIMIT_NPROC, int(limits["processes"]) + running)


def _set(name: int, soft: int, hard: int | None = None) -> None:
    """Not above what is set already: without privileges that can't be."""
    ceiling = resource.getrlimit(name)[1]
    hard = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(name, (soft, hard))


def _own_threads():
    own = os.getuid()
    for name in os.listdir("/proc") if kernel.LINUX else ():
        with contextlib.suppress(OSError):
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == own:
                yield from os.listdir(f"/proc/{name}/task")


def go_first() -> None:
    """Let the kernel end this process and its children before all others when memory is short."""
    if kernel.LINUX:
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
            score.write(FIRST_TO_GO)


def become(user: int | None) -> None:
    """Become an unprivileged user for good, and give up every way back."""
    if user is not None:
        os.setgroups([])
        if sys.platform == "linux":
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        else:  # of root, these set the saved ones as well
            os.setgid(user)
            os.setuid(user)
    if kernel.LINUX:
        kernel.drop_capabilities()
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
