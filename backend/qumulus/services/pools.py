"""Data pools: whose they are, what is in them, and who may use them."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from qumulus.core.accounts import Caller
from qumulus.core.errors import InvalidRequest, UnknownFile, UnknownPool, WrongState
from qumulus.core.pools import About, Pool, PoolFile, PoolReference
from qumulus.core.ports import Clock, PoolRecord, PoolStore, StoredFile

from .pool_folder import is_name

MOST_FILES = 10_000
ALGORITHM = "HS256"
READ_ONLY = "VIEW"


class DataPools:
    """`core.pools.Pools` on a store that several processes may share."""

    def __init__(
        self,
        store: PoolStore,
        *,
        clock: Clock,
        secret: Callable[[], bytes],
        admit: Callable[[str, int], None] = lambda _account, _size: None,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        """``secret`` is what grants are signed with; ``admit`` raises where an account may not store as many bytes more."""
        self._store = store
        self._clock = clock
        self._secret = secret
        self._admit = admit
        self._new_id = new_id

    # -- pools -----------------------------------------------------------------------------------------------------------

    def pools(self, caller: Caller) -> Sequence[Pool]:
        """Return those of the caller. See `Pools.pools`."""
        found = [_pool(record) for record in self._store.pools() if record.account == caller.account]
        return sorted(found, key=lambda pool: (pool.about.name, pool.id))

    def pool(self, pool_id: str, caller: Caller) -> Pool:
        """Return the data pool. See `Pools.pool`."""
        return _pool(self._of(pool_id, caller))

    def make(self, about: About, caller: Caller, *, pool_id: str | None = None) -> Pool:
        """Make an empty data pool; ``pool_id`` is given by fixtures only. See `Pools.make`."""
        record = PoolRecord(
            id=pool_id or self._new_id(), account=caller.account, about=about, created_at=self._clock.now()
        )
        self._store.put(record)
        return _pool(record)

    def describe(self, pool_id: str, about: About, caller: Caller) -> Pool:
        """Change what people say of a data pool. See `Pools.describe`."""
        record = replace(self._of(pool_id, caller), about=about)
        self._store.put(record)
        return _pool(record)

    def remove(self, pool_id: str, caller: Caller) -> None:
        """Remove a data pool with its files. See `Pools.remove`."""
        self._store.remove(self._of(pool_id, caller).id)

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Yield the account and the bytes of each data pool."""
        for record in self._store.pools():
            with contextlib.suppress(UnknownPool):  # removed meanwhile
                yield record.account, sum(file.size for file in self._store.files(record.id))

    def _of(self, pool_id: str, caller: Caller) -> PoolRecord:
        record = self._store.pool(_checked(pool_id))
        if record.account != caller.account:
            raise UnknownPool(pool_id)
        return record

    # -- files -----------------------------------------------------------------------------------------------------------

    def files(self, pool_id: str, caller: Caller) -> Sequence[PoolFile]:
        """Return the files of a data pool. See `Pools.files`."""
        return self._listed(self._of(pool_id, caller).id)

    def add(self, pool_id: str, name: str, content: bytes, caller: Caller) -> PoolFile:
        """Keep a file. See `Pools.add`."""
        pool_id = self._of(pool_id, caller).id
        if not is_name(name):
            raise InvalidRequest(f"{name[:80]!r} is no name for a file: say another one with the parameter filename.")
        if len(self._listed(pool_id)) >= MOST_FILES:
            raise WrongState(f"The data pool has {MOST_FILES} files already: remove some first.")
        self._admit(caller.account, len(content))
        self._store.add(pool_id, [(name, content)])
        return self._by_id(pool_id, _file_id(pool_id, name))

    def read(self, pool_id: str, file_id: str, caller: Caller) -> tuple[PoolFile, bytes]:
        """Return a file and its content. See `Pools.read`."""
        file = self._by_id(self._of(pool_id, caller).id, file_id)
        return file, self._store.content(file.pool, file.name)

    def discard(self, pool_id: str, file_id: str, caller: Caller) -> None:
        """Remove a file. See `Pools.discard`."""
        file = self._by_id(self._of(pool_id, caller).id, file_id)
        self._store.discard(file.pool, [file.name])

    def _listed(self, pool_id: str) -> list[PoolFile]:
        return [_file(pool_id, stored) for stored in self._store.files(pool_id)]

    def _by_id(self, pool_id: str, file_id: str) -> PoolFile:
        found = next((file for file in self._listed(pool_id) if file.id == file_id), None)
        if found is None:
            raise UnknownFile(file_id)
        return found

    # -- use by executions -------------------------------------------------------------------------------------------------

    def grant(self, pool_id: str, application: str, permission: str, lifetime: timedelta, caller: Caller) -> str:
        """Return a token for a data pool. See `Pools.grant`."""
        import jwt  # takes a tenth of a second: not at the start of the server

        self._of(pool_id, caller)
        now = self._clock.now()
        claims = {"sub": pool_id, "aud": application, "permission": permission, "iat": now, "exp": now + lifetime}
        return jwt.encode(claims, self._secret(), ALGORITHM)

    def reference(self, pool_id: str, grant: str | None, caller: Caller) -> PoolReference:
        """Return what a request may use. See `Pools.reference`."""
        if grant is None:
            self._of(pool_id, caller)
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
        self._store.pool(_checked(pool_id))
        return PoolReference(id=pool_id, writable=claims["permission"] != READ_ONLY)

    def value(self, pool_id: str, file_id: str) -> bytes:
        """Return the content of a file, whoever owns it.

        Raises:
            UnknownPool, UnknownFile
        """
        pool_id = self._store.pool(_checked(pool_id)).id
        return self._store.content(pool_id, self._by_id(pool_id, file_id).name)


def _checked(pool_id: str) -> str:
    """Return the id of a data pool as we write it.

    Raises:
        UnknownPool: it can't be one.
    """
    try:
        return str(uuid.UUID(pool_id))
    except ValueError:
        raise UnknownPool(pool_id) from None


def _pool(record: PoolRecord) -> Pool:
    return Pool(id=record.id, about=record.about, created_at=record.created_at)


def _file(pool_id: str, stored: StoredFile) -> PoolFile:
    return PoolFile(
        id=_file_id(pool_id, stored.name),
        pool=pool_id,
        name=stored.name,
        size=stored.size,
        changed_at=stored.changed_at,
    )


def _file_id(pool_id: str, name: str) -> str:
    return str(uuid.uuid5(uuid.UUID(pool_id), name))
