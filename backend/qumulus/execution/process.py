"""What a process of ours asks of the kernel: to end with its parent, to be chosen first when memory is short, limits."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import resource
import signal
import sys
from pathlib import Path

from qumulus.core.programs import Limits

PR_SET_PDEATHSIG = 1
MOST_FILE_BYTES = 1 << 30  # of any file that a worker writes
UNTOUCHED_BYTES = 192 << 20  # address space that libraries reserve, for arenas and stacks, and hardly use
FIRST_TO_GO = "900"  # of 1000: before any process of the person who runs us
GIVING_WAY = 4  # niceness: two fifths of the processor time that others get where there is too little
LINUX = sys.platform.startswith("linux")


def end_with_parent(parent: int) -> None:
    """Be killed when the process ``parent`` ends; end now if it has. Only Linux can do that: elsewhere a closed socket must do."""
    if LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def go_first() -> None:
    """When memory is short, let the kernel end this process before others; leave no core file and no file without bounds."""
    if LINUX:
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _soft(resource.RLIMIT_FSIZE, MOST_FILE_BYTES)


def give_way(pid: int) -> None:
    """Let what else computes on this machine go before a process that leads a session; nothing happens if it has ended.

    Some kernels share processor time out between sessions first, and by niceness only inside of one.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, GIVING_WAY)
        if LINUX:
            Path(f"/proc/{pid}/autogroup").write_text(str(GIVING_WAY))


def limit(limits: Limits, *, cores: int = 1) -> None:
    """Bound what this process may use from now on, beyond what it has used until now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime + limits.seconds * cores) + 1
    _soft(resource.RLIMIT_CPU, seconds)
    if LINUX:
        pages = int(_told("statm").split()[0])
        _soft(resource.RLIMIT_AS, pages * resource.getpagesize() + limits.memory_bytes + UNTOUCHED_BYTES)


def _soft(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def resident_bytes() -> int:
    """Memory that this process has in RAM now."""
    if LINUX:
        return int(_told("statm").split()[1]) * resource.getpagesize()
    return peak_bytes(resource.getrusage(resource.RUSAGE_SELF))


def forget_peak() -> None:
    """Let `highest_bytes` begin anew: the kernel resets its mark when it is asked to."""
    if LINUX:
        with contextlib.suppress(OSError):
            os.pwrite(_opened("clear_refs", os.O_WRONLY), b"5", 0)


def highest_bytes() -> int:
    """Return the most memory that this process had in RAM since `forget_peak`."""
    if LINUX:
        found = _told("status").partition(b"VmHWM:")[2].split(None, 1)
        if found:
            return int(found[0]) * 1024
    return peak_bytes(resource.getrusage(resource.RUSAGE_SELF))


_MOST_TOLD = 1 << 14
_descriptors: dict[str, tuple[int, int]] = {}  # of the files below, by name, with the process that opened them


def _told(name: str) -> bytes:
    """What the kernel tells of this process in one of its files."""
    return os.pread(_opened(name, os.O_RDONLY), _MOST_TOLD, 0)


def _opened(name: str, flags: int) -> int:
    """A descriptor of such a file, which stays open: to open it takes longer than to read it. A forked process opens its own."""
    known = _descriptors.get(name)
    if known is None or known[0] != os.getpid():
        known = _descriptors[name] = (os.getpid(), os.open(f"/proc/self/{name}", flags))
    return known[1]


def peak_bytes(usage: resource.struct_rusage) -> int:
    """Return the most memory that a process had in RAM."""
    return usage.ru_maxrss * (1024 if LINUX else 1)


def is_stopped(pid: int) -> bool:
    """Say whether somebody has stopped a process (SIGSTOP), so that it neither runs nor ends."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1]
    except OSError:
        return False
    return state in (b"T", b"t")
