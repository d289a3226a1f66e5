"""What the dispatcher of user programs asks of others: where a program is found, and its run, on this machine or another."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from qumulus.core.ports import Claim
from qumulus.core.results import LogLine, Outcome

from .execution import Executable, Execution, Input, Package

Now = Callable[[], datetime]


class NotRunnable(Exception):
    """An execution can't run: what it needs has ended with the server that had it, or can't be had here. The text says which."""


class ProgramRun(Protocol):
    """One run of a program, here or elsewhere. `run` blocks until the end, `stop` may be called from another thread."""

    def run(self, start: Callable[[], bool]) -> tuple[Outcome, Sequence[LogLine]] | None:
        """Run to the end; the outcome, and the lines of the log that were not told yet.

        ``start`` is asked once, just before the program begins; None if it has not begun.

        Raises:
            OSError: it could not be started.
        """
        ...

    def stop(self, why: str = "request") -> None:
        """End it: SIGTERM now, SIGKILL of everything after the grace. ``why`` is "request" or "server"."""
        ...

    @property
    def ended_by(self) -> str | None:
        """Return who or what ended the run from outside; None as long as nothing did."""
        ...


class OtherMachines(Protocol):
    """Other machines that run the programs of services."""

    def stop(self) -> None:
        """End what runs there."""
        ...

    def ready(self) -> bool:
        """Say whether the machines can be reached now. Who is asked first reaches for them, and emits an event when they can be."""
        ...

    def execution(
        self, job_id: str, package: Package, given: Input, tell: Callable[[Sequence[LogLine]], None]
    ) -> ProgramRun:
        """Return a run on another machine; ``tell`` takes lines of its log."""
        ...


class LocalRun:
    """`ProgramRun` on this machine."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def run(self, start: Callable[[], bool]) -> tuple[Outcome, Sequence[LogLine]] | None:
        """See `ProgramRun.run`."""
        return self._execution.run() if start() else None

    def stop(self, why: str = "request") -> None:
        """See `ProgramRun.stop`."""
        self._execution.stop(why)

    @property
    def ended_by(self) -> str | None:
        """See `ProgramRun.ended_by`."""
        return self._execution.ended_by


class ProgramSource(Protocol):
    """Where programs of one kind are found when they are to run."""

    def served(self, device: str) -> bool:
        """Say whether executions of that queue may run now."""
        ...

    def program(self, device: str) -> contextlib.AbstractContextManager[Executable]:
        """Give the program as it is now, kept on disk as long as somebody uses it.

        Raises:
            UnknownService
        """
        ...

    def package(self, device: str) -> Package | None:
        """Return the program for another machine; None where the program has to run here.

        Raises:
            UnknownService
        """
        ...

    def given(self, claim: Claim) -> contextlib.AbstractContextManager[Input]:
        """Give what an execution was sent. What it changed of its data pools is in them when this is left.

        Raises:
            NotRunnable: its secrets have ended with the server that had them.
            QumulusError: a data pool or file is not there any more.
        """
        ...

    def outcome(self, claim: Claim, outcome: Outcome, rest: Sequence[LogLine]) -> Outcome:
        """Return what is to be stored of a run; ``rest`` are the lines of its log that are not stored yet."""
        ...

    def done(self, claim: Claim) -> None:
        """Forget the secrets of an execution that has ended."""
        ...
