"""Bells: what one part of a process tells the others the moment it is on disk, so that nobody has to look again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .jobs import JobState
from .results import Failure

T = TypeVar("T")


class Bell(Generic[T]):
    """Calls its listeners in the thread that rings. Listeners are quick and never raise."""

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[T], None], ...] = ()

    def listen(self, listener: Callable[[T], None]) -> None:
        """Call ``listener`` whenever the bell is rung."""
        self._listeners = (*self._listeners, listener)

    def silence(self, listener: Callable[[T], None]) -> None:
        """Call ``listener`` no more."""
        self._listeners = tuple(known for known in self._listeners if known != listener)

    def ring(self, what: T) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            listener(what)


@dataclass(frozen=True, slots=True)
class End:
    """How a job ended."""

    state: JobState
    failure: Failure | None = None
    run_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Bells:
    """What happened to jobs, after the commit. The values are job ids, where nothing else is said."""

    queued: Bell[str] = field(default_factory=Bell)
    cancelling: Bell[str] = field(default_factory=Bell)
    settled: Bell[str] = field(default_factory=Bell)
    ended: Bell[End] = field(default_factory=Bell)  # by what this process wrote
    elsewhere: Bell[None] = field(default_factory=Bell)  # another process committed something
