"""One place of the cluster: an actor that keeps a warm parent beside it and has one worker run one job at a time.

What it is given and what it gives back are frames of `execution.wire`, as bytes: Ray carries them and never looks inside.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence

import ray

from qumulus.core.results import Failure
from qumulus.execution import process
from qumulus.execution.nursery import SECRETS, Nursery, ParentGone, WorkerHandle
from qumulus.execution.wire import BrokenWire, Frame, Message, packed, unpacked

READY_SECONDS = 60.0  # in which a warm parent must be ready
STOPPED_SECONDS = 10.0  # for which a worker may stand still; as long as a lease


class Place:
    """The class of the actor. Its methods are called from several threads at once: `run` from one of them at a time."""

    def __init__(self, entry: str, devices: Sequence[str], most_bytes: int) -> None:
        self._warm = threading.Event()
        self._lock = threading.Lock()
        self._number: int | None = None
        self._worker: WorkerHandle | None = None
        self._frames: list[Frame] = []
        self._stopped_since: float | None = None  # the worker, by somebody
        self._nursery = Nursery(
            entry,
            devices=devices,
            on_ready=self._warm.set,
            most_bytes=most_bytes,
            secrets=(*SECRETS, "RAY_AUTH_"),
        )
        self._nursery.start()

    def ready(self) -> str | None:
        """The node that jobs can be run on, when that is so; None if they can't."""
        self._warm.wait(READY_SECONDS)
        with contextlib.suppress(ParentGone):
            self._bear()
        return ray.get_runtime_context().get_node_id() if self._worker is not None else None

    def live(self) -> None:
        """Never returns: the call ends when this process does."""
        threading.Event().wait()

    def run(self, number: int, room: int, header: bytes, *parts: bytes) -> list[Frame]:
        """Run a program that may use ``room`` bytes without asking anybody.

        Returns the frames that `heard` has not given yet. The last one is its outcome; or what it needs, where that is more:
        then it has to be begun again in a larger place; or how its worker ended.
        """
        try:
            worker = self._begin(number)
            self._drive(worker, unpacked((header, *parts)), room)
        except ParentGone as gone:
            self._add(Message("exited", {"code": 0, "peak_bytes": 0, "output": "", "lost": str(gone)}))
        finally:
            with self._lock:
                self._number = None
        return self.heard(number)

    def heard(self, number: int) -> list[Frame]:
        """What a run has said since this was last asked; asked so, a worker that somebody stopped for long is ended."""
        self._look_at(number)
        with self._lock:
            frames, self._frames = self._frames, []
        return frames

    def kill(self, number: int) -> None:
        """End a run at once; nothing happens if it has ended."""
        with self._lock:
            worker = self._worker if number == self._number else None
        if worker is not None:
            worker.kill()

    def _look_at(self, number: int) -> None:
        worker = self._worker
        if worker is None or not process.is_stopped(worker.pid):
            self._stopped_since = None
        elif self._stopped_since is None:
            self._stopped_since = time.monotonic()
        elif time.monotonic() - self._stopped_since > STOPPED_SECONDS:
            self.kill(number)

    def _bear(self) -> WorkerHandle:
        worker = self._worker
        if worker is None or not worker.alive:
            self._worker = None
            deadline = time.monotonic() + READY_SECONDS
            while not self._nursery.ready and time.monotonic() < deadline:
                time.sleep(0.05)
            self._worker = worker = self._nursery.bear()
        return worker

    def _begin(self, number: int) -> WorkerHandle:
        worker = self._bear()
        with self._lock:
            self._number = number
        return worker

    def _drive(self, worker: WorkerHandle, program: Message, room: int) -> None:
        """Have the worker run it, and keep what it says.

        Raises:
            ParentGone: the worker was lost with its parent.
        """
        try:
            worker.wire.send("run", program.parts, **program.members)
            while (message := worker.wire.receive()) is not None:
                if message.say == "need" and int(message.members["bytes"]) <= room:
                    worker.wire.send("go")
                    continue
                self._add(message)
                if message.say == "outcome":
                    self._keep(worker, message)
                    return
                if message.say == "need":
                    self._drop(worker)
                    return
        except BrokenWire:
            self._drop(worker)
            end = worker.exit()
            self._add(Message("exited", {"code": end.code, "peak_bytes": end.peak_bytes, "output": end.output}))

    def _keep(self, worker: WorkerHandle, outcome: Message) -> None:
        """Let the worker stay if it is as good as new. What it says is judged by the server."""
        failure = outcome.members.get("failure")
        known = Failure(failure) if failure in list(Failure) else None
        if not worker.good_after(known, int(outcome.members.get("resident_bytes", 0))):
            self._drop(worker)

    def _drop(self, worker: WorkerHandle) -> None:
        self._worker = None
        worker.kill()
        worker.wire.close()

    def _add(self, message: Message) -> None:
        with self._lock:
            self._frames.append(packed(message))
