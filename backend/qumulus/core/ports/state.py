"""What everything stands on: large values, and all that is remembered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


class BlobStore(Protocol):
    """Large values by key. A value is synced to disk before `put` returns."""

    def put(self, key: str, value: bytes) -> None: ...

    def get(self, key: str) -> bytes: ...

    def delete(self, key: str) -> None: ...

    def keys(self, prefix: str = "") -> Iterable[str]: ...

    def old(self, age: timedelta) -> Iterable[str]:
        """Return the keys of values that were stored so long ago."""
        ...

    def link(self, key: str, name: str, media_type: str, seconds: int) -> str | None:
        """Return an address at which the store itself gives a value for some time; None where only the server can."""
        ...


class Identifiers(Protocol):
    """What gives identifiers: by chance, or from the seed of the run."""

    def new(self, sort: str) -> str:
        """Return an identifier that nothing of a sort has yet."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How much a reset removed."""

    jobs: int
    sessions: int
    tokens: int


class State(Protocol):
    """All that the cloud remembers."""

    def reset(self) -> Forgotten:
        """Forget what was done and set; what runs is ended.

        Jobs, sessions, added credentials, applications, settings of devices and what their engines reported, faults, the clock,
        queues and made-up calibrations go. Accounts, instances, added devices, services and data pools stay.
        """
        ...
