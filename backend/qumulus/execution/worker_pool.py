"""The server's side of the fork server: keeps one alive, has it fork and kill workers, hears of their ends."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from qumulus.core.results import Failure

from .reasons import FORK_SERVER
from .wire import COMMAND, FORK, KILL, BrokenWire, Message, Wire

log = logging.getLogger("qumulus.execution")

FORK_SECONDS = 30.0
EXIT_SECONDS = 10.0  # between a closed socket and the fork server's word on how its worker ended
LAST_SECONDS = 1.0  # between the last word of a fork server and its end, if it ends by itself
SOUND_SECONDS = 10.0  # a fork server that lived so long was sound: the next one is started at once
MOST_PAUSE_SECONDS = 30.0
ONE_THREAD = {
    f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "RAYON")
} | {"QISKIT_PARALLEL": "FALSE", "QISKIT_IGNORE_USER_SETTINGS": "TRUE"}

Method = Literal["fork", "spawn"]


SECRETS = ("QUMULUS_", "AWS_", "PG")  # how the names of variables begin that may hold a credential of the server
MOST_JOBS = 1000  # that one worker runs before it is replaced
MOST_GROWTH = 512 << 20  # bytes that a worker may keep after a run
UNFIT = frozenset({Failure.MEMORY, Failure.INTERNAL})  # after these a worker is replaced


def environment(secrets: Sequence[str] = SECRETS) -> dict[str, str]:
    """Return the variables of the fork server and its workers: one thread each, and no credential of the server."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(tuple(secrets))}
    return ours | ONE_THREAD


class ForkServerGone(Exception):
    """The fork server has ended, and its workers with it; or the worker was lost through no fault of what it ran."""

    def __init__(self, reason: str = FORK_SERVER) -> None:
        super().__init__(reason)


class NotBegun(ForkServerGone):
    """No place was there in time for what the worker was to run."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a worker ended. ``code`` is negative for a signal; ``lost`` says what ended it, where it was lost with its machine."""

    code: int
    peak_bytes: int
    output: str
    lost: str | None = None
    begun: bool = True  # False where it only waited, for a place elsewhere

    def told(self) -> str:
        """For people."""
        if self.code < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-self.code).name}"
            return f"was ended by signal {-self.code}"
        return f"ended by itself with status {self.code}"


@dataclass(slots=True)
class PendingWorker:
    """What is known of a worker that was asked for."""

    pid: int | None = None
    exit: Exit | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)


class ForkServerProcess:
    """One fork server process and the workers it forks."""

    def __init__(
        self, command: Sequence[str], arguments: Sequence[str], most_bytes: int, secrets: Sequence[str]
    ) -> None:
        self._most_bytes = most_bytes
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603  our own command
                [*command, arguments[0], str(theirs.fileno()), str(os.getpid()), *arguments[1:]],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment(secrets),
                start_new_session=True,
            )
        self._control = ours
        self._wire = Wire(ours)
        self._pending: dict[int, PendingWorker] = {}
        self._lock = threading.Lock()
        self.ready = False
        self.places: int | None = None
        self.ahead = 0
        self.gone = False

    def listen(self, on_ready: Callable[[], None]) -> None:
        """Hear the fork server until its end."""
        with contextlib.suppress(BrokenWire):
            while (message := self._wire.receive()) is not None:
                if message.say == "ready":
                    self.places = message.members.get("places")
                    self.ahead = message.members.get("ahead", 0)
                    self.ready = True
                    on_ready()
                else:
                    self._hear(message)
        self.gone = True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(LAST_SECONDS)  # else our own killing would be taken for how it ended
        self.end()
        with self._lock:
            waiting = list(self._pending.values())
        for pending in waiting:
            with pending.changed:
                pending.changed.notify_all()

    def _hear(self, message: Message) -> None:
        number = message.members["number"]
        with self._lock:
            pending = self._pending.get(number)
            if message.say == "exited":
                self._pending.pop(number, None)
        if pending is None:
            return
        with pending.changed:
            if message.say == "forked":
                pending.pid = message.members["pid"]
            else:
                members = message.members
                names = ("code", "peak_bytes", "output", "lost", "begun")
                pending.exit = Exit(**{name: members[name] for name in names if name in members})
            pending.changed.notify_all()

    def start_worker(self, number: int) -> WorkerHandle:
        """Return a new worker.

        Raises:
            ForkServerGone: `NotBegun` where the fork server is well and can't start another worker now.
        """
        pending = PendingWorker()
        with self._lock:
            self._pending[number] = pending
        ours, theirs = socket.socketpair()
        with theirs:
            self._command(FORK, number, [theirs.fileno()])
        with pending.changed:
            pending.changed.wait_for(
                lambda: pending.pid is not None or pending.exit is not None or self.gone, FORK_SECONDS
            )
        if pending.pid is None:
            ours.close()
            if pending.exit is not None:
                log.warning("A worker can't be started now, trying again: %s.", pending.exit.output)
                raise NotBegun
            self.end()  # it does not even fork: another one has to
            raise ForkServerGone
        return WorkerHandle(self, number, pending, Wire(ours, most_bytes=self._most_bytes))

    def kill(self, number: int) -> None:
        """End a worker and all that the worker started; nothing happens if that worker has ended."""
        with contextlib.suppress(ForkServerGone):
            self._command(KILL, number, [])

    def _command(self, what: bytes, number: int, descriptors: list[int]) -> None:
        try:
            with self._lock:
                socket.send_fds(self._control, [COMMAND.pack(what, number)], descriptors)
        except OSError as error:
            raise ForkServerGone from error

    def end(self) -> None:
        """End the fork server, and by that its workers."""
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)


class WorkerHandle:
    """One worker process as its slot sees it."""

    def __init__(self, process: ForkServerProcess, number: int, pending: PendingWorker, wire: Wire) -> None:
        self.wire = wire
        self._jobs = 0
        self._baseline = 0
        self._process = process
        self._number = number
        self._pending = pending

    @property
    def pid(self) -> int:
        """Return the process id of the worker."""
        return self._pending.pid or 0

    @property
    def alive(self) -> bool:
        """Say whether the worker is not known to have ended."""
        return self._pending.exit is None and not self._process.gone

    def good_after(self, failure: Failure | None, resident_bytes: int) -> bool:
        """Say whether the worker is as good as new after a run that ended so and left it with so much memory."""
        self._jobs += 1
        if self._jobs == 1:
            self._baseline = resident_bytes
        grown = resident_bytes - self._baseline > MOST_GROWTH
        return failure not in UNFIT and not grown and self._jobs < MOST_JOBS

    def kill(self) -> None:
        """End the worker at once."""
        self._process.kill(self._number)

    def exit(self) -> Exit:
        """Return how the worker ended. To be called when its socket was closed.

        Raises:
            ForkServerGone: it ended because the fork server or its machine did; `NotBegun` where it never ran what it was given.
        """
        pending = self._pending
        with pending.changed:
            pending.changed.wait_for(lambda: pending.exit is not None or self._process.gone, EXIT_SECONDS)
        if pending.exit is not None:
            if pending.exit.lost:
                raise (ForkServerGone if pending.exit.begun else NotBegun)(pending.exit.lost)
            return pending.exit
        if self._process.gone:
            raise ForkServerGone
        self.kill()  # it closed its socket and goes on: it is no worker any more
        return Exit(-signal.SIGKILL, 0, "")


HERE = (sys.executable, "-m", "qumulus.execution.fork_server")
"""The command of a fork server that forks its workers on this machine."""


class WorkerPool:
    """Keeps a fork server alive: where one ends, another is started, at once or, if it does not live, after a growing pause."""

    def __init__(
        self,
        entry: str,
        *,
        devices: Sequence[str] = (),
        method: Method = "fork",
        on_ready: Callable[[], None] = lambda: None,
        most_bytes: int = 1 << 30,
        command: Sequence[str] = HERE,
        secrets: Sequence[str] = SECRETS,
    ) -> None:
        """``on_ready`` is called whenever a fork server has become warm, or says that it has other places; ``most_bytes`` is what a
        worker may say at once; ``command`` starts a fork server, which does not see variables that begin as ``secrets`` do.
        """
        self._most_bytes = most_bytes
        self._secrets = secrets
        self._arguments = (entry, method, json.dumps(list(devices)), str(most_bytes))
        self._command = command
        self._failing = False
        self._on_ready = [on_ready]
        self._process: ForkServerProcess | None = None
        self._numbers = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="qumulus-worker-pool", daemon=True)

    def start(self) -> None:
        """Start the fork server, if nobody has; `ready` tells when it is warm."""
        with self._lock:
            if self._thread.ident is None:
                self._thread.start()

    def join(self, on_ready: Callable[[], None]) -> None:
        """Call ``on_ready`` as well from now on, and at once where a fork server is warm."""
        self._on_ready.append(on_ready)
        if self.ready:
            on_ready()

    def leave(self, on_ready: Callable[[], None]) -> None:
        """Call it no more, if it was."""
        self._on_ready = [each for each in self._on_ready if each != on_ready]

    def _tell(self) -> None:
        for on_ready in list(self._on_ready):
            on_ready()

    @property
    def ready(self) -> bool:
        """Say whether workers can be forked now."""
        process = self._process
        return process is not None and process.ready and not process.gone

    @property
    def places(self) -> int | None:
        """Return how many workers the fork server can have at work now; None where that is for us to say."""
        process = self._process
        return process.places if process is not None and not process.gone else None

    @property
    def ahead(self) -> int:
        """Return how many jobs more than it has places the fork server wants, so that each place has its next one at once."""
        process = self._process
        return process.ahead if process is not None and not process.gone else 0

    @property
    def failing(self) -> bool:
        """Say whether the last fork server ended before it was warm."""
        return self._failing and not self.ready

    @property
    def pid(self) -> int | None:
        """Return the process id of the fork server."""
        process = self._process
        return process.process.pid if process is not None and not process.gone else None

    def renew(self) -> None:
        """End the fork server, and by that its workers; another one takes its place."""
        process = self._process
        if process is not None:
            process.end()

    def start_worker(self) -> WorkerHandle:
        """Return a new worker.

        Raises:
            ForkServerGone: there is no fork server now.
        """
        process = self._process
        if process is None or not process.ready or process.gone:
            raise ForkServerGone
        with self._lock:
            self._numbers += 1
            number = self._numbers
        return process.start_worker(number)

    def stop(self) -> None:
        """End the fork server and all workers."""
        self._stopping.set()
        self.renew()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        """Keep a fork server alive. The kernel ends it when this thread ends, which lives as long as the worker pool."""
        pause = 0.0
        while not self._stopping.wait(pause):
            begun = time.monotonic()
            try:
                process = ForkServerProcess(self._command, self._arguments, self._most_bytes, self._secrets)
            except OSError as error:  # no process or no file more is allowed, say: later it may be
                self._failing = True
                pause = longer(pause)
                log.error("The fork server can't be started, trying again in %.1f s: %s.", pause, error.strerror)
                continue
            self._process = process
            if self._stopping.is_set():
                process.end()
            process.listen(self._tell)
            if self._stopping.is_set():
                return
            status = process.process.returncode
            lived = time.monotonic() - begun
            self._failing = not process.ready
            pause = 0.0 if process.ready and lived > SOUND_SECONDS else longer(pause)
            log.warning(
                "The fork server ended (status %s): another one is started%s.",
                status,
                f" in {pause:.1f} s" if pause else "",
            )


def longer(pause: float) -> float:
    """Return the next pause, in seconds, where one was not long enough."""
    return min(MOST_PAUSE_SECONDS, 2 * pause + 0.1)
