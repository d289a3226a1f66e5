"""How much memory an execution uses, where no control group says so: what its processes hold, and what they share.

Private memory is counted page by page. Shared memory is counted by the object, because a page that was written stays there
when the process no longer maps it: anonymous shared maps, System V segments, and the files in `/dev/shm`. What sockets hold counts too.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
from collections.abc import Iterator, Sequence

from . import kernel, sockets
from .root import SHARED

PAGE = os.sysconf("SC_PAGE_SIZE")
BLOCK = 512
SHARED_MAP = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) ...s [0-9a-f]+ (\S+) (\d+)\s*(.*)$", re.MULTILINE)
PRIVATE = re.compile(rb"^(?:RssAnon|VmSwap|VmPTE):\s+(\d+) kB$", re.MULTILINE)
TABLES = re.compile(rb"^VmPTE:\s+(\d+) kB$", re.MULTILINE)
PARTS = re.compile(rb"^(Pss|Pss_Anon|SwapPss):\s+(\d+) kB$", re.MULTILINE)
SEGMENTS = "/proc/sysvipc/shm"


class Memory:
    """Counts for one execution. It is made before that begins, and asked by the process that has made its namespaces."""

    def __init__(self, *, private_root: bool, own_network: bool) -> None:
        """``private_root``: the execution has a `/dev/shm` and System V's objects of its own; else it can make none of the
        latter, and of the former what is new counts. ``own_network``: it has a network of its own, too."""
        self._private = private_root
        self._own_network = private_root and own_network
        self._device = _anonymous_device()
        self._before = set() if private_root else {inode for inode, _ in _listed()}

    def used(self, pids: Sequence[int], limit: int) -> int:
        """Bytes in use together; exact only where they are more than half of ``limit``, since the exact figure costs time."""
        shared = self._objects(pids) + (self._segments() + self._files(pids) if self._private else 0)
        shared += sockets.held(pids, own_network=self._own_network)
        private = sum(map(_anonymous, pids))  # too much where processes share pages since a fork
        if len(pids) > 1 and shared + private > limit // 2:
            private = sum(map(_share, pids))
        return shared + private

    def _objects(self, pids: Sequence[int]) -> int:
        """Memory that processes share without a file of the execution's own, each object once."""
        sizes: dict[tuple[bytes, int], int] = {}
        for pid in pids:
            for start, end, device, inode, name in _shared_maps(pid):
                if device == self._device and not (self._private and name.startswith(b"/SYSV")):
                    key = (device, int(inode))
                    sizes[key] = max(sizes.get(key, 0), _object_size(pid, start, end))
        held = 0 if self._private else self._held(pids)
        return sum(sizes.values()) + held

    def _held(self, pids: Sequence[int]) -> int:
        """Return what is new in the `/dev/shm` of the machine, of the user that the execution runs as, and what of it is open still."""
        users = {os.stat(f"/proc/{pid}").st_uid for pid in pids if os.path.exists(f"/proc/{pid}")}
        sizes = {inode: found.st_blocks for inode, found in _listed() if found.st_uid in users}
        for pid in pids:
            sizes.update({inode: found.st_blocks for inode, found in _removed(pid)})
        return sum(blocks for inode, blocks in sizes.items() if inode not in self._before) * BLOCK

    def _segments(self) -> int:
        """System V's segments, attached or not."""
        with contextlib.suppress(OSError), open(SEGMENTS) as table:
            names = next(table, "").split()
            columns = [names.index(name) for name in ("rss", "swap") if name in names]
            return sum(int(line.split()[column]) for line in table for column in columns)
        return 0

    def _files(self, pids: Sequence[int]) -> int:
        """Return the files in the execution's own `/dev/shm`, seen through one of its processes."""
        for pid in pids:
            with contextlib.suppress(OSError):  # it has ended meanwhile
                held = os.statvfs(f"/proc/{pid}/root{SHARED}")
                return (held.f_blocks - held.f_bfree) * held.f_frsize
        return 0


def _listed() -> Iterator[tuple[int, os.stat_result]]:
    """Inodes of the files in the `/dev/shm` of the machine."""
    with contextlib.suppress(OSError), os.scandir(SHARED) as listed:
        for entry in listed:
            with contextlib.suppress(OSError):
                yield entry.inode(), entry.stat(follow_symlinks=False)


def _removed(pid: int) -> Iterator[tuple[int, os.stat_result]]:
    """Inodes of files that have no name in `/dev/shm` any more and are open, or mapped, in a process."""
    for folder in ("fd", "map_files"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            for name in os.listdir(f"/proc/{pid}/{folder}"):
                path = f"/proc/{pid}/{folder}/{name}"
                with contextlib.suppress(OSError):
                    if os.readlink(path).startswith(f"{SHARED}/"):
                        found = os.stat(path)
                        yield found.st_ino, found


def _anonymous_device() -> bytes:
    """Return how the kernel names the place where anonymous shared memory stands; its number is not the same everywhere."""
    if not kernel.LINUX:
        return b""
    with mmap.mmap(-1, PAGE):
        return next((device for *_, device, _, name in _shared_maps("self") if name.startswith(b"/dev/zero")), b"")


def _shared_maps(pid: int | str) -> Iterator[tuple[bytes, bytes, bytes, bytes, bytes]]:
    """Start, end, device, inode and name of each shared map of a process."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/maps", "rb") as maps:
        yield from SHARED_MAP.findall(maps.read())


def _object_size(pid: int, start: bytes, end: bytes) -> int:
    """Bytes of the object behind a map; where only the map can be seen (without privileges), its length."""
    try:
        # as the kernel writes them: without zeros in front, which `maps` has
        return os.stat(f"/proc/{pid}/map_files/{int(start, 16):x}-{int(end, 16):x}").st_blocks * BLOCK
    except OSError:
        return int(end, 16) - int(start, 16)


def _anonymous(pid: int) -> int:
    """Return the bytes that are neither of a file nor shared by a map, also those that were swapped out, and of what finds them."""
    try:
        with open(f"/proc/{pid}/status", "rb") as lines:
            return sum(int(size) for size in PRIVATE.findall(lines.read())) << 10
    except OSError:
        return 0


def _share(pid: int) -> int:
    """Return the same with a process's part only of a page that several processes have since a fork."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as lines:
            parts = dict(PARTS.findall(lines.read()))
        with open(f"/proc/{pid}/status", "rb") as lines:
            tables = sum(int(size) for size in TABLES.findall(lines.read()))
    except OSError:
        return 0
    return (int(parts.get(b"Pss_Anon", parts.get(b"Pss", b"0"))) + int(parts.get(b"SwapPss", b"0")) + tables) << 10
