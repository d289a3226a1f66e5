"""Events: what one part of a process tells the others the moment it is on disk, so that nobody has to look again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .jobs import JobState
from .results import Failure

T = TypeVar("T")


class Event(Generic[T]):
    """Calls its listeners in the thread that emits. Listeners are quick and never raise."""

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[T], None], ...] = ()

    def subscribe(self, listener: Callable[[T], None]) -> None:
        """Call ``listener`` whenever the event is emitted."""
        self._listeners = (*self._listeners, listener)

    def unsubscribe(self, listener: Callable[[T], None]) -> None:
        """Call ``listener`` no more."""
        self._listeners = tuple(each for each in self._listeners if each != listener)

    def emit(self, what: T) -> None:
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
class Queued:
    """A job that waits from now on."""

    job_id: str
    device: str
    account: str
    claimed: bool = False  # or rather, that runs: it was claimed in the same step


@dataclass(frozen=True, slots=True)
class Events:
    """What happened to jobs, after the commit. The values are job ids, where nothing else is said."""

    queued: Event[Queued | None] = field(default_factory=Event)  # None: some job may run now that could not, say
    cancelling: Event[str] = field(default_factory=Event)
    settled: Event[str] = field(default_factory=Event)
    progressed: Event[str] = field(default_factory=Event)  # began, or has written to its log
    ended: Event[End] = field(default_factory=Event)  # by what this process wrote
    clock: Event[None] = field(default_factory=Event)  # the clock of the cloud was set, here
    elsewhere: Event[None] = field(default_factory=Event)  # another process committed something
