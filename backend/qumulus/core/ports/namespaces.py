"""Clouds of their own in one server, and states that were kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

BEGINS = "qumulus.begins"  # under which a request says how all addresses of its namespace begin
OWN = "default"  # what the server's own state is called among the namespaces
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
PREFIX = "/namespaces/"  # of the addresses of all
MARK = "~"  # between the name of a namespace and a credential of it


def leading(begins: str) -> str:
    """Return what stands before the credentials of a namespace whose addresses begin so; nothing for the server's own.

    With it, a credential leads to the namespace whatever address it is sent to.
    """
    return begins.removeprefix(PREFIX) + MARK if begins else ""


def led(credential: str) -> str | None:
    """Return the name of the namespace that a credential leads to; None where it names none."""
    name, mark, _ = credential.partition(MARK)
    return name if mark and NAME.fullmatch(name) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A state as it was at a moment."""

    name: str
    made_at: datetime
    size: int  # bytes


class Namespaces(Protocol):
    """The namespaces of a server. Each has its own state, and nothing of it is seen from another one."""

    def names(self) -> Sequence[str]:
        """Return all but the server's own, by name."""
        ...

    def make(self, name: str, *, fork: str | None = None, snapshot: str | None = None, replace: bool = False) -> None:
        """Make one: empty, with the state of another one, or with a snapshot.

        Raises:
            InvalidRequest: both are named, or the name is the server's own.
            NotFound: there is no such other one, or no such snapshot.
            WrongState: it is there already, there are too many, or the state of this server can't be copied.
        """
        ...

    def remove(self, name: str) -> None:
        """End what runs in one, and remove its state.

        Raises:
            NotFound
        """
        ...

    def snapshots(self) -> Sequence[Snapshot]:
        """Return what was kept, by name."""
        ...

    def save(self, snapshot: str, namespace: str) -> Snapshot:
        """Keep the state of a namespace, while it is used.

        Raises:
            NotFound, WrongState
        """
        ...

    def drop(self, snapshot: str) -> None:
        """Remove what was kept.

        Raises:
            NotFound
        """
        ...
