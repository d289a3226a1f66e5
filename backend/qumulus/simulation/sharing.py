"""The parts of a job, shared between processes: a job of many pubs uses the cores that no other job uses when it begins.

A worker forks helpers of itself, which have all that it has read and prepared, and deals parts to them, one at a time. Parts draw
from seeds of their own, so that the results are the same however they were dealt. Helpers belong to the worker's process group, and
are killed with it; one that dies, or whose part fails, costs time only: the worker runs that part itself, and fails as it would have.

A process with several threads is not forked: what the other threads hold would be held for ever. (But for the one that sends lines of
the log: helpers do not use what it holds.) Nothing is shared then, nor where the rest of a job takes too little time to be worth
the forks.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import struct
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from qumulus.core.results import LOG_THREAD, Log, Progress, Severity

from .meter import Meter, meter, metered
from .progress import Progress as Following
from .progress import followed, progress

PUBS, ITEMS, SETS, BASES = "pubs", "items", "sets of values", "bases"

_WORTH = 1.0  # seconds that the rest is expected to take
_FRAME = struct.Struct("!cQ")
_INDEX = struct.Struct("!I")
_NEED, _GO, _LINE, _PART, _FAILED = b"n", b"g", b"l", b"p", b"f"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What the run of one part gives: members that JSON can say, and arrays."""

    members: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


Work = Callable[[int], Part]


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many processes one run may use, and how much memory all of them."""

    processes: int = 1
    memory_bytes: int = sys.maxsize


_allowance: ContextVar[Allowance] = ContextVar("allowance")


@contextmanager
def allowed(processes: int, memory_bytes: int) -> Generator[None]:
    """Let what runs inside use so many processes."""
    token = _allowance.set(Allowance(processes, memory_bytes))
    try:
        yield
    finally:
        _allowance.reset(token)


def parts(count: int, work: Work, of: str = PUBS) -> Iterator[Part]:
    """Yield what ``work`` gives for each part, in order. What it raises for one of them is raised when its turn comes.

    ``of`` says what the parts are, for the log.
    """
    begun, done = perf_counter(), 0
    found: dict[int, Part] = {}
    while done < count:
        if not found and done and _worth(count - done, (perf_counter() - begun) / done):
            found = Helpers(work, range(done, count), of).run()
        yield found.pop(done) if done in found else work(done)
        done += 1


def _worth(left: int, seconds_each: float) -> bool:
    """Say whether to share what is left."""
    wanted = min(_allowance.get(Allowance()).processes, left) > 1 and left * seconds_each >= _WORTH
    return wanted and sys.platform.startswith("linux") and _is_alone()


def _is_alone() -> bool:
    """Say whether this process has one thread, besides what sends lines of the log."""
    senders = sum(thread.name == LOG_THREAD for thread in threading.enumerate())
    return len(os.listdir("/proc/self/task")) == 1 + senders


class Helpers:
    """Some processes that run parts, as the process sees them that has forked them."""

    def __init__(self, work: Work, indices: Sequence[int], of: str) -> None:
        self._work = work
        self._of = of
        self._left = list(reversed(indices))
        self._allowance = _allowance.get(Allowance())
        self._found: dict[int, Part] = {}
        self._at: dict[socket.socket, int] = {}  # the part that each works at
        self._needs: dict[socket.socket, int] = {}
        self._waiting: list[tuple[socket.socket, int]] = []  # for memory
        self._pids: list[int] = []

    def run(self) -> dict[int, Part]:
        """Return what the helpers have found; parts that failed are missing."""
        count = min(self._allowance.processes, len(self._left))
        progress().works(f"{count} processes share {len(self._left)} {self._of}", at_once=True)
        with selectors.DefaultSelector() as ready:
            for _ in range(count):
                connection = self._forked()
                ready.register(connection, selectors.EVENT_READ)
                self._deal(connection)
            while self._at:
                for key, _ in ready.select():
                    if not self._hear(key.fileobj):  # ty: ignore[invalid-argument-type]
                        ready.unregister(key.fileobj)
                        self._gone(key.fileobj)  # ty: ignore[invalid-argument-type]
                self._grant()
            for key in list(ready.get_map().values()):
                key.fileobj.close()  # ty: ignore[missing-attribute]
        for pid in self._pids:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
        return self._found

    def _forked(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if not pid:
            for connection in (ours, *self._at):
                connection.close()
            _help(theirs, self._work)
        theirs.close()
        self._pids.append(pid)
        return ours

    def _deal(self, connection: socket.socket) -> None:
        """Give a helper its next part; without one it ends."""
        self._needs.pop(connection, None)
        self._at.pop(connection, None)
        if self._left:
            self._at[connection] = self._left.pop()
            with suppress(OSError):  # it is gone: that is heard, too
                connection.sendall(_INDEX.pack(self._at[connection]))

    def _gone(self, connection: socket.socket) -> None:
        self._at.pop(connection, None)
        self._needs.pop(connection, None)
        self._waiting = [each for each in self._waiting if each[0] is not connection]
        connection.close()

    def _hear(self, connection: socket.socket) -> bool:
        """Do what follows from what a helper says; False when it is gone."""
        try:
            said, content = _received(connection)
        except (OSError, EOFError):
            return False
        if said == _NEED:
            self._waiting.append((connection, int.from_bytes(content)))
        elif said == _LINE:
            text, severity = json.loads(content)
            meter().log(text, Severity(severity))
        else:
            if said == _PART:
                self._keep(self._at[connection], content)
            else:
                self._left.clear()  # what comes behind it would be for nothing
            self._deal(connection)
        return True

    def _keep(self, index: int, content: bytes) -> None:
        part, simulated = _unpacked(content)
        self._found[index] = part
        meter().helped(simulated)
        following = progress()
        following.pub += self._of in (PUBS, ITEMS)
        following.works(f"{len(self._at)} processes at work, {len(self._left)} {self._of} wait")

    def _grant(self) -> None:
        """Let helpers go on for whose methods there is memory; one does in any case, so that they don't wait for each other."""
        waiting, self._waiting = self._waiting, []
        for connection, needed in waiting:
            others = sum(need for each, need in self._needs.items() if each is not connection)
            idle = len(waiting) == len(self._at) and len(self._waiting) == len(waiting) - 1
            if others + needed <= self._allowance.memory_bytes or idle:
                self._needs[connection] = needed
                meter().admit(others + needed)
                with suppress(OSError):
                    connection.sendall(_GO)
            else:
                self._waiting.append((connection, needed))


def _help(connection: socket.socket, work: Work) -> NoReturn:
    """Be a helper until the other end is gone."""
    try:
        own = Meter(admit=_Ask(connection), log=_say(connection))
        with metered(own), followed(Following()), allowed(1, sys.maxsize):
            while index := connection.recv(_INDEX.size, socket.MSG_WAITALL):
                before = own.simulated
                try:
                    content = _packed(work(*_INDEX.unpack(index)), own.simulated - before)
                except Exception:  # who asked runs the part itself, and meets the same
                    _send(connection, _FAILED)
                else:
                    _send(connection, _PART, content)
    finally:
        os._exit(0)


@dataclass(frozen=True, slots=True)
class _Ask:
    """Asks for memory, and waits until it is there."""

    connection: socket.socket

    def __call__(self, needed: int) -> None:
        _send(self.connection, _NEED, max(0, needed).to_bytes(8))
        self.connection.recv(1)


def _say(connection: socket.socket) -> Log:
    def log(text: str, severity: Severity = Severity.INFO, _progress: Progress | None = None, /) -> None:
        _send(connection, _LINE, json.dumps([str(text), Severity(severity).value]).encode())

    return log


def _send(connection: socket.socket, what: bytes, content: bytes = b"") -> None:
    connection.sendall(_FRAME.pack(what, len(content)) + content)


def _received(connection: socket.socket) -> tuple[bytes, bytes]:
    what, length = _FRAME.unpack(_exactly(connection, _FRAME.size))
    return what, _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes:
    buffer = bytearray(length)
    view = memoryview(buffer)
    while view:
        count = connection.recv_into(view)
        if count == 0:
            raise EOFError
        view = view[count:]
    return bytes(buffer)


def _packed(part: Part, simulated: float) -> bytes:
    arrays = {name: np.asarray(each, order="C") for name, each in part.arrays.items()}
    shapes = [[name, each.dtype.str, each.shape] for name, each in arrays.items()]
    header = json.dumps([part.members, shapes, simulated], default=np.generic.item).encode()
    return b"".join([_INDEX.pack(len(header)), header, *(each.tobytes() for each in arrays.values())])


def _unpacked(content: bytes) -> tuple[Part, float]:
    (length,) = _INDEX.unpack_from(content)
    at = _INDEX.size + length
    members, shapes, simulated = json.loads(content[_INDEX.size : at])
    arrays: dict[str, NDArray[Any]] = {}
    for name, kind, shape in shapes:
        count = int(np.prod(shape, dtype=int))
        arrays[name] = np.frombuffer(content, np.dtype(kind), count, at).reshape(shape).copy()
        at += arrays[name].nbytes
    return Part(members, arrays), simulated
