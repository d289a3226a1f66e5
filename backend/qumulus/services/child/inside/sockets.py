"""What the sockets of an execution hold: bytes that were sent and that nobody has received, which are in no process's memory.

The kernel tells how much those of TCP and UDP hold. Of local ones it tells only that they are there: beyond a few, each counts as what it
can hold.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

FEW = 64  # local sockets; an interpreter with helper processes has some
MOST = 416 << 10  # bytes that a local socket holds: twice the kernel's usual buffer, to which any program may set it
QUEUED = ("tcp", "tcp6", "udp", "udp6")  # whose tables have a column `tx_queue:rx_queue`
QUEUES, INODE = 4, 9  # columns of those


def held(pids: Sequence[int], *, own_network: bool) -> int:
    """Return the bytes that the sockets of some processes hold; ``own_network``: no other process has sockets there."""
    if not pids:
        return 0
    inodes = set(_inodes(pids))
    local, queued = 0, 0
    for name in QUEUED:
        for columns in _table(pids[0], name):
            if own_network or columns[INODE] in inodes:
                inodes.discard(columns[INODE])
                queued += sum(int(each, 16) for each in columns[QUEUES].split(":"))
    local = len(inodes)
    if own_network:  # there are also those that no process has open any more, since they are on their way to another
        local = max(local, sum(1 for _ in _table(pids[0], "unix")))
    return max(0, local - FEW) * MOST + queued


def _inodes(pids: Sequence[int]) -> Iterator[str]:
    """Inodes of the sockets that processes have open."""
    for pid in pids:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    kind, _, inode = os.readlink(f"/proc/{pid}/fd/{name}").partition(":[")
                    if kind == "socket":
                        yield inode[:-1]


def _table(pid: int, name: str) -> Iterator[list[str]]:
    """Rows of a table of the network in which a process is."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/net/{name}", errors="replace") as table:
        next(table, None)
        yield from (line.split() for line in table)
