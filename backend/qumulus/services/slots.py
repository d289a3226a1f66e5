"""The slots in which executions run: each takes the oldest that may run, first come, first served."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Generator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from qumulus.core.errors import QumulusError, StorageFull, Unavailable
from qumulus.core.events import Events
from qumulus.core.jobs import JobState
from qumulus.core.ports import Claim, Clock, JobQueue
from qumulus.core.results import Failure, LogLine, Outcome

from .execution import Execution, Input, Package, Program
from .folders import remove
from .outcome import failed
from .sandbox import Sandbox

LEASE = timedelta(seconds=15)
HEARTBEAT = 3.0  # seconds
LOOK_AGAIN = 5.0  # seconds; a bell rings before
PAUSE = 5.0  # seconds after an error of ours, such as a full disk
AGAIN = 0.5  # seconds until a write that the disk refused is tried again

Now = Callable[[], datetime]
T = TypeVar("T")

log = logging.getLogger("qumulus.services")


class Run(Protocol):
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
        """Who or what ended it from outside; None as long as nothing did."""
        ...


class Elsewhere(Protocol):
    """Other machines that run the programs of services."""

    def stop(self) -> None:
        """End what runs there."""
        ...

    def ready(self) -> bool:
        """Whether they can be reached now. Who is asked first reaches for them, and rings when they can be."""
        ...

    def execution(self, job_id: str, package: Package, given: Input, tell: Callable[[Sequence[LogLine]], None]) -> Run:
        """A run there; ``tell`` takes lines of its log."""
        ...


class Here:
    """`Run` on this machine."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def run(self, start: Callable[[], bool]) -> tuple[Outcome, Sequence[LogLine]] | None:
        """See `Run.run`."""
        return self._execution.run() if start() else None

    def stop(self, why: str = "request") -> None:
        """See `Run.stop`."""
        self._execution.stop(why)

    @property
    def ended_by(self) -> str | None:
        """See `Run.ended_by`."""
        return self._execution.ended_by


class Deployed(Protocol):
    """Where the slots find what is to run."""

    def served(self, device: str) -> bool:
        """Whether executions of that queue may run now."""
        ...

    def program(self, device: str) -> contextlib.AbstractContextManager[Program]:
        """The program as it is now, kept on disk as long as it is in use.

        Raises:
            UnknownService
        """
        ...

    def package(self, device: str) -> Package | None:
        """The program for another machine; None where it has to run here.

        Raises:
            UnknownService
        """
        ...

    def given(self, claim: Claim) -> contextlib.AbstractContextManager[Input]:
        """What an execution was sent. What it changed of its data pools is in them when this is left.

        Raises:
            Gone: its secrets have ended with the server that had them.
            QumulusError: a data pool or file is not there any more.
        """
        ...

    def outcome(self, claim: Claim, outcome: Outcome, rest: Sequence[LogLine]) -> Outcome:
        """What is to be stored of a run; ``rest`` are the lines of its log that are not stored yet."""
        ...

    def done(self, claim: Claim) -> None:
        """It has ended: forget its secrets."""
        ...


class Telling:
    """The log of a run on its way to the disk. What the disk refuses now comes with the next lines, or with the end."""

    def __init__(self, queue: JobQueue, claim: Claim) -> None:
        self._queue = queue
        self._claim = claim
        self._late: list[LogLine] = []

    def __call__(self, lines: Sequence[LogLine]) -> None:
        """Store lines that are new."""
        waiting = self.with_late(lines)
        try:
            self._queue.log(self._claim, waiting)
        except Unavailable:
            self._late = waiting

    def with_late(self, lines: Sequence[LogLine]) -> list[LogLine]:
        """These lines, after those that are not stored yet."""
        late, self._late = self._late, []
        return [*late, *lines]


class Gone(Exception):
    """What an execution needs has ended with the server that had it; the text says so."""


LOST = "The server ended while it ran. A program runs once only, so it was not started again: start a new execution."


class Slots:
    """Threads, one a slot, and one that keeps their claims. Runs only in the process that owns the dispatching."""

    def __init__(
        self,
        *,
        count: int,
        queue: JobQueue,
        deployed: Deployed,
        events: Events,
        clock: Clock,
        sandbox: Callable[[], Sandbox],
        folder: Path,
        hidden: Path,
        owner: str,
        network: bool,
        allow_unsandboxed: bool,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """``folder`` holds the private folders of the executions; ``hidden`` is the state, of which they see no more than theirs;
        ``sandbox`` says what this machine can do; ``elsewhere`` are the machines that run what need not run here."""
        self._count = count
        self._queue = queue
        self._deployed = deployed
        self._events = events
        self._clock = clock
        self._sandbox = sandbox
        self._folder = folder
        self._hidden = hidden
        self._owner = owner
        self._network = network
        self._allow_unsandboxed = allow_unsandboxed
        self._elsewhere = elsewhere
        self._running: dict[str, tuple[Claim, Run | None]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._queued = threading.Condition()
        self._beat = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Serve the queues from now on."""
        remove(self._folder)  # what runs of a server that was killed have left
        self._folder.mkdir(parents=True)
        log.info("%s", self._sandbox().words())
        self._events.queued.subscribe(self._look)
        self._events.elsewhere.subscribe(self._look)
        self._events.cancelling.subscribe(self._cancel)
        for number in range(self._count):
            self._threads.append(threading.Thread(target=self._serve, name=f"service-slot-{number}", daemon=True))
        self._threads.append(threading.Thread(target=self._keep, name="service-leases", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self, within: timedelta) -> None:
        """Take nothing more, let what runs go on for a while, then end it."""
        self._stopping.set()
        self._events.queued.unsubscribe(self._look)
        self._events.elsewhere.unsubscribe(self._look)
        self._look()
        deadline = self._clock.monotonic() + within.total_seconds()
        for thread in self._threads[:-1]:
            thread.join(max(0.0, deadline - self._clock.monotonic()))
        with self._lock:
            left = [execution for _, execution in self._running.values() if execution is not None]
        for execution in left:
            execution.stop("server")
        for thread in self._threads[:-1]:
            thread.join(5.0)
        self._events.cancelling.unsubscribe(self._cancel)
        self._beat.set()
        self._threads[-1].join(5.0)

    @property
    def running(self) -> int:
        """How many run now."""
        return len(self._running)

    # -- what others tell ----------------------------------------------------------------------------------------------

    def _look(self, _what: object = None) -> None:
        with self._queued:
            self._queued.notify_all()

    def _cancel(self, job_id: str) -> None:
        _, execution = self._running.get(job_id, (None, None))
        if execution is not None:
            execution.stop("request")

    def _keep(self) -> None:
        """Renew the leases, and end what was cancelled by another process."""
        while not self._beat.wait(HEARTBEAT):
            with self._lock:
                held = [claim for claim, _ in self._running.values()]
            try:
                for claim in self._queue.heartbeat(self._owner, held, LEASE):
                    self._cancel(claim.job_id)
            except QumulusError as error:
                log.warning("The claims of %d executions could not be renewed: %s", len(held), error)
            except Exception:  # a mistake of ours must not end the renewing: all that runs would be lost by it
                log.exception(
                    "The claims of %d executions could not be renewed because of an error of ours.", len(held)
                )

    # -- a slot --------------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                claims = self._queue.claim(self._owner, 1, LEASE, devices=self._deployed.served)
                if claims:
                    self._take(claims[0])
                    continue
            except Unavailable as error:
                log.error("Executions can't be taken, trying again in %g s: %s", PAUSE, error)
                self._stopping.wait(PAUSE)
            except Exception:  # a slot must live: the next look may succeed, and this one is in the log
                log.exception("A slot of the services could not go on; it tries again in %g s.", PAUSE)
                self._stopping.wait(PAUSE)
            with self._queued:
                if not self._stopping.is_set():
                    self._queued.wait(LOOK_AGAIN)

    def _take(self, claim: Claim) -> None:
        job_id, handed_back = claim.job_id, False
        try:
            if claim.counted_attempts >= claim.attempts:
                self._end(claim, failed(Failure.LOST, "Lost", LOST))
                return
            with self._lock:
                self._running[job_id] = (claim, None)
            handed_back = self._run(claim)
        except (Gone, QumulusError) as error:
            self._end(claim, failed(Failure.LOST, "Not started", str(error)))
        except OSError as error:
            log.exception("Execution %s could not be run.", job_id)
            told = f"The server could not run it: {error.strerror or error}".removesuffix(".")
            self._end(claim, failed(Failure.INTERNAL, "Not started", f"{told}."))
        finally:
            with self._lock:
                self._running.pop(job_id, None)
            if not handed_back:
                self._deployed.done(claim)

    def _run(self, claim: Claim) -> bool:
        """Run it, or hand it back where it can't begin now, or this server ends before: then it is True."""
        tell, begun = Telling(self._queue, claim), False

        def start() -> bool:
            nonlocal begun
            begun = self._queue.start(claim)
            return begun

        try:
            with self._begun(claim, tell) as execution:
                if execution is None:
                    self._end(claim, failed(Failure.REFUSED, "No sandbox", UNSAFE))
                    return False
                with self._lock:
                    self._running[claim.job_id] = (claim, execution)
                ended = execution.run(start)
        except Unavailable as error:
            if begun or isinstance(error, StorageFull):  # what it needs may never find room
                raise
            log.error("Execution %s can't begin now, trying again in %g s: %s", claim.job_id, PAUSE, error)
            self._stopping.wait(PAUSE)
            return self._insist(partial(self._queue.put_back, claim)) is JobState.QUEUED
        rest = tell.with_late(ended[1] if ended else ())
        if execution.ended_by == "request":
            tell(rest)
            self._insist(partial(self._queue.release, claim, counted=False, reason="It was cancelled while it ran."))
        elif ended is not None:
            self._end(claim, ended[0], rest)
        elif execution.ended_by is not None:
            release = partial(self._queue.release, claim, counted=False, reason=NOT_BEGUN)
            return self._insist(release) is JobState.QUEUED
        return False

    @contextlib.contextmanager
    def _begun(self, claim: Claim, tell: Telling) -> Generator[Run | None]:
        """Its run, with all that it needs; None where nothing would keep it from other files."""
        package = self._deployed.package(claim.program.device) if self._elsewhere else None
        if package is not None and self._elsewhere is not None:
            with self._deployed.given(claim) as given:
                yield self._elsewhere.execution(claim.job_id, package, given, tell)
            return
        sandbox = self._sandbox()
        if not sandbox.holds and not self._allow_unsandboxed:
            yield None
            return
        with self._deployed.program(claim.program.device) as program, self._deployed.given(claim) as given:
            execution = Execution(
                claim.job_id,
                program,
                given,
                place=self._folder / claim.job_id,
                sandbox=sandbox,
                now=self._clock.now,
                tell=tell,
                network=self._network,
                hidden=self._hidden,
            )
            yield Here(execution)

    def _end(self, claim: Claim, outcome: Outcome, rest: Sequence[LogLine] = ()) -> None:
        def finish() -> bool:
            return self._queue.finish(claim, self._deployed.outcome(claim, outcome, rest), rest)

        if not self._insist(finish):
            log.info("Execution %s had ended meanwhile; its outcome is left out.", claim.job_id)

    def _insist(self, write: Callable[[], T]) -> T:
        """Write, again and again while the disk refuses: a program runs once only.

        Raises:
            Unavailable: the server stops.
        """
        while True:
            try:
                return write()
            except Unavailable as error:
                log.error("How an execution ended can't be stored, trying again: %s", error)
                if self._stopping.wait(AGAIN):
                    raise


NOT_BEGUN = "The server ended before it began."
UNSAFE = (
    "This machine can't keep a program from other files (no namespaces, no Landlock), so it was not run. "
    "Start the server with --allow-unsandboxed if that is what you want."
)
