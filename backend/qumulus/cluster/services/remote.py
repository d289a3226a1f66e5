"""Executions on a cluster, as the slots of services see them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

from qumulus.core.results import Failure, LogLine, Outcome, Severity
from qumulus.execution.wire import BrokenWire, Message, packed
from qumulus.execution.worker_pool import ForkServerGone, WorkerHandle, WorkerPool
from qumulus.services.execution import Input, Package
from qumulus.services.outcome import STOPPED, failed
from qumulus.services.pool_mounts import give_back
from qumulus.services.runs import Now, ProgramRun

from . import command, orders

MOST_BYTES = 4 << 30  # that one execution may send back at once
MOST_BEGUN = 2  # a program that takes its machine down must not take all of them
MOST_ROOMS = 10  # that are lost before it has begun in one
PAUSE_SECONDS = 1.0  # before another machine is tried
AGAIN_SECONDS = 0.5  # between two looks whether there is a driver
OBEY_SECONDS = 25.0  # after which what was told to end is given up
AGAIN = "The machine that ran it was lost: it is begun again on another one."
LOST_AGAIN = "The machine that ran it was lost, and then the one on which it was begun again:"
NO_ROOM = f"{MOST_ROOMS} times the machine was lost on which it was to begin, the last time so:"


class Lost(Exception):
    """The machine of a run, in words."""


class Unwanted(Exception):
    """The execution was cancelled before it began."""


class Cluster:
    """`services.runs.OtherMachines` on a Ray cluster. Its driver is started when there is a first execution, and kept alive."""

    def __init__(
        self, address: str, *, network: bool, unsandboxed: bool, now: Now, on_ready: Callable[[], None]
    ) -> None:
        """``on_ready`` is called when executions can be sent."""
        self._network = network
        self._unsandboxed = unsandboxed
        self._now = now
        self._starting = threading.Lock()
        self._started = False
        self._worker_pool = WorkerPool("services", command=command(address), most_bytes=MOST_BYTES, on_ready=on_ready)

    def stop(self) -> None:
        """Stop the driver, and all that runs."""
        self._worker_pool.stop()

    def ready(self) -> bool:
        """Say whether executions can be sent now; if not, `on_ready` is called when they can."""
        with self._starting:
            if not self._started:
                self._started = True
                self._worker_pool.start()
        return self._worker_pool.ready

    def execution(
        self, job_id: str, package: Package, given: Input, tell: Callable[[Sequence[LogLine]], None]
    ) -> ProgramRun:
        """Return an execution that will run on a node."""
        order = orders.order(job_id, package, given, network=self._network, unsandboxed=self._unsandboxed)
        return RemoteExecution(self._worker_pool, order, package, given, tell, self._now)


class RemoteExecution:
    """`services.runs.ProgramRun` on a node. What it says is heard over a connection of its own: after another one was begun, nothing
    of an earlier machine is heard any more.
    """

    def __init__(
        self,
        worker_pool: WorkerPool,
        order: Message,
        package: Package,
        given: Input,
        tell: Callable[[Sequence[LogLine]], None],
        now: Now,
    ) -> None:
        self._worker_pool = worker_pool
        self._order = order
        self._package = package
        self._given = given
        self._tell = tell
        self._now = now
        self._handle: WorkerHandle | None = None
        self._sending = threading.Lock()
        self._ended_by: str | None = None
        self._ended_at = 0.0
        self._begun = 0

    def run(self, start: Callable[[], bool]) -> tuple[Outcome, Sequence[LogLine]] | None:
        """Run to the end. See `ProgramRun.run`."""
        reason = ""
        for _ in range(MOST_ROOMS):
            before = self._begun
            try:
                return self._once(start), ()
            except Unwanted:
                return None
            except (Lost, BrokenWire, ForkServerGone) as error:
                reason = str(error)
            finally:
                self._close()
            if self._ended_by is not None:
                return (failed(Failure.LOST, "Stopped", STOPPED), ()) if self._begun else None
            if self._begun == MOST_BEGUN:
                return failed(Failure.LOST, "Lost", f"{LOST_AGAIN} {reason}"), ()
            if self._begun > before:
                self._tell([LogLine(self._now(), AGAIN, Severity.WARNING)])
            time.sleep(PAUSE_SECONDS)  # Ray needs a moment to see that a node is gone
        return failed(Failure.LOST, "Not started", f"{NO_ROOM} {reason}"), ()

    def stop(self, why: str = "request") -> None:
        """Stop the execution. See `ProgramRun.stop`."""
        if self._ended_by is None:
            self._ended_by, self._ended_at = why, time.monotonic()
            with contextlib.suppress(BrokenWire):
                self._send(Message("stop", {"why": why}))

    @property
    def ended_by(self) -> str | None:
        """Return who or what ended the execution from outside; None as long as nothing did."""
        return self._ended_by

    def _once(self, start: Callable[[], bool]) -> Outcome:
        """Return the outcome of a run on one machine.

        Raises:
            Unwanted: it is not to begin.
            Lost, BrokenWire, ForkServerGone: the machine or its driver was lost, or did not end it when it was told to.
        """
        self._handle = handle = self._connect()
        self._send(self._order)
        while self._ended_by is None or time.monotonic() - self._ended_at < OBEY_SECONDS:
            message = handle.wire.receive(AGAIN_SECONDS)
            if message is not None and (outcome := self._hear(message, start)) is not None:
                return outcome
        raise Lost("it did not end when it was told to")

    def _hear(self, message: Message, start: Callable[[], bool]) -> Outcome | None:
        """Do what the driver asks for or tells; the outcome, if it is that.

        Raises:
            Unwanted, Lost, BrokenWire
        """
        match message.say:
            case "package":
                self._send(Message("package", parts=[self._package.content()]))
            case "placed":
                self._begin(start)
            case "log":
                self._tell(orders.told_lines(message))
            case "ended":
                return self._end_of(message)
            case "failed":
                return failed(Failure.REFUSED, message.members["title"], message.members["reason"])
            case "lost":
                raise Lost(message.members["reason"])
        return None

    def _begin(self, start: Callable[[], bool]) -> None:
        if self._ended_by is not None:
            raise Lost("it was ended before it began there")
        if not self._begun and not start():
            raise Unwanted
        self._begun += 1
        self._send(Message("go"))

    def _end_of(self, message: Message) -> Outcome:
        outcome, changes = orders.told_end(message)
        for name, each in changes.items():
            give_back(self._given.pools[name].folder, each)
        return outcome

    def _connect(self) -> WorkerHandle:
        while self._ended_by is None:
            if self._worker_pool.ready:
                with contextlib.suppress(ForkServerGone):
                    return self._worker_pool.start_worker()
            time.sleep(AGAIN_SECONDS)
        raise Lost("it was ended before there was a driver")

    def _send(self, message: Message) -> None:
        handle = self._handle
        if handle is not None:
            with self._sending:
                handle.wire.send_frame(packed(message))

    def _close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.wire.close()
