"""The worker: runs one program after another that come over its socket, until the socket is closed or it is killed.

It is the only kind of process that decodes what people send. Whatever happens to it happens to one job.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import fields
from types import ModuleType
from typing import Any

from qumulus.core.clock import SystemClock
from qumulus.core.programs import Program
from qumulus.core.results import LOG_THREAD, Failure, Outcome, Progress, Severity

from . import process
from .messages import outcome_members, outcome_parts, to_program
from .wire import BrokenWire, Frame, Message, Wire, packed

GiB = 1 << 30
UNASKED_BYTES = 64 << 20  # that a run may use without asking
_PROGRESS = tuple(each.name for each in fields(Progress))
HELD_SECONDS = 0.02  # that a line of the log waits for what is said next: each frame wakes the other end


def load(entry: str) -> tuple[ModuleType, str]:
    """Return the module of an entry such as `qumulus.simulation.worker:run`, and the function's name.

    Raises:
        ImportError, AttributeError: there is no such function.
    """
    module_name, _, function = entry.partition(":")
    module = importlib.import_module(module_name)
    getattr(module, function)
    return module, function


class Worker:
    """Serves one socket."""

    def __init__(self, connection: socket.socket, module: ModuleType, function: str) -> None:
        self._wire = Wire(connection)
        self._run = getattr(module, function)
        self._granted = 0
        self._held: list[Frame] = []  # lines of the log
        self._some_held = threading.Event()
        self._sending = threading.Lock()
        self._sender = threading.Thread(target=self._send_held, name=LOG_THREAD, daemon=True)

    def serve(self) -> None:
        """Run programs until the other end is gone."""
        with contextlib.suppress(RuntimeError):  # no thread more may be started: each line is sent by itself
            self._sender.start()
        with contextlib.suppress(BrokenWire):
            while (message := self._wire.receive()) is not None:
                if message.say == "run":
                    self._one(message)

    def _one(self, message: Message) -> None:
        self._say("begun")
        program = to_program(message)
        begun = time.perf_counter()
        process.forget_peak()
        process.limit(program.limits)
        self._granted = UNASKED_BYTES
        try:
            outcome = self._run(program, self._log, self._admit)
        except MemoryError:
            outcome = Outcome(failure=Failure.MEMORY, reason=_memory(program))
        except Exception as error:  # a mistake of ours fails this job, not the worker
            self._log(traceback.format_exc(), Severity.DEBUG)
            outcome = Outcome(failure=Failure.INTERNAL, reason=_internal(error))
        size = sum(map(len, outcome_parts(outcome)))
        if size > program.limits.result_bytes:
            outcome = Outcome(failure=Failure.REFUSED, reason=_too_large(size, program))
        spent = time.perf_counter() - begun
        self._say(
            "outcome",
            outcome_parts(outcome),
            **outcome_members(outcome),
            seconds=spent,
            peak_bytes=process.highest_bytes(),
            resident_bytes=process.resident_bytes(),
        )

    def _admit(self, needed: int) -> None:
        """Say how much memory the run needs from now on, and wait until it is there."""
        if needed > self._granted:
            self._say("need", bytes=needed)
            self._wire.receive()
            self._granted = needed

    def _log(self, text: str, severity: Severity = Severity.INFO, progress: Progress | None = None, /) -> None:
        so_far = None if progress is None else {name: getattr(progress, name) for name in _PROGRESS}
        now = SystemClock().wall().timestamp()
        members = {"time": now, "text": str(text), "severity": Severity(severity).value, "progress": so_far}
        frame = packed(Message("log", members))
        with self._sending:  # while what is held is sent, nothing is added to it
            self._held.append(frame)
        if self._sender.ident is None:
            self._send()
        self._some_held.set()

    def _say(self, say: str, parts: Sequence[bytes] = (), **members: Any) -> None:
        """Say something, after all lines that are held."""
        self._send(packed(Message(say, members, parts)))

    def _send(self, *frames: Frame) -> None:
        with self._sending:
            held, self._held = self._held, []
            if held or frames:
                self._wire.send_frame(*held, *frames)

    def _send_held(self) -> None:
        """Send the lines that nothing follows for a while, again and again."""
        with contextlib.suppress(BrokenWire):
            while self._some_held.wait():
                time.sleep(HELD_SECONDS)
                self._some_held.clear()
                self._send()


def _memory(program: Program) -> str:
    return f"It needed more than {program.limits.memory_bytes / GiB:.3g} GiB of memory, which is what one job may use."


def _too_large(size: int, program: Program) -> str:
    return f"Its result has {size:,} bytes, and one job may leave {program.limits.result_bytes:,}: ask for less."


def _internal(error: Exception) -> str:
    return f"Running it failed because of an error of ours ({type(error).__name__}): the job's log and the server's have the details."


def main() -> None:
    """Run a worker that was spawned, not forked: `python -m qumulus.execution.worker ENTRY DESCRIPTOR FORK_SERVER`."""
    entry, descriptor, parent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    process.end_with_parent(parent)
    if not process.LINUX:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    module, function = load(entry)
    become(socket.socket(fileno=descriptor), module, function)


def become(connection: socket.socket, module: ModuleType, function: str) -> None:
    """Be a worker until the end of this process."""
    process.go_first()
    gc.enable()
    Worker(connection, module, function).serve()
    os._exit(0)


def _watch(parent: int) -> None:
    """Where the kernel does not end us with our parent, look."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    main()
