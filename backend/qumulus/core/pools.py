"""Data pools: files that programs of services read and write, and what the APIs ask of whoever keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from .accounts import Caller

GRANT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What people say of a data pool."""

    name: str
    short_description: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A data pool, which belongs to an account."""

    id: str
    about: About
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFile:
    """A file of a data pool."""

    id: str  # the same as long as the name is
    pool: str
    name: str
    size: int  # bytes
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolReference:
    """A data pool as an execution may use it."""

    id: str
    writable: bool


class Pools(Protocol):
    """The data pools. Any process of a state folder sees them."""

    def pools(self, caller: Caller) -> Sequence[Pool]:
        """Return the caller's data pools, sorted by name."""
        ...

    def pool(self, pool_id: str, caller: Caller) -> Pool:
        """Return a data pool of the caller.

        Raises:
            UnknownPool: also for one of somebody else.
        """
        ...

    def make(self, about: About, caller: Caller) -> Pool:
        """Make an empty data pool.

        Raises:
            StorageFull
        """
        ...

    def describe(self, pool_id: str, about: About, caller: Caller) -> Pool:
        """Change what people say of a data pool.

        Raises:
            UnknownPool, StorageFull
        """
        ...

    def remove(self, pool_id: str, caller: Caller) -> None:
        """Remove a data pool with its files.

        Raises:
            UnknownPool
        """
        ...

    def files(self, pool_id: str, caller: Caller) -> Sequence[PoolFile]:
        """Return the regular files at the top level of a data pool, sorted by name.

        Raises:
            UnknownPool
        """
        ...

    def add(self, pool_id: str, name: str, content: bytes, caller: Caller) -> PoolFile:
        """Keep a file; one of that name is replaced.

        Raises:
            UnknownPool, StorageFull
            InvalidRequest: the name is none for a file.
            WrongState: it is full.
        """
        ...

    def read(self, pool_id: str, file_id: str, caller: Caller) -> tuple[PoolFile, bytes]:
        """Return a file of a data pool, and its content.

        Raises:
            UnknownPool, UnknownFile
        """
        ...

    def discard(self, pool_id: str, file_id: str, caller: Caller) -> None:
        """Remove a file.

        Raises:
            UnknownPool, UnknownFile
        """
        ...

    def grant(self, pool_id: str, application: str, permission: str, lifetime: timedelta, caller: Caller) -> str:
        """Return a token with which anybody may use the data pool for a while: to read it (VIEW), else to write as well.

        Raises:
            UnknownPool
        """
        ...

    def reference(self, pool_id: str, grant: str | None, caller: Caller) -> PoolReference:
        """Return the data pool that a request may use: by its grant, or because it belongs to the caller.

        Raises:
            UnknownPool
            InvalidRequest: the grant is for another one, has expired, or is none of this server.
        """
        ...
