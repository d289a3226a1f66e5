"""What users have deployed and brought along, as whoever runs it needs it kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from qumulus.core.pools import About
from qumulus.core.services import Deployment, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A service, and how it is to be run."""

    service: Service
    deployment: Deployment


class ServiceStore(Protocol):
    """The deployed services and their packages."""

    def all(self) -> Sequence[Deployed]:
        """By name."""
        ...

    def get(self, name: str) -> Deployed:
        """Return the service.

        Raises:
            UnknownService
        """
        ...

    def put(self, deployed: Deployed, package: bytes) -> None:
        """Deploy a service, in the place of one with the same name.

        Raises:
            StorageFull
        """
        ...

    def offer(self, name: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Service:
        """Change how a service is offered; what is put in its place later is offered so, too.

        Raises:
            UnknownService
        """
        ...

    def package(self, name: str, version: str) -> bytes:
        """Return the files of a service, as they were deployed.

        Raises:
            UnknownService: it was removed, or another version is deployed by now.
        """
        ...

    def built(self, service: Service) -> bool:
        """Say what became of its packages; False if another version is deployed by now."""
        ...

    def remove(self, name: str) -> None:
        """Remove a service.

        Raises:
            UnknownService
        """
        ...


class SealedStore(Protocol):
    """Secrets of executions, as bytes that only those can read who have the key."""

    def keep(self, job_id: str, sealed: bytes) -> None: ...

    def get(self, job_id: str) -> bytes | None: ...

    def forget(self, job_id: str) -> None: ...

    def sweep(self, age: timedelta) -> None:
        """Remove what was kept so long ago."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRecord:
    """What is known of a data pool, and whose it is."""

    id: str
    account: str
    about: About
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of a data pool."""

    name: str
    size: int  # bytes
    changed_at: datetime


class PoolStore(Protocol):
    """Data pools and their files; whose they are is for others to ask."""

    def pools(self) -> Sequence[PoolRecord]: ...

    def pool(self, pool_id: str) -> PoolRecord:
        """Return the data pool.

        Raises:
            UnknownPool
        """
        ...

    def put(self, pool: PoolRecord) -> None:
        """Make a data pool, or change what people say of one.

        Raises:
            StorageFull
        """
        ...

    def remove(self, pool_id: str) -> None:
        """Remove a data pool with its files."""
        ...

    def files(self, pool_id: str) -> Sequence[StoredFile]:
        """Return the files of a data pool, sorted by name."""
        ...

    def add(self, pool_id: str, files: Iterable[tuple[str, bytes]]) -> None:
        """Keep files, given by name; those that have these names are replaced.

        Raises:
            StorageFull
            UnknownPool: it was removed meanwhile.
            WrongState: something that is no file has the name.
        """
        ...

    def content(self, pool_id: str, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            UnknownFile
        """
        ...

    def discard(self, pool_id: str, names: Iterable[str]) -> None:
        """Remove files; nothing happens where there are none."""
        ...
