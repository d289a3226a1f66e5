"""A slot: one thread that takes a claim, has a worker run it, and stores how it ended; then the next.

How a run may end, and what follows:

| what happened | what follows |
| --- | --- |
| an outcome came | stored, with the final state, if the attempt is still ours |
| over its time (by the clock, or its processor time) | fails: a run over a limit is not tried again |
| cancelled | the worker is killed, the job ends as cancelled |
| the server stops | the worker is killed, the job is handed back; the attempt does not count |
| the fork server ended, or the machine of the worker | handed back; the attempt does not count |
| it waited in vain for a place on another machine, or no worker could be started | it has never begun: as if it had not been claimed |
| the worker died, or was stopped by somebody | the attempt counts: handed back, or failed when it was the last |
"""

from __future__ import annotations

import contextlib
import logging
import queue
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from math import inf

from qumulus.core.faults import FaultKind, instead, line, marked
from qumulus.core.ports import Claim
from qumulus.core.programs import Limits
from qumulus.core.results import Failure, LogLine, Outcome, Severity
from qumulus.core.tracing import TRACE
from qumulus.dispatching.attempts import Attempt
from qumulus.dispatching.log_buffer import LogLimit

from .ender import Ender, stored
from .job_run import Ending, JobRun
from .lingering import device_time
from .messages import outcome_parts, program_members, program_parts, to_line, to_outcome
from .reasons import OURS, STOPPED, died, too_long, waits
from .slot_context import SlotContext
from .wire import BrokenWire, Message
from .worker_pool import Exit, ForkServerGone, NotBegun, WorkerHandle

log = logging.getLogger("qumulus.execution")

NO_WORKER_SECONDS = 1.0  # until a job is queued again for which no worker could be started
LOG = LogLimit(4 << 20, "The log is cut here: a run may write 10,000 lines and 4 MiB.", lines=10_000)  # of one run
ON_THE_WAY = frozenset({"placed", "begun", "log", "need"})  # what is said before the last word; a cluster says "placed"
START_SECONDS = 0.02  # in which a run may end before it is stored that it began: nobody sees so short a time
BEGIN_SECONDS = 120.0  # in which a worker must say something, or how it ended


class Slot:
    """Runs one job at a time. A worker stays on its slot while it behaves."""

    def __init__(self, number: int, context: SlotContext, on_idle: Callable[[Slot], None]) -> None:
        self._context = context
        self._on_idle = on_idle
        self._inbox: queue.SimpleQueue[JobRun | None] = queue.SimpleQueue()
        self._run: JobRun | None = None
        self._lock = threading.Lock()
        self._worker: WorkerHandle | None = None
        self._ender = Ender(f"qumulus-ender-{number}")
        self._thread = threading.Thread(target=self._loop, name=f"qumulus-slot-{number}", daemon=True)
        self._thread.start()

    # -- called from other threads ---------------------------------------------------------------------------------

    def give(self, claim: Claim) -> None:
        """Run this next. Only an idle slot is given a claim."""
        attempt = Attempt(self._context.queue, claim, self._context.stopping, log, limit=LOG)
        run = JobRun(attempt, self._limits(claim), threading.Event())
        with self._lock:
            self._run = run
        self._inbox.put(run)

    @property
    def claim(self) -> Claim | None:
        """Return what runs here now, or in a moment."""
        run = self._run
        return run.claim if run else None

    @property
    def claims(self) -> list[Claim]:
        """Return that, and what has run and is not stored yet."""
        return [run.claim for run in (self._run, self._ender.run) if run is not None]

    @property
    def running(self) -> Claim | None:
        """Return what runs here now."""
        run = self._run
        return run.claim if run and run.begun is not None else None

    @property
    def seconds(self) -> float:
        """Return for how many seconds it has run."""
        return run.seconds if (run := self._run) else 0.0

    def stored(self, within: float) -> bool:
        """Wait until all that has run is stored; False where that takes longer than so many seconds."""
        return self._ender.wait(within)

    @property
    def pid(self) -> int | None:
        """Return the id of the process that runs the job."""
        run = self._run
        return run.worker.pid if run and run.worker else None

    def end(self, job_id: str, ending: Ending, attempt: int | None = None) -> None:
        """Kill the run of a job, if the job runs here; one that is not stored yet is told."""
        with self._lock:
            run = next((run for run in (self._run, self._ender.run) if run and run.is_of(job_id, attempt)), None)
            if run is None:
                return
            run.ending = run.ending or ending
            run.given_up.set()
            worker = run.worker
        self._context.budget.look()
        if worker is not None:
            worker.kill()

    def prepare(self) -> None:
        """Have a worker ready before the first job comes. Called while the slot is idle."""
        self._inbox.put(None)

    def close(self) -> None:
        """Run nothing more."""
        self._inbox.put(None)

    def join(self, seconds: float) -> bool:
        """Wait for the end of the thread."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    # -- the thread of the slot ------------------------------------------------------------------------------------

    def _loop(self) -> None:
        while not (self._context.stopping.is_set() and self._inbox.empty()):
            run = self._inbox.get()
            if run is None:
                self._warm()
                continue
            store = self._served(run)
            self._context.ran(run.seconds if store else inf)
            if store and self._context.more() and self._ender.keep(run):
                self._be_idle()  # and have the next run, if one waits, before this one is stored
                self._ender.store(partial(self._store_late, run, store))
            else:
                if store:
                    stored(run, store)
                self._be_idle()
            self._warm()
        self._ender.close()
        if self._worker is not None:
            self._worker.wire.close()

    def _store_late(self, run: JobRun, store: Callable[[], None]) -> None:
        stored(run, store)
        self._context.look()  # what may run only after it may be waiting

    def _be_idle(self) -> None:
        with self._lock:
            self._run = None
        self._on_idle(self)

    def _served(self, run: JobRun) -> Callable[[], None] | None:
        """Run a job; return what stores how it ended, where that was not stored on the way."""
        try:
            return self._serve(run)
        except Exception:  # a mistake of ours must not cost the slot: the lease runs out, and the job is handed back
            log.exception("What became of job %s can't be stored because of an error of ours.", run.claim.job_id)
            self._drop(kill=True)
            return None

    def _warm(self) -> None:
        if self._context.stopping.is_set() or (self._worker is not None and self._worker.alive):
            return
        self._drop()
        with contextlib.suppress(ForkServerGone):
            self._worker = self._context.worker_pool.start_worker()

    def _serve(self, run: JobRun) -> Callable[[], None] | None:
        TRACE.set(run.claim.trace)
        try:
            outcome = self._injected(run) or self._outcome(run)
        except NotBegun:
            self._drop()
            run.attempt.put_back()
            return None
        except ForkServerGone as gone:
            self._drop()
            run.attempt.release(counted=False, reason=str(gone))
            return None
        except Exception:  # a mistake of ours must cost one job, not the slot
            log.exception("Job %s failed because of an error of ours.", run.claim.job_id)
            self._drop(kill=True)
            outcome = Outcome(failure=Failure.INTERNAL, reason=OURS)
        finally:
            self._context.budget.give_back(run.taken)
        if outcome is None:
            return None
        if outcome.failure is Failure.INTERNAL:
            log.error("Job %s failed because of an error of ours: %s", run.claim.job_id, outcome.reason)
        return partial(self._finish, run, outcome)

    def _injected(self, run: JobRun) -> Outcome | None:
        """Return the outcome of a job that a fault keeps from being run."""
        if run.claim.fault is None:
            return None
        run.attempt.log.add(line(run.claim.fault, self._context.clock.now()))
        return instead(run.claim.fault)

    def _limits(self, claim: Claim) -> Limits:
        ours = self._context.limits
        seconds = ours.seconds if claim.max_seconds is None else min(ours.seconds, claim.max_seconds)
        return replace(ours, seconds=seconds, memory_bytes=min(ours.memory_bytes, self._context.budget.total))

    def _outcome(self, run: JobRun) -> Outcome | None:
        """Run the job; return None when the run ended without an outcome and that is dealt with.

        Raises:
            ForkServerGone
        """
        self._warm()
        worker = self._worker
        if worker is None:  # it has not even begun
            run.given_up.wait(NO_WORKER_SECONDS)
            raise NotBegun
        with self._lock:
            run.worker = worker
        if run.given_up.is_set():
            return self._after(run, None)
        try:
            outcome = self._drive(worker, run)
        except BrokenWire:
            self._drop()
            return self._after(run, worker.exit())
        if outcome is None:
            self._drop(kill=True)
            return self._after(run, None)
        with self._lock:
            run.worker = None  # who ends the run from here on has no worker to kill: it is ready for the next one
            told_to_end = run.ending is not None
        if told_to_end:
            self._drop(kill=True)  # it is being killed, though it had an outcome: the next run must not have it
        return outcome

    def _drive(self, worker: WorkerHandle, run: JobRun) -> Outcome | None:
        """Talk with the worker until it has an outcome; None when the run is to be given up.

        Raises:
            BrokenWire: the worker is gone.
        """
        context = self._context
        program = replace(
            run.claim.program,
            limits=run.limits,
            noise=context.noise,
            service_limits=context.service_limits,
            repeatable=context.repeatable,
            processes=1 if context.repeatable else 1 + context.spare(),
            clock=context.clock.setting,
        )
        worker.wire.send("run", program_parts(program), **program_members(program))
        first = worker.wire.receive(BEGIN_SECONDS)
        if first is None:
            return None
        run.begun, run.begun_at = time.monotonic(), self._context.clock.now()
        run.began_at = run.begun_at
        log.info("Job %s begins: attempt %d, in process %d.", run.claim.job_id, run.claim.run, worker.pid)
        if run.claim.fault is not None and run.claim.fault.rule.kind is FaultKind.WORKER_LOST:
            worker.kill()
            run.confirmed = True
            self._started(run)
            raise BrokenWire("Its worker was to be lost.")
        return self._received(worker, run, self._last(worker, run, first))

    def _started(self, run: JobRun) -> bool:
        """Store that it runs, if it is not stored; False when the claim is no longer ours."""
        if run.began_at is not None and run.attempt.start():
            run.begun, run.begun_at, run.began_at = time.monotonic(), self._context.clock.now(), None
        return run.began_at is None

    def _admitted(self, run: JobRun, needed: int) -> bool:
        """Exchange what the run has of the memory for what it needs from now on; False if it was given up meanwhile.

        It gives back first, so that no two runs wait for each other; and the time of waiting is not its own.
        """
        budget = self._context.budget
        asked = time.monotonic()
        budget.give_back(run.taken)
        run.taken = 0
        if not budget.try_to_take(needed):
            run.attempt.write([LogLine(self._context.clock.now(), waits(needed))])
            if not budget.take(needed, run.given_up):
                return False
        run.taken = needed
        run.waited += time.monotonic() - asked
        return True

    def _last(self, worker: WorkerHandle, run: JobRun, message: Message | None) -> Message | None:
        """Return the outcome's frame, with what the worker says and asks until then, beginning with ``message``; None when the run's
        time is over, or it is given up.

        Raises:
            BrokenWire
        """
        while message is None or message.say in ON_THE_WAY:
            if not self._heard(worker, run, message):
                return None
            if (left := run.limits.seconds - run.seconds) <= 0:
                run.ending = run.ending or Ending.TIME
                return None
            message = None if run.began_at is None else worker.wire.receive(START_SECONDS - run.seconds)
            if message is None:  # else it may have ended by now, and both is stored at once
                if not self._started(run):
                    return None
                message = worker.wire.receive(min(left, run.attempt.log.patience))
        return message

    def _heard(self, worker: WorkerHandle, run: JobRun, message: Message | None) -> bool:
        """Do what follows from what a worker says before its last word; False when the run was given up meanwhile."""
        if message is None:
            run.attempt.log.flush()
        elif message.say == "begun":
            run.confirmed = True
        elif message.say == "log":
            line = to_line(message)
            run.attempt.log.add(replace(line, time=self._context.clock.setting.at(line.time)))
            run.attempt.log.flush_if_due()
        elif message.say == "need":
            needed = min(int(message.members["bytes"]), run.limits.memory_bytes)
            if not self._started(run) or not self._admitted(run, needed):
                return False
            worker.wire.send("go")
        return True

    def _received(self, worker: WorkerHandle, run: JobRun, message: Message | None) -> Outcome | None:
        if message is None:
            return None
        outcome = to_outcome(message)
        if sum(map(len, outcome_parts(outcome))) > run.limits.result_bytes:
            raise BrokenWire("A worker says more than it may.")
        members = message.members
        peak, resident, seconds = (members[name] for name in ("peak_bytes", "resident_bytes", "seconds"))
        if not worker.good_after(outcome.failure, int(resident)):
            self._drop(kill=True)
        measured = {} if self._context.repeatable else {"memory_bytes": peak}
        metadata = measured | {"attempt": run.claim.run} | dict(outcome.metadata)
        used = float(seconds) if outcome.run_seconds is None else outcome.run_seconds
        return replace(outcome, metadata=metadata, run_seconds=used)

    def _drop(self, *, kill: bool = False) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            if kill:
                worker.kill()
            worker.wire.close()

    # -- how it ends -----------------------------------------------------------------------------------------------

    def _after(self, run: JobRun, end: Exit | None) -> Outcome | None:
        """Return what follows a run without an outcome."""
        if run.confirmed:
            self._context.tally.died()
        if run.ending is Ending.TIME or (end is not None and end.code == -signal.SIGXCPU):
            return Outcome(failure=Failure.TIME, reason=too_long(run.limits), run_seconds=run.seconds)
        if run.ending in (Ending.CANCELLED, Ending.STOPPED) or end is None:
            run.attempt.release(counted=False, reason=STOPPED)
            return None
        told = "was stopped by somebody" if run.ending is Ending.HUNG else end.told()
        if end.output.strip():
            run.attempt.log.add(LogLine(self._context.clock.now(), end.output.strip(), Severity.ERROR))
        if run.claim.fault is not None and run.claim.fault.rule.kind is FaultKind.WORKER_LOST:
            told += f", which was {run.claim.fault.told}"
        log.warning("The worker of job %s %s.", run.claim.job_id, told)
        run.attempt.release(counted=run.confirmed, reason=died(told, run.claim))
        return None

    def _finish(self, run: JobRun, outcome: Outcome) -> None:
        if run.claim.fault is not None:
            outcome = marked(run.claim.fault, outcome)
        if run.begun_at is None:  # it failed before it could begin
            run.began_at = self._context.clock.now()
        elif (takes := device_time(run.claim, outcome, self._context.device_settings)) and self._started(run):
            allowed = run.claim.max_seconds
            if allowed is not None and takes > allowed:  # by the device; the server's own limit is for the run here
                reason = too_long(replace(run.limits, seconds=allowed))
                takes, outcome = allowed, Outcome(failure=Failure.TIME, reason=reason, run_seconds=allowed)
            self._context.lingering.keep(run, outcome, run.begun_at + timedelta(seconds=takes))
            return
        if (
            run.attempt.finish(lambda _: outcome, began_at=run.began_at) is False and run.began_at is not None
        ):  # it was cancelled before it was known to run
            run.attempt.release(counted=False, reason=STOPPED)
