"""The dispatcher of user programs: threads that take one execution after another, the oldest that may run first.

What is claimed, renewed, written and handed back is so as in every dispatcher: see `qumulus.dispatching`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from qumulus.core.errors import QumulusError, StorageFull, Unavailable
from qumulus.core.events import Events, Queued
from qumulus.core.faults import Fault, FaultKind, instead, line, marked
from qumulus.core.jobs import JobState
from qumulus.core.kinds import Runners, UnknownKind
from qumulus.core.ports import Claim, Clock, JobQueue
from qumulus.core.results import Failure, LogLine, Outcome, Severity
from qumulus.core.services import is_device
from qumulus.core.tracing import TRACE
from qumulus.dispatching.attempts import Attempt
from qumulus.dispatching.leases import Leases
from qumulus.dispatching.loops import until_done

from .execution import Execution
from .folders import remove
from .outcome import failed
from .runs import LocalRun, NotRunnable, OtherMachines, ProgramRun, ProgramSource
from .sandbox import Sandbox

LOOK_SECONDS = 5.0  # how often executions are looked for that became ripe by time alone
PAUSE_SECONDS = 5.0  # until an execution that could not begin is queued again
JOIN_SECONDS = 5.0
LOST = "The server that ran it ended."
ONCE = "A program runs once only, so it was not started again: start a new execution."
NOT_BEGUN = "The server ended before it began."
CANCELLED = "It was cancelled while it ran."
UNSAFE = (
    "This machine can't keep a program from other files (no namespaces, no Landlock), so it was not run. "
    "Start the server with --allow-unsandboxed if that is what you want."
)

log = logging.getLogger("qumulus.services")


class ProgramDispatcher:
    """Threads, one a slot. They run only in the process that owns the dispatching."""

    def __init__(
        self,
        *,
        count: int,
        queue: JobQueue,
        sources: Runners[ProgramSource],
        events: Events,
        clock: Clock,
        sandbox: Callable[[], Sandbox],
        folder: Path,
        hidden: Path,
        owner: str,
        network: bool,
        own_apis: bool = False,
        allow_unsandboxed: bool,
        elsewhere: OtherMachines | None = None,
    ) -> None:
        """``sources`` is where programs of each kind are found; ``folder`` holds the private folders of the executions; ``hidden`` is
        the state, of which they see no more than theirs; ``sandbox`` says what this machine can do; ``elsewhere`` are the machines
        that run what need not run here."""
        self._count = count
        self._queue = queue
        self._sources = sources
        self._events = events
        self._clock = clock
        self._sandbox = sandbox
        self._folder = folder
        self._hidden = hidden
        self._network = network
        self._own_apis = own_apis
        self._allow_unsandboxed = allow_unsandboxed
        self._elsewhere = elsewhere
        self._running: dict[str, tuple[Claim, ProgramRun | None]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._queued = threading.Condition()
        self._leases = Leases(
            queue,
            owner=owner,
            log=log,
            devices=self._served,
            held=self._claims,
            on_lost=lambda claim: self._cancel(claim.job_id),
        )
        self._threads = [
            threading.Thread(target=self._serve, name=f"service-slot-{number}", daemon=True) for number in range(count)
        ]

    def start(self) -> None:
        """Serve the queues from now on."""
        remove(self._folder)  # what runs of a server that was killed have left
        self._folder.mkdir(parents=True)
        log.info("%s", self._sandbox().words())
        self._events.queued.subscribe(self._look_if_ours)
        self._events.elsewhere.subscribe(self._look)
        self._events.cancelling.subscribe(self._cancel)
        for thread in self._threads:
            thread.start()
        self._leases.start()

    def stop(self, within: timedelta) -> None:
        """Take nothing more, let what runs go on for a while, then end what still runs."""
        self._stopping.set()
        self._events.queued.unsubscribe(self._look_if_ours)
        self._events.elsewhere.unsubscribe(self._look)
        self._look()
        deadline = time.monotonic() + within.total_seconds()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            left = [execution for _, execution in self._running.values() if execution is not None]
        for execution in left:
            execution.stop("server")
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        self._events.cancelling.unsubscribe(self._cancel)
        self._leases.stop(JOIN_SECONDS)

    @property
    def running(self) -> int:
        """Return how many run now."""
        return len(self._running)

    # -- what others tell ----------------------------------------------------------------------------------------------

    def _look(self, _what: object = None) -> None:
        with self._queued:
            self._queued.notify_all()

    def _look_if_ours(self, queued: Queued | None) -> None:
        """Look, unless the job that was queued is one of circuits for a device."""
        if queued is None or not is_device(queued.device):
            self._look()

    def _served(self, device: str) -> bool:
        return any(source.served(device) for source in self._sources.all())

    def _cancel(self, job_id: str) -> None:
        _, execution = self._running.get(job_id, (None, None))
        if execution is not None:
            execution.stop("request")

    def _claims(self) -> Sequence[Claim]:
        with self._lock:
            return [claim for claim, _ in self._running.values()]

    # -- a slot --------------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        until_done(self._serve_once, self._stopping, log, "Executions can't be taken")

    def _serve_once(self) -> bool:
        """Run the next execution, or wait until there may be one; never done."""
        for claim in self._leases.claim(1):
            self._take(claim)
            return False
        with self._queued:
            if not self._stopping.is_set():
                self._queued.wait(LOOK_SECONDS)
        return False

    def _take(self, claim: Claim) -> None:
        TRACE.set(claim.trace)
        attempt = Attempt(self._queue, claim, self._stopping, log)
        try:
            source = self._sources.of(claim.program.kind)
        except UnknownKind as error:
            log.error("Execution %s can't be run because of an error of ours: %s", claim.job_id, error)
            outcome = failed(Failure.INTERNAL, "Not started", str(error))
            attempt.finish(lambda _: outcome)
            return
        self._run_from(source, attempt)

    def _run_from(self, source: ProgramSource, attempt: Attempt) -> None:
        claim, handed_back = attempt.claim, False
        try:
            if claim.counted_attempts >= claim.attempts:
                self._end(source, attempt, failed(Failure.LOST, "Lost", f"{claim.lost_because or LOST} {ONCE}"))
                return
            if claim.fault is not None and (outcome := self._injected(claim.fault, attempt)) is not None:
                self._end(source, attempt, outcome)
                return
            with self._lock:
                self._running[claim.job_id] = (claim, None)
            handed_back = self._run(source, attempt)
        except (NotRunnable, QumulusError) as error:
            attempt.log.add(*(LogLine(self._clock.now(), line, Severity.ERROR) for line in str(error).splitlines()))
            self._end(source, attempt, failed(Failure.LOST, "Not started", str(error)))
        except OSError as error:
            log.exception("Execution %s could not be run.", claim.job_id)
            told = f"The server could not run it: {error.strerror or error}".removesuffix(".")
            self._end(source, attempt, failed(Failure.INTERNAL, "Not started", f"{told}."))
        finally:
            with self._lock:
                self._running.pop(claim.job_id, None)
            if not handed_back:
                source.done(claim)

    def _injected(self, fault: Fault, attempt: Attempt) -> Outcome | None:
        """Return the outcome of an execution that a fault keeps from being run; a program is run once, so a lost worker is its end."""
        attempt.log.add(line(fault, self._clock.now()))
        if fault.rule.kind is FaultKind.WORKER_LOST:
            return failed(Failure.CRASHED, "Injected", fault.said("The process that ran it was killed: this"))
        outcome = instead(fault)
        if outcome is None or outcome.failure is None:
            return None
        return replace(failed(outcome.failure, "Injected", outcome.reason or ""), reason_code=outcome.reason_code)

    def _run(self, source: ProgramSource, attempt: Attempt) -> bool:
        """Run it, or hand it back where it can't begin now, or this server ends before: then it is True."""
        claim, begun = attempt.claim, False

        def start() -> bool:
            nonlocal begun
            begun = self._queue.start(claim)
            log.info("Execution %s begins.", claim.job_id)
            return begun

        try:
            with self._begun(source, attempt) as execution:
                if execution is None:
                    self._end(source, attempt, failed(Failure.REFUSED, "No sandbox", UNSAFE))
                    return False
                with self._lock:
                    self._running[claim.job_id] = (claim, execution)
                ended = execution.run(start)
        except Unavailable as error:
            if begun or isinstance(error, StorageFull):  # what it needs may never find room
                raise
            log.error("Execution %s can't begin now, trying again in %g s: %s", claim.job_id, PAUSE_SECONDS, error)
            self._stopping.wait(PAUSE_SECONDS)
            return attempt.put_back() is JobState.QUEUED
        outcome, rest = ended or (None, ())
        attempt.log.add(*rest)
        if execution.ended_by == "request":
            attempt.release(counted=False, reason=CANCELLED)
        elif outcome is not None:
            self._end(source, attempt, outcome)
        elif execution.ended_by is not None:
            return attempt.release(counted=False, reason=NOT_BEGUN) is JobState.QUEUED
        return False

    @contextlib.contextmanager
    def _begun(self, source: ProgramSource, attempt: Attempt) -> Generator[ProgramRun | None]:
        """Return the run of a claim, with all that the run needs; None where nothing would keep a program from other files."""
        claim = attempt.claim
        package = source.package(claim.device) if self._elsewhere else None
        if package is not None and self._elsewhere is not None:
            with source.given(claim) as given:
                yield self._elsewhere.execution(claim.job_id, package, given, attempt.write)
            return
        sandbox = self._sandbox()
        if not sandbox.holds and not self._allow_unsandboxed:
            yield None
            return
        with source.program(claim.device) as program, source.given(claim) as given:
            execution = Execution(
                claim.job_id,
                program,
                given,
                place=self._folder / claim.job_id,
                sandbox=sandbox,
                now=self._clock.now,
                tell=attempt.write,
                network=self._network or (self._own_apis and not sandbox.private_root),
                own_apis=self._own_apis,
                hidden=self._hidden,
            )
            yield LocalRun(execution)

    def _end(self, source: ProgramSource, attempt: Attempt, outcome: Outcome) -> None:
        def stored(rest: Sequence[LogLine]) -> Outcome:
            ended = source.outcome(attempt.claim, outcome, rest)
            return ended if attempt.claim.fault is None else marked(attempt.claim.fault, ended)

        if attempt.finish(stored) is False:
            log.info("Execution %s had ended meanwhile; its outcome is left out.", attempt.claim.job_id)
