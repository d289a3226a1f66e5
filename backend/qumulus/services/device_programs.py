"""Programs that users send with a job, to run beside a device. Nothing of them is kept once they have run."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from qumulus.core.errors import Unavailable
from qumulus.core.events import Events
from qumulus.core.ports import Claim
from qumulus.core.results import LogLine, Outcome
from qumulus.core.services import BESIDE

from .environments import Environments
from .execution import Executable, Input
from .installing import NotInstalled
from .resources import Resources
from .runs import NotRunnable

PREFIXES = "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix, sys.base_exec_prefix]))"
ASK_SECONDS = 30
AHEAD = 10  # how much less urgent an installation is that nobody waits for
TELL_SECONDS = 1.0  # how often waiting jobs are told how far the installation is
log = logging.getLogger("qumulus.services")


class Family(Protocol):
    """Whose programs they are: what one finds when it runs, and what its run comes to."""

    @property
    def modules(self) -> Path:
        """Return a folder with modules that every program may import."""
        ...

    def begin(self, claim: Claim, seconds: float) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Return the variables of a program's environment, and those that are secret; ``seconds`` is how long it may run."""
        ...

    def outcome(self, claim: Claim, outcome: Outcome, rest: Sequence[LogLine]) -> Outcome:
        """Return what is stored of a run; ``rest`` are the lines of its log that are not stored yet."""
        ...

    def end(self, claim: Claim) -> None:
        """Take back what `begin` gave: the program has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Packages:
    """What the programs can import: those of the interpreter ``python``, or else of an environment with the ``requirements``."""

    python: Path | None = None
    requirements: tuple[str, ...] = ()


def _failure(made: Future[None]) -> str | None:
    """Return why there is no environment, in sentences; None where there is one."""
    try:
        made.result()
    except NotInstalled as error:
        return f"{error} Name an interpreter that has them with QUMULUS_SSE_PYTHON, or try again."
    except OSError as error:
        log.exception("The environment of programs could not be made.")
        return f"The environment could not be made: {error.strerror}."
    return None


def _yield_processors() -> None:
    """Let everything else go before what this thread starts, where threads have priorities of their own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, AHEAD)


class SentPrograms:
    """`runs.ProgramSource` for the queues beside devices. The environment is made ahead, or when the first program comes."""

    def __init__(
        self,
        family: Family,
        *,
        packages: Packages,
        environments: Environments,
        resources: Resources,
        events: Events,
        explain: Callable[[str | None], None],
    ) -> None:
        """``explain`` says of the jobs that wait for the environment why they do."""
        self._family = family
        self._explain = explain
        self._said = "Its packages are being installed."
        self._packages = packages
        self._environments = environments
        self._resources = resources
        self._events = events
        self._lock = threading.Lock()
        self._making = False
        self._failed: str | None = None

    def served(self, device: str) -> bool:
        """Say whether a queue is one of programs beside a device, whose environment is there. If that is not there, it is made."""
        return device.startswith(BESIDE) and (self._failed is not None or self.prepared())

    def prepared(self) -> bool:
        """Say whether the environment is there. If it is not, it is made from now on."""
        if self._packages.python or self._environments.ready(self._packages.requirements):
            return True
        self._begin(ahead=False)
        return False

    def prepare(self) -> None:
        """Make the environment before any program needs it, if it is not there; returns at once.

        If that fails, it is no program's failure: the first one has another try.
        """
        if self._packages.python or self._environments.ready(self._packages.requirements):
            return
        try:
            self._begin(ahead=True)
        except RuntimeError as error:  # there may be no more threads: the first program has another try at this, too
            log.info("The packages of programs that come with jobs are not installed ahead: %s", error)

    def _begin(self, *, ahead: bool) -> None:
        with self._lock:
            if self._making:
                return
            self._making = True
        try:
            threading.Thread(target=self._make, args=(ahead,), name="programs-environment", daemon=True).start()
        except RuntimeError:
            self._making = False
            raise

    def _make(self, ahead: bool) -> None:
        log.info(
            "Installing %s for programs that come with jobs (once%s) …",
            ", ".join(self._packages.requirements),
            "; --sse-prepare off leaves that to the first of them" if ahead else "",
        )
        with ThreadPoolExecutor(1, "programs-installer", _yield_processors if ahead else None) as installer:
            made = installer.submit(self._environments.make, self._packages.requirements, None, self._hear)
            while not made.done():
                self._tell(self._said)
                wait([made], TELL_SECONDS)
        failed = _failure(made)
        if failed is None or not ahead:
            self._failed = failed
        else:
            log.info("That is tried again when the first of them comes. %s", failed)
        self._making = False
        self._tell(None)
        self._events.queued.emit(None)

    def _hear(self, text: str) -> None:
        log.debug("%s", text)
        self._said = text

    def _tell(self, text: str | None) -> None:
        with contextlib.suppress(Unavailable):  # the next time, or it does not matter any more
            self._explain(text)

    @contextlib.contextmanager
    def program(self, device: str) -> Generator[Executable]:
        """Give what runs a program that comes as input.

        Raises:
            NotRunnable: its packages could not be installed, or its interpreter can't be started.
        """
        del device
        failed, self._failed = self._failed, None  # the next program has another try
        if failed:
            raise NotRunnable(failed)
        python, prefixes = self._interpreter()
        yield Executable(
            folder=self._family.modules, python=python, prefixes=prefixes, script=True, resources=self._resources
        )

    def _interpreter(self) -> tuple[Path, tuple[Path, ...]]:
        python = self._packages.python
        if python is None:
            wanted = self._packages.requirements
            return self._environments.python(wanted), self._environments.prefixes(wanted)
        try:
            told = subprocess.run(  # noqa: S603 - the owner of the server named it
                [python, "-I", "-c", PREFIXES], capture_output=True, check=True, timeout=ASK_SECONDS
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise NotRunnable(
                f"{python} can't be started as Python: {error}. Name another one with QUMULUS_SSE_PYTHON."
            ) from None
        return python.absolute(), tuple(Path(prefix) for prefix in dict.fromkeys(json.loads(told.stdout)))

    def package(self, device: str) -> None:
        """Return None: these programs run here, beside the dispatcher."""
        del device

    @contextlib.contextmanager
    def given(self, claim: Claim) -> Generator[Input]:
        """Give what a program gets: itself, and the variables of its family."""
        variables, secrets = self._family.begin(claim, self._resources.seconds)
        yield Input(
            body=claim.program.payload,
            secrets=secrets,
            environment={"PYTHONPATH": str(self._family.modules), **variables},
        )

    def outcome(self, claim: Claim, outcome: Outcome, rest: Sequence[LogLine]) -> Outcome:
        """Return what is stored of a run. See `Family.outcome`."""
        return self._family.outcome(claim, outcome, rest)

    def done(self, claim: Claim) -> None:
        """Let the family take back what it gave. See `Family.end`."""
        self._family.end(claim)
