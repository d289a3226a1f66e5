"""How far a run is, in its job's log and record: which method works at what, the time used, and an estimate of the rest.

A run that takes less than a second needs no such lines and writes none.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter

from qumulus.core.results import Log, Severity
from qumulus.core.results import Progress as Report

from .meter import to_nobody

_WORTH_A_LINE = 0.5  # seconds that a method is expected to take
_BETWEEN_LINES = 5.0
_LONG = 3000
"""Instructions of a circuit, times its sets of values, from which on even choosing a method may take a while."""


@dataclass(eq=False)
class Progress:
    """The progress of one job through its pubs. It begins when it is made."""

    log: Log = to_nobody
    pubs: int = 1
    pub: int = 0
    runs: int = 1  # like the next one that are still to come, this one included
    usage: float | None = None  # seconds for which the job will have had its device, as its service counts
    _method: str = ""
    _due: float | None = None  # when all runs are done, by the method's estimate
    _begun: float = field(default_factory=perf_counter)
    _told: float = 0.0

    def counts(self, seconds: float, device: str) -> None:
        """The service counts so many seconds of the device for this job: that is known before anything is simulated."""
        self.usage = seconds
        self.log(
            f"Estimated usage: {seconds:.4g} s of {device}.",
            Severity.INFO,
            self._report(perf_counter() - self._begun, None),
        )

    def reaches(self, pub: int, instructions: int) -> None:
        """The next pub begins, with so many instructions in all its runs."""
        self.pub, self.runs, self._method, self._due = pub, 1, "", None
        if instructions >= _LONG:
            self._tell(f"{instructions:,} instructions to simulate; looking for a method")

    def begins(self, method: str, seconds: float) -> None:
        """A method begins, which is expected to take so many seconds."""
        if (seconds >= _WORTH_A_LINE and method != self._method) or self._silent_for() > _BETWEEN_LINES:
            self._method, self._due = method, perf_counter() + seconds * self.runs
            self._tell(f"{method} at work, estimated {seconds:.2g} s a run")

    def works(self, what: str, *, at_once: bool = False) -> None:
        """A method is at a certain place; said only from time to time, unless ``at_once``."""
        if at_once or self._silent_for() > _BETWEEN_LINES:
            self._tell(what)

    def _silent_for(self) -> float:
        return perf_counter() - max(self._told, self._begun)

    def _tell(self, what: str) -> None:
        self._told = perf_counter()
        used = self._told - self._begun
        left = None if self._due is None else max(0.0, self._due - self._told)
        if self.pub:  # what was done says more than what was expected
            left = used / self.pub * (self.pubs - self.pub)
        rest = "" if left is None else f", some {left:.2g} s to go"
        text = f"Pub {self.pub} ({self.pub} of {self.pubs} done, {used:.1f} s used{rest}): {what}."
        self.log(text, Severity.INFO, self._report(used, left))

    def _report(self, used: float, left: float | None) -> Report:
        return Report(
            method=self._method or None,
            parts=self.pubs,
            parts_done=self.pub,
            seconds_used=used,
            seconds_left=left,
            usage_seconds=self.usage,
        )


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
    found = _progress.get(None)
    return Progress() if found is None else found
