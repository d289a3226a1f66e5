"""Large values as files.

A value is written under another name, synced, renamed, and its folder synced: a key either names the whole value, on disk, or
nothing. A row that names a key is committed only after that; so a crash leaves at worst a file that no row names, and those
are swept when a process starts that is alone on the folder. Keys are drawn by us: no name from outside becomes a path.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Collection, Iterator
from datetime import timedelta
from pathlib import Path

from qumulus.core.clock import SystemClock
from qumulus.core.errors import StorageFull, Unavailable

KEY = re.compile(r"[0-9a-f]{32}")
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def checked(key: str) -> str:
    """Return a key that can be the name of a file.

    Raises:
        ValueError: it is none of ours.
    """
    if not KEY.fullmatch(key):
        raise ValueError("A blob's key is 32 hexadecimal digits.")
    return key


def new_key() -> str:
    """Return a key that was never used."""
    return secrets.token_hex(16)


class DiskBlobs:
    """Blobs in a folder, spread over 256 folders by the first two letters of their keys."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, value: bytes) -> None:
        """Store a value, which is synced when this returns.

        Raises:
            StorageFull: nothing was stored.
        """
        path = self._path(key)
        unfinished = path.with_suffix(".unfinished")
        try:
            if not path.parent.exists():
                path.parent.mkdir(exist_ok=True)
                _sync_folder(self._folder)
            with unfinished.open("wb") as file:
                file.write(value)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(path)
            _sync_folder(path.parent)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            if error.errno in FULL:
                raise StorageFull from error
            raise Unavailable("The disk that holds the state can't be written now: try again later.") from error

    def get(self, key: str) -> bytes:
        """Return a value.

        Raises:
            FileNotFoundError: there is none.
        """
        return self._path(key).read_bytes()

    def delete(self, key: str) -> None:
        """Forget a value; nothing happens where there is none."""
        self._path(key).unlink(missing_ok=True)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield all keys that begin with ``prefix``, the unfinished ones not."""
        for path in self._folder.glob(f"{prefix[:2] or '??'}*/*"):
            if KEY.fullmatch(path.name) and path.name.startswith(prefix):
                yield path.name

    def old(self, age: timedelta) -> Iterator[str]:
        """Yield the keys of values that were stored so long ago."""
        for key in self.keys():
            try:
                stored_at = self._path(key).stat().st_mtime
            except FileNotFoundError:
                continue
            if SystemClock().wall().timestamp() - stored_at >= age.total_seconds():
                yield key

    def link(self, key: str, name: str, media_type: str, seconds: int) -> None:
        """None: only the server can give a value."""
        del key, name, media_type, seconds

    def sweep(self, named: Collection[str]) -> int:
        """Remove every file that is not among ``named``, and say how many. Only where nobody else writes."""
        removed = 0
        for path in self._folder.glob("??/*"):
            if path.name not in named:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _path(self, key: str) -> Path:
        return self._folder / checked(key)[:2] / key


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
