"""What one run uses: memory, asked for before a method takes it, and time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter

from qumulus.core.results import Log, Progress, Severity

Admit = Callable[[int], None]
"""Called with the bytes that a run needs from now on; returns when it may take them."""


def at_once(_needed: int) -> None:
    """Who runs alone waits for nobody."""


def to_nobody(_text: str, _severity: Severity = Severity.INFO, _progress: Progress | None = None, /) -> None:
    """What a run outside of a job has to say is not kept."""


@dataclass(slots=True)
class Meter:
    """The meter of one run. It begins when it is made. ``log`` is the log of the job that runs."""

    admit: Admit = at_once
    log: Log = to_nobody
    billed: float | None = None  # seconds that the program's service counts; None where it counts the run
    executing: float = 0.0  # those of them in which its circuits are executed
    repeatable: bool = False  # nothing is told that depends on how long the run takes
    simulated: float = 0.0  # seconds inside methods
    _begun: float = field(default_factory=perf_counter)
    _first: float | None = None  # when the first method began
    _last: float | None = None  # when the last one ended

    @contextmanager
    def method(self, memory_bytes: float) -> Generator[None]:
        """Around a method that takes so much memory; that of the one before it is given back."""
        self.admit(int(memory_bytes))
        start = perf_counter()
        self._first = self._first or start
        try:
            yield
        finally:
            self._last = perf_counter()
            self.simulated += self._last - start

    def helped(self, seconds: float) -> None:
        """Count the seconds inside methods of another process, which has just ended what it was given."""
        self.simulated += seconds
        self._last = perf_counter()

    def used(self, *, failed: bool) -> float:
        """Return the seconds for which the program had its device, as its service counts them: a failed one has had none."""
        if self.billed is None:
            return self.since(self._begun)
        return 0.0 if failed else self.billed

    def since(self, start: float) -> float:
        """Return the seconds since a time of `perf_counter`; none where a run is to repeat itself."""
        return 0.0 if self.repeatable else perf_counter() - start

    def timings(self) -> dict[str, float]:
        """Seconds until now: for reading and placing the program, inside methods, and for encoding what they gave.

        Of several circuits, what lies between their simulations is left out.
        """
        now = perf_counter()
        return {
            "prepared": (self._first or now) - self._begun,
            "simulated": self.simulated,
            "encoded": now - (self._last or now),
        }


_meter: ContextVar[Meter] = ContextVar("meter")


@contextmanager
def metered(meter: Meter) -> Generator[None]:
    """Meter all that is simulated inside."""
    token = _meter.set(meter)
    try:
        yield
    finally:
        _meter.reset(token)


def meter() -> Meter:
    """That of this run; one that nobody reads where none was set."""
    found = _meter.get(None)
    return Meter() if found is None else found
