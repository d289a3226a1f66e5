"""What this shell lets a process have, and whether a server gets along with that: it says so before anything fails half way."""

from __future__ import annotations

import gc
import os
import resource
import sys
from pathlib import Path

SPARE_FILES = 200  # beside those of connections: the database, workers, programs
LEAST_FILES = 64
LEAST_ADDRESSES = 512 << 20  # bytes: threads reserve more of them than they use
LEAST_TASKS = 64  # processes and threads
SWITCH_SECONDS = 0.0005
COLLECT_AFTER = 20_000, 20, 20  # new objects, and collections of younger ones


def _raise_files(wanted: int) -> None:
    """Take as many open files as are wanted, if that is in our hands."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def objections(connections: int) -> list[str]:
    """Return why a server with so many connections can't run under the limits of this shell, a sentence each; raise those it may."""
    _raise_files(connections + SPARE_FILES)
    found = []
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < LEAST_FILES:
        found.append(f"A process may have {files} files open here, and a server needs {LEAST_FILES}: ulimit -n 4096.")
    addresses, _ = resource.getrlimit(resource.RLIMIT_AS)
    if addresses != resource.RLIM_INFINITY and addresses < LEAST_ADDRESSES:
        found.append(
            f"A process may have {addresses >> 20} MiB of addresses here, and a server needs {LEAST_ADDRESSES >> 20}: "
            "ulimit -v unlimited. The memory of runs is limited by QUMULUS_WORKER_MEMORY_MIB."
        )
    tasks, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if tasks != resource.RLIM_INFINITY and os.geteuid() != 0:  # root has no such limit
        found += too_few(tasks, running(os.geteuid()))
    return found


def too_few(limit: int, running: int) -> list[str]:
    """Return the objection to a limit of processes and threads, of which some run already."""
    if limit - running >= LEAST_TASKS:
        return []
    return [
        (
            f"This user may have {limit} processes and threads, of which {running} run, and a server needs {LEAST_TASKS} more: "
            f"ulimit -u {running + 1024}, or LimitNPROC in the unit."
        )
    ]


def running(user: int) -> int:
    """Return how many threads the processes of a user have; 0 where nobody says."""
    count = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            members = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:
            continue  # it has ended
        if int(members["Uid"].split()[0]) == user:
            count += int(members["Threads"])
    return count


def tune_for_requests() -> None:
    """Let threads take turns after a short time, for each has little to do and somebody who waits for it; and look less often for
    garbage that refers to itself, of which requests leave little."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*COLLECT_AFTER)
