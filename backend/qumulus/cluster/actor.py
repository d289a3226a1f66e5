"""One place of the cluster: an actor that keeps a fork server beside it and has one worker run one job at a time.

What it is given and what it gives back are frames of `execution.wire`, as bytes: Ray carries them and never looks inside.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Any

import ray

from qumulus.core.results import Failure
from qumulus.execution import process
from qumulus.execution.wire import BrokenWire, Frame, Message, packed, unpacked
from qumulus.execution.worker_pool import SECRETS, ForkServerGone, WorkerHandle, WorkerPool

from .bundle import bundled, unbundled
from .requests import widened

READY_SECONDS = 60.0  # in which a fork server must be ready
SAYS = frozenset({"begun", "log", "need", "outcome"})  # what a worker may say: the rest is said of it
MOST_SAID_BYTES = 8 << 20  # by runs of one call, after which no other one begins
STOPPED_SECONDS = 10.0  # for which a worker may stand still; as long as a lease


class Place:
    """The class of the actor. Its methods are called from several threads at once: `run` from one of them at a time."""

    def __init__(self, entry: str, devices: Sequence[str], most_bytes: int) -> None:
        self._warm = threading.Event()
        self._lock = threading.Lock()
        self._number: int | None = None
        self._worker: WorkerHandle | None = None
        self._behind: WorkerHandle | None = None  # the worker that was told to give way
        self._doomed: WorkerHandle | None = None  # the worker that was told to end
        self._begun = 0  # the run that began last
        self._waiting: list[tuple[int, Frame]] = []
        self._frames: list[tuple[int, Frame]] = []
        self._said_bytes = 0
        self._stopped_since: float | None = None  # the worker, by somebody
        self._worker_pool = WorkerPool(
            entry,
            devices=devices,
            on_ready=self._warm.set,
            most_bytes=most_bytes,
            secrets=(*SECRETS, "RAY_AUTH_"),
        )
        self._worker_pool.start()

    def ready(self) -> str | None:
        """Return the node that jobs can be run on, when that is so; None if they can't."""
        self._warm.wait(READY_SECONDS)
        with contextlib.suppress(ForkServerGone):
            self._start_worker()
        return ray.get_runtime_context().get_node_id() if self._worker is not None else None

    def live(self) -> None:
        """Never returns: the call ends when this process does."""
        threading.Event().wait()

    def run(self, memory_bytes: int, programs: bytes, processes: int = 1) -> bytes:
        """Run programs one after another, each of which may use ``memory_bytes`` bytes without asking anybody, and so many processes.

        Returns the frames that `heard` has not given yet. The last one of each run is its outcome; or what it needs, where that
        is more: then it has to be begun again in a larger place; or how its worker ended; or that it has not begun.
        """
        first, *waiting = unbundled(programs)
        with self._lock:
            self._waiting, self._said_bytes = waiting, 0
        following: tuple[int, Frame] | None = first
        while following is not None:
            number, program = following
            self._run(number, widened(program, processes, memory_bytes), memory_bytes)
            following = self._next()
        return self._said()

    def heard(self) -> bytes:
        """Return what was said since the last question. The call takes long then, so what has not begun goes elsewhere.

        Asked so, a worker that somebody stopped for long is ended.
        """
        self._look()
        with self._lock:
            self._withdraw()
        return self._said()

    def kill(self, number: int) -> None:
        """End a run at once; nothing happens if the run has ended."""
        with self._lock:
            self._withdraw(number)
            worker = self._worker if number == self._number else None
            self._doomed = worker or self._doomed
        if worker is not None:
            worker.kill()

    def _run(self, number: int, program: Frame, memory_bytes: int) -> None:
        try:
            worker = self._begin(number)
            self._drive(worker, program, memory_bytes)
        except ForkServerGone as gone:
            self._add(exited(lost=str(gone)))
        finally:
            with self._lock:
                self._number = None

    def _next(self) -> tuple[int, Frame] | None:
        with self._lock:
            if self._said_bytes > MOST_SAID_BYTES:
                self._withdraw()
            return self._waiting.pop(0) if self._waiting else None

    def _withdraw(self, number: int | None = None) -> None:
        """Say of what waits, or of one, that it has not begun and does not begin."""
        for waiting in [one for one in self._waiting if number in (None, one[0])]:
            self._waiting.remove(waiting)
            self._frames.append((waiting[0], packed(Message("withdrawn"))))

    def _said(self) -> bytes:
        with self._lock:
            frames, self._frames = self._frames, []
        return bundled(frames)

    def _look(self) -> None:
        worker, number = self._worker, self._number
        if worker is None or number is None or not process.is_stopped(worker.pid):
            self._stopped_since = None
        elif self._stopped_since is None:
            self._stopped_since = time.monotonic()
        elif time.monotonic() - self._stopped_since > STOPPED_SECONDS:
            self.kill(number)

    def _start_worker(self) -> WorkerHandle:
        worker = self._worker
        with self._lock:
            doomed = worker is self._doomed  # though it may have ended that run by itself, and not be dead yet
        if worker is not None and (doomed or not worker.alive):
            self._drop(worker)
            worker = None
        if worker is None:
            deadline = time.monotonic() + READY_SECONDS
            while not self._worker_pool.ready and time.monotonic() < deadline:
                time.sleep(0.05)
            self._worker = worker = self._worker_pool.start_worker()
        return worker

    def _begin(self, number: int) -> WorkerHandle:
        self._begun = number
        worker = self._start_worker()
        with self._lock:
            self._number = number
        return worker

    def _drive(self, worker: WorkerHandle, program: Frame, memory_bytes: int) -> None:
        """Have the worker run a program, and keep what the worker says.

        Raises:
            ForkServerGone: the worker was lost with its fork server.
        """
        try:
            worker.wire.send_frame(program)
            while True:
                frame = worker.wire.receive_frame()
                message = unpacked(frame)
                if message.say not in SAYS:
                    raise BrokenWire("A worker says what it must not say.")
                if message.say == "need" and int(message.members["bytes"]) <= memory_bytes:
                    worker.wire.send("go")
                    continue
                self._add(frame)
                if message.say == "begun" and worker is not self._behind:
                    self._behind = worker
                    process.give_way(worker.pid)  # the places that begin on this node have to be ready soon
                if message.say == "outcome":
                    self._keep(worker, message)
                    return
                if message.say == "need":
                    self._drop(worker)
                    return
        except (BrokenWire, KeyError, TypeError, ValueError, OverflowError):  # it is gone, or went wrong
            self._drop(worker)
            end = worker.exit()
            self._add(exited(end.code, end.peak_bytes, end.output))

    def _keep(self, worker: WorkerHandle, outcome: Message) -> None:
        """Let the worker stay if it is as good as new. What it says is judged by the server."""
        failure = outcome.members.get("failure")
        kind = Failure(failure) if failure in list(Failure) else None
        if not worker.good_after(kind, int(outcome.members.get("resident_bytes", 0))):
            self._drop(worker)

    def _drop(self, worker: WorkerHandle) -> None:
        self._worker = None
        worker.kill()
        worker.wire.close()

    def _add(self, frame: Frame) -> None:
        with self._lock:
            self._frames.append((self._begun, frame))
            self._said_bytes += sum(map(len, frame))


def exited(code: int = 0, peak_bytes: int = 0, output: str = "", **members: Any) -> Frame:
    """Return how a worker ended, as a fork server says it."""
    return packed(Message("exited", {"code": code, "peak_bytes": peak_bytes, "output": output, **members}))
