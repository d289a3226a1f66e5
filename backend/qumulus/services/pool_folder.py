"""The data pools of a folder, and how programs see them.

pools/<id>/pool.json     whose it is, and what is said of it
pools/<id>/files/        its files, which the programs of services see as they are
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import uuid
from collections.abc import Generator, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from qumulus.core.errors import StorageFull, UnknownFile, UnknownPool, WrongState
from qumulus.core.pools import About
from qumulus.core.ports import PoolRecord, StoredFile

from .folders import remove

MOST_NAME = 255  # bytes, of the file systems of Linux and macOS
FULL = (errno.ENOSPC, errno.EDQUOT)


class PoolFolder:
    """`core.ports.PoolStore` on a folder, for processes that share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pools(self) -> Sequence[PoolRecord]:
        """Return all data pools."""
        found = []
        for path in self._folder.glob("*/pool.json"):
            with contextlib.suppress(UnknownPool):  # removed meanwhile
                found.append(self.pool(path.parent.name))
        return found

    def pool(self, pool_id: str) -> PoolRecord:
        """Return the data pool. See `PoolStore.pool`."""
        try:
            told = json.loads((self._folder / pool_id / "pool.json").read_bytes())
        except FileNotFoundError:
            raise UnknownPool(pool_id) from None
        said = told["about"]
        return PoolRecord(
            id=pool_id,
            account=told["account"],
            about=About(tags=tuple(said.pop("tags")), **said),
            created_at=datetime.fromisoformat(told["created_at"]),
        )

    def put(self, pool: PoolRecord) -> None:
        """Make a data pool, or change what people say of one."""
        files, path = self._files(pool.id), self._folder / pool.id / "pool.json"
        told = {"account": pool.account, "about": asdict(pool.about), "created_at": pool.created_at.isoformat()}
        with full_disk():
            if not files.is_dir():
                files.mkdir(parents=True)
                path.parent.chmod(0o700)
                files.chmod(0o777)  # whoever a program runs as; the folder around it lets nobody else in
            aside = path.with_name(f".{uuid.uuid4().hex}")
            aside.write_text(json.dumps(told))
            aside.replace(path)

    def remove(self, pool_id: str) -> None:
        """Remove a data pool with its files."""
        (self._folder / pool_id / "pool.json").unlink(missing_ok=True)  # first: it is no data pool any more
        remove(self._folder / pool_id)

    def files(self, pool_id: str) -> Sequence[StoredFile]:
        """Return the regular files of a data pool, sorted by name."""
        return files_in(self._files(pool_id))

    def add(self, pool_id: str, files: Iterable[tuple[str, bytes]]) -> None:
        """Keep files. See `PoolStore.add`."""
        for name, content in files:
            try:
                with full_disk():
                    put_in(self._files(pool_id), name, content)
            except IsADirectoryError:
                raise WrongState(f"A service has made a folder named {name[:80]!r}: choose another name.") from None
            except FileNotFoundError:
                raise UnknownPool(pool_id) from None

    def content(self, pool_id: str, name: str) -> bytes:
        """Return the content of a file. See `PoolStore.content`."""
        return content_of(self._files(pool_id), name)

    def discard(self, pool_id: str, names: Iterable[str]) -> None:
        """Remove files; nothing happens where there are none."""
        for name in names:
            (self._files(pool_id) / name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def mount(self, pool_id: str, place: Path, *, writable: bool) -> Generator[Path]:
        """Give the folder of a data pool: what a program writes is in the data pool at once."""
        del place, writable
        self.pool(pool_id)
        yield self._files(pool_id).absolute()

    def _files(self, pool_id: str) -> Path:
        return self._folder / pool_id / "files"


def files_in(folder: Path) -> list[StoredFile]:
    """Return the regular files at the top level of a folder, by name."""
    found = []
    for name in sorted(os.listdir(folder)):
        try:
            name.encode()
            status = (folder / name).lstat()
        except (OSError, UnicodeEncodeError):  # gone meanwhile, or a name that is no text
            continue
        if stat.S_ISREG(status.st_mode) and not name.startswith("."):
            changed_at = datetime.fromtimestamp(status.st_mtime, UTC)
            found.append(StoredFile(name=name, size=status.st_size, changed_at=changed_at))
    return found


def is_name(name: str) -> bool:
    """Say whether a file of a data pool can have that name."""
    return not name.startswith(".") and not {"/", "\0"} & set(name) and 0 < len(os.fsencode(name)) <= MOST_NAME


def content_of(folder: Path, name: str) -> bytes:
    """Return the content of a regular file; a link that a program has put in its place is not followed.

    Raises:
        UnknownFile
    """
    try:
        opened = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise UnknownFile(name) from None
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise UnknownFile(name)
        return file.read()


def put_in(folder: Path, name: str, content: bytes) -> None:
    """Keep a file that programs may change: all of it or nothing, and no link that has its name is followed."""
    aside = folder / f".{uuid.uuid4().hex}"
    try:
        opened = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(opened, "wb") as file:
            file.write(content)
            os.fchmod(opened, 0o666)  # not by its name, which a program that runs may have given to a link meanwhile
        aside.replace(folder / name)
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def full_disk() -> Generator[None]:
    """Raise `StorageFull` where the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull from None
        raise
