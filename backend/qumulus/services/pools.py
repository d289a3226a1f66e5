"""The data pools of a state folder.

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
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from qumulus.core.accounts import Caller
from qumulus.core.errors import InvalidRequest, StorageFull, UnknownFile, UnknownPool, WrongState
from qumulus.core.pools import About, Pool, PoolFile, PoolReference
from qumulus.core.ports import Clock

from .folders import remove

MOST_FILES = 10_000
MOST_NAME = 255  # bytes, of the file systems of Linux and macOS
ALGORITHM = "HS256"
READ_ONLY = "VIEW"
FULL = (errno.ENOSPC, errno.EDQUOT)


class PoolFolder:
    """`core.pools.Pools` on a folder that several processes may share."""

    def __init__(self, folder: Path, *, clock: Clock, secret: Callable[[], bytes]) -> None:
        """``secret`` is what grants are signed with."""
        self._folder = folder
        self._clock = clock
        self._secret = secret

    # -- pools -----------------------------------------------------------------------------------------------------------

    def pools(self, caller: Caller) -> Sequence[Pool]:
        """Those of the caller. See `Pools.pools`."""
        found = []
        for path in self._folder.glob("*/pool.json"):
            with contextlib.suppress(UnknownPool):  # somebody else's, or removed meanwhile
                found.append(self.pool(path.parent.name, caller))
        return sorted(found, key=lambda pool: (pool.about.name, pool.id))

    def pool(self, pool_id: str, caller: Caller) -> Pool:
        """The data pool. See `Pools.pool`."""
        told = self._told(pool_id)
        if told["account"] != caller.account:
            raise UnknownPool(pool_id)
        return _pool(pool_id, told)

    def make(self, about: About, caller: Caller, *, pool_id: str | None = None) -> Pool:
        """An empty one; ``pool_id`` is given by fixtures only. See `Pools.make`."""
        pool_id = pool_id or str(uuid.uuid4())
        told = {
            "account": caller.account,
            "about": asdict(about),
            "created_at": self._clock.now().isoformat(),
        }
        with _full_disk():
            self._files(pool_id).mkdir(parents=True)
            (self._folder / pool_id).chmod(0o700)
            self._files(pool_id).chmod(0o777)  # whoever a program runs as; the folder around it lets nobody else in
            self._put(pool_id, told)
        return _pool(pool_id, told)

    def describe(self, pool_id: str, about: About, caller: Caller) -> Pool:
        """Say something else of it. See `Pools.describe`."""
        self.pool(pool_id, caller)
        told = {**self._told(pool_id), "about": asdict(about)}
        with _full_disk():
            self._put(pool_id, told)
        return _pool(pool_id, told)

    def remove(self, pool_id: str, caller: Caller) -> None:
        """Forget it and its files. See `Pools.remove`."""
        self.pool(pool_id, caller)
        (self._folder / pool_id / "pool.json").unlink(missing_ok=True)  # first: it is no data pool any more
        remove(self._folder / pool_id)

    # -- files -----------------------------------------------------------------------------------------------------------

    def files(self, pool_id: str, caller: Caller) -> Sequence[PoolFile]:
        """Its files. See `Pools.files`."""
        self.pool(pool_id, caller)
        return self._listed(pool_id)

    def add(self, pool_id: str, name: str, content: bytes, caller: Caller) -> PoolFile:
        """Keep a file. See `Pools.add`."""
        self.pool(pool_id, caller)
        if name.startswith(".") or "/" in name or "\0" in name or not 0 < len(os.fsencode(name)) <= MOST_NAME:
            raise InvalidRequest(f"{name[:80]!r} is no name for a file: say another one with the parameter filename.")
        if len(self._listed(pool_id)) >= MOST_FILES:
            raise WrongState(f"The data pool has {MOST_FILES} files already: remove some first.")
        folder = self._files(pool_id)
        aside = folder / f".{uuid.uuid4().hex}"
        try:
            with _full_disk():
                aside.write_bytes(content)
                aside.chmod(0o666)
                aside.replace(folder / name)
        except IsADirectoryError:
            raise WrongState(f"A service has made a folder named {name[:80]!r}: choose another name.") from None
        finally:
            aside.unlink(missing_ok=True)
        return self._file(pool_id, name)

    def read(self, pool_id: str, file_id: str, caller: Caller) -> tuple[PoolFile, bytes]:
        """A file and its content. See `Pools.read`."""
        self.pool(pool_id, caller)
        file = self._by_id(pool_id, file_id)
        return file, self.content(pool_id, file.name)

    def discard(self, pool_id: str, file_id: str, caller: Caller) -> None:
        """Remove a file. See `Pools.discard`."""
        self.pool(pool_id, caller)
        file = self._by_id(pool_id, file_id)
        (self._files(pool_id) / file.name).unlink(missing_ok=True)

    # -- use by executions -------------------------------------------------------------------------------------------------

    def grant(self, pool_id: str, application: str, permission: str, lifetime: timedelta, caller: Caller) -> str:
        """A token for it. See `Pools.grant`."""
        import jwt  # takes a tenth of a second: not at the start of the server

        self.pool(pool_id, caller)
        now = self._clock.now()
        claims = {"sub": pool_id, "aud": application, "permission": permission, "iat": now, "exp": now + lifetime}
        return jwt.encode(claims, self._secret(), ALGORITHM)

    def reference(self, pool_id: str, grant: str | None, caller: Caller) -> PoolReference:
        """What a request may use. See `Pools.reference`."""
        if grant is None:
            self.pool(pool_id, caller)
            return PoolReference(id=pool_id, writable=True)
        import jwt

        try:
            claims = jwt.decode(  # its times are compared with our own clock, below
                grant,
                self._secret(),
                [ALGORITHM],
                options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
            )
            good = claims["sub"] == pool_id and claims["exp"] > self._clock.now().timestamp()
        except (jwt.InvalidTokenError, KeyError, TypeError):
            good, claims = False, {}
        if not good:
            raise InvalidRequest("The grant is not for this data pool, or has expired: ask for a new one.")
        self._told(pool_id)
        return PoolReference(id=pool_id, writable=claims["permission"] != READ_ONLY)

    def folder(self, pool_id: str) -> Path:
        """Where a program finds its files.

        Raises:
            UnknownPool
        """
        self._told(pool_id)
        return self._files(pool_id).absolute()

    def value(self, pool_id: str, file_id: str) -> bytes:
        """The content of a file, whoever owns it.

        Raises:
            UnknownPool, UnknownFile
        """
        self._told(pool_id)
        return self.content(pool_id, self._by_id(pool_id, file_id).name)

    # -- on disk ---------------------------------------------------------------------------------------------------------

    def content(self, pool_id: str, name: str) -> bytes:
        """The content of a regular file; a link that a program has put in its place is not followed."""
        try:
            opened = os.open(self._files(pool_id) / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            raise UnknownFile(name) from None
        with os.fdopen(opened, "rb") as file:
            return file.read()

    def _files(self, pool_id: str) -> Path:
        return self._folder / pool_id / "files"

    def _told(self, pool_id: str) -> Mapping[str, Any]:
        try:
            return json.loads((self._folder / str(uuid.UUID(pool_id)) / "pool.json").read_bytes())
        except (ValueError, FileNotFoundError):
            raise UnknownPool(pool_id) from None

    def _put(self, pool_id: str, told: Mapping[str, Any]) -> None:
        path = self._folder / pool_id / "pool.json"
        aside = path.with_name(f".{uuid.uuid4().hex}")
        aside.write_text(json.dumps(told))
        aside.replace(path)

    def _listed(self, pool_id: str) -> list[PoolFile]:
        found = []
        for name in sorted(os.listdir(self._files(pool_id))):
            with contextlib.suppress(UnknownFile, UnicodeEncodeError):  # a folder, a link, or a name that is no text
                name.encode()
                if not name.startswith("."):
                    found.append(self._file(pool_id, name))
        return found

    def _file(self, pool_id: str, name: str) -> PoolFile:
        try:
            status = (self._files(pool_id) / name).lstat()
        except OSError:
            raise UnknownFile(name) from None
        if not stat.S_ISREG(status.st_mode):
            raise UnknownFile(name)
        return PoolFile(
            id=str(uuid.uuid5(uuid.UUID(pool_id), name)),
            pool=pool_id,
            name=name,
            size=status.st_size,
            changed_at=datetime.fromtimestamp(status.st_mtime, UTC),
        )

    def _by_id(self, pool_id: str, file_id: str) -> PoolFile:
        found = next((file for file in self._listed(pool_id) if file.id == file_id), None)
        if found is None:
            raise UnknownFile(file_id)
        return found


def _pool(pool_id: str, told: Mapping[str, Any]) -> Pool:
    said = dict(told["about"])
    about = About(tags=tuple(said.pop("tags")), **said)
    return Pool(id=pool_id, about=about, created_at=datetime.fromisoformat(told["created_at"]))


@contextlib.contextmanager
def _full_disk() -> Generator[None]:
    """A full disk is said as such."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull from None
        raise
