"""Data pools as programs see them: folders, for as long as a run."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from qumulus.core.errors import UnknownFile, UnknownPool
from qumulus.core.ports import PoolStore

from .folders import remove
from .pool_folder import content_of, files_in, put_in

log = logging.getLogger("qumulus.services")


class PoolMounts(Protocol):
    """Makes a data pool a folder."""

    def mount(self, pool_id: str, place: Path, *, writable: bool) -> AbstractContextManager[Path]:
        """Give the folder of a data pool's files, as long as it is mounted; ``place`` is free to be made for it.

        Raises:
            UnknownPool
        """
        ...


@dataclass(frozen=True, slots=True)
class Changes:
    """What a run has done to a copy of a data pool."""

    removed: Sequence[str]
    written: Mapping[str, bytes]


class Copy:
    """A copy of a data pool's files that a run may change."""

    def __init__(self, place: Path, files: Iterable[tuple[str, bytes]]) -> None:
        """``place`` is free to be made for it, and removed by whoever asked for the copy."""
        self.folder = (place / "files").absolute()
        self.folder.mkdir(parents=True)
        place.chmod(0o700)
        self.folder.chmod(0o777)  # whoever a program runs as; the folder around it lets nobody else in
        for name, content in files:
            put_in(self.folder, name, content)
        self._before = _told(self.folder)

    def removed(self) -> Sequence[str]:
        """Return the files that the run has removed."""
        return sorted(self._before.keys() - _told(self.folder).keys())

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Yield the files that the run has written, with their contents."""
        for name, told in _told(self.folder).items():
            if told != self._before.get(name):
                yield name, content_of(self.folder, name)


class PoolCopies:
    """`PoolMounts` for data pools that stand in no folder: a run has a copy, and what it changed is taken over at its end."""

    def __init__(self, store: PoolStore) -> None:
        self._store = store

    @contextlib.contextmanager
    def mount(self, pool_id: str, place: Path, *, writable: bool) -> Generator[Path]:
        """See `PoolMounts.mount`."""
        self._store.pool(pool_id)
        try:
            copy = Copy(place, self._contents(pool_id))
            yield copy.folder
            if writable:
                self._take_over(pool_id, copy)
        finally:
            remove(place)

    def _contents(self, pool_id: str) -> Iterator[tuple[str, bytes]]:
        for file in self._store.files(pool_id):
            with contextlib.suppress(UnknownFile):  # removed meanwhile
                yield file.name, self._store.content(pool_id, file.name)

    def _take_over(self, pool_id: str, copy: Copy) -> None:
        try:
            self._store.discard(pool_id, copy.removed())
            self._store.add(pool_id, copy.written())
        except UnknownPool:
            log.info("The data pool %s was removed while a program wrote into it.", pool_id)


def give_back(folder: Path, changes: Changes) -> None:
    """Do to a folder what a run has done to its copy on another machine."""
    for name in changes.removed:
        (folder / name).unlink(missing_ok=True)
    for name, content in changes.written.items():
        put_in(folder, name, content)


def _told(files: Path) -> Mapping[str, object]:
    """By name, what changes when a file is written."""
    found = {}
    for file in files_in(files):
        status = (files / file.name).lstat()
        found[file.name] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found
