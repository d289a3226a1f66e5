"""What an execution keeps on the disk: in its folders, and in files that have no name any more but that a process has open or mapped."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence

BLOCK = 512
O_PATH = getattr(os, "O_PATH", 0)  # where it is not there, nothing is run in a sandbox
LONG = 3000  # characters of a path, of which the kernel takes 4096: what is below is looked at from there
NAMELESS = re.compile(
    rb"^([0-9a-f]+)-([0-9a-f]+) \S+ [0-9a-f]+ ([0-9a-f]+):([0-9a-f]+) (\d+)\s.* \(deleted\)$", re.MULTILINE
)
ON_ITS_WAY = re.compile(rb"^scm_fds:\s*[1-9]", re.MULTILINE)
GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Disk:
    """Counts for one execution. It is made before that begins, and asked by a process outside of its namespaces."""

    def __init__(self, written: Sequence[str], grown: Sequence[str], limits: Mapping[str, float]) -> None:
        """``grown`` are folders in which something stands already; ``limits`` has disk_bytes, disk_entries and file_bytes."""
        self._folders = [*written, *grown]
        size, entries = _counted(grown, None, None)
        self._most_bytes = int(limits["disk_bytes"]) + size
        self._most_entries = int(limits["disk_entries"]) + entries
        self._most_of_one = int(limits["file_bytes"])
        self._devices = {os.stat(folder).st_dev for folder in self._folders}
        self._free = self._left()

    def over(self, pids: Sequence[int]) -> bool:
        """Say whether the processes of the execution keep more than they may."""
        size, entries = _counted(self._folders, self._most_bytes, self._most_entries)
        if entries > self._most_entries or size > self._most_bytes:
            return True
        nameless: dict[tuple[int, int], int] = {}
        for pid in pids:
            nameless.update(self._open(pid))
        for pid in pids:
            for key, kept in self._mapped(pid):
                nameless.setdefault(key, kept)
        return size + sum(nameless.values()) > self._most_bytes or self._lost(pids)

    def _open(self, pid: int) -> Iterator[tuple[tuple[int, int], int]]:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            for name in os.listdir(f"/proc/{pid}/fd"):
                yield from self._nameless(f"/proc/{pid}/fd/{name}")

    def _mapped(self, pid: int) -> Iterator[tuple[tuple[int, int], int]]:
        """Files that are mapped; what can't be looked at (without privileges) counts as the largest file that there may be."""
        with contextlib.suppress(OSError), open(f"/proc/{pid}/maps", "rb") as maps:
            for start, end, *device, inode in NAMELESS.findall(maps.read()):
                try:
                    # as the kernel writes them: without zeros in front, which `maps` has
                    yield from self._nameless(f"/proc/{pid}/map_files/{int(start, 16):x}-{int(end, 16):x}")
                except PermissionError:
                    key = os.makedev(*(int(each, 16) for each in device)), int(inode)
                    if key[0] in self._devices:
                        yield key, self._most_of_one

    def _nameless(self, path: str) -> Iterator[tuple[tuple[int, int], int]]:
        """Give the bytes of a file, by its identity, if no folder has it.

        Raises:
            PermissionError
        """
        try:
            found = os.stat(path)
        except PermissionError:
            raise
        except OSError:  # closed meanwhile
            return
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 0 and found.st_dev in self._devices:
            yield (found.st_dev, found.st_ino), found.st_blocks * BLOCK

    def _lost(self, pids: Sequence[int]) -> bool:
        """Say whether the disk has lost more room than the execution may use while files of it are on their way through a socket.

        Those are in no process. Others may have used that room: where nothing is on its way, it says nothing of this execution.
        """
        lost = any(before - now > self._most_bytes for before, now in zip(self._free, self._left(), strict=True))
        return lost and any(_sends_files(pid) for pid in pids)

    def _left(self) -> list[int]:
        found = []
        for folder in self._folders:
            held = os.statvfs(folder)
            found.append(held.f_bfree * held.f_frsize)
        return found


def _sends_files(pid: int) -> bool:
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for name in os.listdir(f"/proc/{pid}/fdinfo"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/fdinfo/{name}", "rb") as told:
                if ON_ITS_WAY.search(told.read()):
                    return True
    return False


def _counted(folders: Iterable[str], most_bytes: int | None, most_entries: int | None) -> tuple[int, int]:
    """Bytes and entries below ``folders``; the counting ends where either is over its limit."""
    size = entries = 0
    with contextlib.ExitStack() as opened:
        waiting = list(folders)
        while waiting:
            try:
                for entry in _listed(waiting.pop(), opened):
                    entries += 1
                    with contextlib.suppress(FileNotFoundError):
                        size += entry.stat(follow_symlinks=False).st_blocks * BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
            except OSError as error:
                if error.errno not in (*GONE, errno.EACCES):  # so deep that nobody can count it
                    return size, max(entries, (most_entries or 0) + 1)
            if (most_bytes is not None and size > most_bytes) or (most_entries is not None and entries > most_entries):
                break
    return size, entries


def _listed(folder: str, opened: contextlib.ExitStack) -> list[os.DirEntry[str]]:
    """Return what stands in a folder; one that the program has locked is opened up.

    Raises:
        OSError
    """
    if len(folder) > LONG:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        opened.callback(os.close, descriptor)
        folder = f"/proc/self/fd/{descriptor}"
    try:
        with os.scandir(folder) as listed:
            return list(listed)
    except PermissionError:
        _open_up(folder)
    with os.scandir(folder) as listed:
        return list(listed)


def _open_up(folder: str) -> None:
    """Let this process, who is the same user as the program, look into a folder.

    Raises:
        OSError
    """
    descriptor = os.open(folder, O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.chmod(f"/proc/self/fd/{descriptor}", 0o700)
    finally:
        os.close(descriptor)
