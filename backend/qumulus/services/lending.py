"""Data pools as programs see them: folders, for as long as a run."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from qumulus.core.errors import UnknownFile, UnknownPool
from qumulus.core.ports import PoolStore

from .folders import remove
from .pool_folder import content_of, files_in

log = logging.getLogger("qumulus.services")


class Lender(Protocol):
    """Makes a data pool a folder."""

    def lent(self, pool_id: str, place: Path, *, writable: bool) -> AbstractContextManager[Path]:
        """The folder of its files, as long as it is lent; ``place`` is free to be made for it.

        Raises:
            UnknownPool
        """
        ...


class Copies:
    """`Lender` for data pools that stand in no folder: a run has a copy, and what it changed is taken over at its end."""

    def __init__(self, store: PoolStore) -> None:
        self._store = store

    @contextlib.contextmanager
    def lent(self, pool_id: str, place: Path, *, writable: bool) -> Generator[Path]:
        """See `Lender.lent`."""
        self._store.pool(pool_id)
        files = place / "files"
        try:
            files.mkdir(parents=True)
            place.chmod(0o700)
            files.chmod(0o777)  # whoever a program runs as; the folder around it lets nobody else in
            for file in self._store.files(pool_id):
                with contextlib.suppress(UnknownFile):  # removed meanwhile
                    (files / file.name).write_bytes(self._store.content(pool_id, file.name))
                    (files / file.name).chmod(0o666)
            before = _told(files)
            yield files.absolute()
            if writable:
                self._take_over(pool_id, files, before)
        finally:
            remove(place)

    def _take_over(self, pool_id: str, files: Path, before: Mapping[str, object]) -> None:
        after = _told(files)
        try:
            for name in before.keys() - after.keys():
                self._store.discard(pool_id, name)
            for name in after:
                if after[name] != before.get(name):
                    self._store.add(pool_id, name, content_of(files, name))
        except UnknownPool:
            log.info("The data pool %s was removed while a program wrote into it.", pool_id)


def _told(files: Path) -> Mapping[str, object]:
    """By name, what changes when a file is written."""
    found = {}
    for file in files_in(files):
        status = (files / file.name).lstat()
        found[file.name] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found
