"""How far a run is, in its job's log: which method works at what, the time used, and an estimate of the rest.

A run that takes less than a second needs no such lines and writes none.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter

_WORTH_A_LINE = 0.5  # seconds that a method is expected to take
_BETWEEN_LINES = 5.0
_LONG = 3000
"""Instructions of a circuit, times its sets of values, from which on even choosing a method may take a while."""


def silent(_text: str) -> None:
    """What is done with lines that nobody reads."""


@dataclass(eq=False)
class Progress:
    """The progress of one job through its pubs. It begins when it is made."""

    log: Callable[[str], None] = silent
    pubs: int = 1
    pub: int = 0
    _method: str = ""
    _begun: float = field(default_factory=perf_counter)
    _told: float = 0.0

    def reaches(self, pub: int, instructions: int) -> None:
        """The next pub begins, with so many instructions in all its runs."""
        self.pub, self._method = pub, ""
        if instructions >= _LONG:
            self._tell(f"{instructions:,} instructions to simulate; looking for a method")

    def begins(self, method: str, seconds: float) -> None:
        """A method begins, which is expected to take so many seconds."""
        if (seconds >= _WORTH_A_LINE and method != self._method) or self._silent_for() > _BETWEEN_LINES:
            self._method = method
            self._tell(f"{method} at work, estimated {seconds:.2g} s a run")

    def works(self, what: str) -> None:
        """A method is at a certain place; said only from time to time."""
        if self._silent_for() > _BETWEEN_LINES:
            self._tell(what)

    def _silent_for(self) -> float:
        return perf_counter() - max(self._told, self._begun)

    def _tell(self, what: str) -> None:
        self._told = perf_counter()
        elapsed = self._told - self._begun
        rest = f", some {elapsed / self.pub * (self.pubs - self.pub):.2g} s to go" if self.pub else ""
        self.log(f"Pub {self.pub} ({self.pub} of {self.pubs} done, {elapsed:.1f} s used{rest}): {what}.")


_progress: ContextVar[Progress] = ContextVar("progress")


@contextmanager
def followed(progress: Progress) -> Generator[None]:
    """Follow all that is simulated inside."""
    token = _progress.set(progress)
    try:
        yield
    finally:
        _progress.reset(token)


def progress() -> Progress:
    """That of this run; one that nobody reads where none was set."""
    return _progress.get(Progress())
