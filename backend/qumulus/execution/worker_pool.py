"""The server's side of the warm parent: keeps one alive, has it fork and kill workers, hears of their ends."""

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

from .reasons import PARENT
from .wire import COMMAND, FORK, KILL, BrokenWire, Message, Wire

log = logging.getLogger("qumulus.execution")

FORK_SECONDS = 30.0
EXIT_SECONDS = 10.0  # between a closed socket and the parent's word on how its worker ended
LAST_SECONDS = 1.0  # between the last word of a parent and its end, if it ends by itself
SOUND_SECONDS = 10.0  # a parent that lived so long was sound: the next one is started at once
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
    """The variables of the parent and its workers: one thread each, and no credential of the server."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(tuple(secrets))}
    return ours | ONE_THREAD


class ParentGone(Exception):
    """The warm parent has ended, and its workers with it; or the worker was lost through no fault of what it ran."""

    def __init__(self, reason: str = PARENT) -> None:
        super().__init__(reason)


class NotBegun(ParentGone):
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
class Birth:
    """What is known of a worker that was asked for."""

    pid: int | None = None
    exit: Exit | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)


class Generation:
    """One warm parent process and the workers it forks."""

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
        self._births: dict[int, Birth] = {}
        self._lock = threading.Lock()
        self.ready = False
        self.places: int | None = None
        self.ahead = 0
        self.gone = False

    def listen(self, on_ready: Callable[[], None]) -> None:
        """Hear the parent until it ends."""
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
            births = list(self._births.values())
        for birth in births:
            with birth.changed:
                birth.changed.notify_all()

    def _hear(self, message: Message) -> None:
        number = message.members["number"]
        with self._lock:
            birth = self._births.get(number)
            if message.say == "exited":
                self._births.pop(number, None)
        if birth is None:
            return
        with birth.changed:
            if message.say == "forked":
                birth.pid = message.members["pid"]
            else:
                members = message.members
                names = ("code", "peak_bytes", "output", "lost", "begun")
                birth.exit = Exit(**{name: members[name] for name in names if name in members})
            birth.changed.notify_all()

    def bear(self, number: int) -> WorkerHandle:
        """A new worker.

        Raises:
            ParentGone: `NotBegun` where the parent is well and can't start another worker now.
        """
        birth = Birth()
        with self._lock:
            self._births[number] = birth
        ours, theirs = socket.socketpair()
        with theirs:
            self._command(FORK, number, [theirs.fileno()])
        with birth.changed:
            birth.changed.wait_for(lambda: birth.pid is not None or birth.exit is not None or self.gone, FORK_SECONDS)
        if birth.pid is None:
            ours.close()
            if birth.exit is not None:
                log.warning("A worker can't be started now, trying again: %s.", birth.exit.output)
                raise NotBegun
            self.end()  # it does not even fork: another one has to
            raise ParentGone
        return WorkerHandle(self, number, birth, Wire(ours, most_bytes=self._most_bytes))

    def kill(self, number: int) -> None:
        """End a worker and all that it started; nothing happens if it has ended."""
        with contextlib.suppress(ParentGone):
            self._command(KILL, number, [])

    def _command(self, what: bytes, number: int, descriptors: list[int]) -> None:
        try:
            with self._lock:
                socket.send_fds(self._control, [COMMAND.pack(what, number)], descriptors)
        except OSError as error:
            raise ParentGone from error

    def end(self) -> None:
        """End the parent, and by that its workers."""
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)


class WorkerHandle:
    """One worker process as its seat sees it."""

    def __init__(self, generation: Generation, number: int, birth: Birth, wire: Wire) -> None:
        self.wire = wire
        self._jobs = 0
        self._baseline = 0
        self._generation = generation
        self._number = number
        self._birth = birth

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._birth.pid or 0

    @property
    def alive(self) -> bool:
        """Whether nothing is known of its end."""
        return self._birth.exit is None and not self._generation.gone

    def good_after(self, failure: Failure | None, resident_bytes: int) -> bool:
        """Whether it is as good as new after a run that ended so and left it with so much memory."""
        self._jobs += 1
        if self._jobs == 1:
            self._baseline = resident_bytes
        grown = resident_bytes - self._baseline > MOST_GROWTH
        return failure not in UNFIT and not grown and self._jobs < MOST_JOBS

    def kill(self) -> None:
        """End it at once."""
        self._generation.kill(self._number)

    def exit(self) -> Exit:
        """How it ended. To be called when its socket was closed.

        Raises:
            ParentGone: it ended because the parent or its machine did; `NotBegun` where it never ran what it was given.
        """
        birth = self._birth
        with birth.changed:
            birth.changed.wait_for(lambda: birth.exit is not None or self._generation.gone, EXIT_SECONDS)
        if birth.exit is not None:
            if birth.exit.lost:
                raise (ParentGone if birth.exit.begun else NotBegun)(birth.exit.lost)
            return birth.exit
        if self._generation.gone:
            raise ParentGone
        self.kill()  # it closed its socket and goes on: it is no worker any more
        return Exit(-signal.SIGKILL, 0, "")


HERE = (sys.executable, "-m", "qumulus.execution.fork_server")
"""The command of a parent that forks its workers on this machine."""


class Nursery:
    """Keeps a warm parent alive: where one ends, another is started, at once or, if it does not live, after a growing pause."""

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
        """``on_ready`` is called whenever a parent has become warm, or says that it has other places; ``most_bytes`` is what a
        worker may say at once; ``command`` starts a parent, which does not see variables that begin as ``secrets`` do.
        """
        self._most_bytes = most_bytes
        self._secrets = secrets
        self._arguments = (entry, method, json.dumps(list(devices)), str(most_bytes))
        self._command = command
        self._failing = False
        self._on_ready = on_ready
        self._generation: Generation | None = None
        self._numbers = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="qumulus-nursery", daemon=True)

    def start(self) -> None:
        """Start the parent; `ready` tells when it is warm."""
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether workers can be forked now."""
        generation = self._generation
        return generation is not None and generation.ready and not generation.gone

    @property
    def places(self) -> int | None:
        """How many workers the parent can have at work now; None where that is for us to say."""
        generation = self._generation
        return generation.places if generation is not None and not generation.gone else None

    @property
    def ahead(self) -> int:
        """How many jobs more than it has places the parent wants, so that each place has its next one at once."""
        generation = self._generation
        return generation.ahead if generation is not None and not generation.gone else 0

    @property
    def failing(self) -> bool:
        """Whether the last parent ended before it was warm."""
        return self._failing and not self.ready

    @property
    def pid(self) -> int | None:
        """The process id of the parent."""
        generation = self._generation
        return generation.process.pid if generation is not None and not generation.gone else None

    def renew(self) -> None:
        """End the parent, and by that its workers; another one takes its place."""
        generation = self._generation
        if generation is not None:
            generation.end()

    def bear(self) -> WorkerHandle:
        """A new worker.

        Raises:
            ParentGone: there is no warm parent now.
        """
        generation = self._generation
        if generation is None or not generation.ready or generation.gone:
            raise ParentGone
        with self._lock:
            self._numbers += 1
            number = self._numbers
        return generation.bear(number)

    def stop(self) -> None:
        """End the parent and all workers."""
        self._stopping.set()
        self.renew()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        """The kernel ends the parent when this thread ends: it lives as long as the nursery."""
        pause = 0.0
        while not self._stopping.wait(pause):
            begun = time.monotonic()
            try:
                generation = Generation(self._command, self._arguments, self._most_bytes, self._secrets)
            except OSError as error:  # no process or no file more is allowed, say: later it may be
                self._failing = True
                pause = longer(pause)
                log.error(
                    "The parent of the workers can't be started, trying again in %.1f s: %s.", pause, error.strerror
                )
                continue
            self._generation = generation
            if self._stopping.is_set():
                generation.end()
            generation.listen(self._on_ready)
            if self._stopping.is_set():
                return
            status = generation.process.returncode
            lived = time.monotonic() - begun
            self._failing = not generation.ready
            pause = 0.0 if generation.ready and lived > SOUND_SECONDS else longer(pause)
            log.warning(
                "The parent of the workers ended (status %s): another one is started%s.",
                status,
                f" in {pause:.1f} s" if pause else "",
            )


def longer(pause: float) -> float:
    """The next pause, in seconds, where one was not long enough."""
    return min(MOST_PAUSE_SECONDS, 2 * pause + 0.1)
