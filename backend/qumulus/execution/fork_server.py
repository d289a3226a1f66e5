"""The fork server: imports what runs need, freezes it, and forks workers that have it from their first moment.

It never runs, decodes or transpiles anything: threads of a simulation do not survive a fork, and what people send may abort a
process. It does one thing at a time on one thread: fork, kill, and tell of each worker's end. When its server is gone its
socket closes and it ends; the kernel then ends its workers (`process.end_with_parent`).

Commands are five bytes (what, and the number of a worker); FORK brings the worker's socket along. Answers are frames.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass
from types import ModuleType
from typing import IO

from qumulus.core.kinds import KindsDiffer

from . import process
from .wire import COMMAND, FORK, Wire
from .worker import become, load

TAIL_BYTES = 4000  # of what a worker printed before it died


@dataclass(frozen=True, slots=True)
class Child:
    """A worker and the file that holds what it prints."""

    number: int
    output: IO[bytes]


class ForkServer:
    """The loop of the fork server."""

    def __init__(self, control: socket.socket, entry: str, *, spawn: bool) -> None:
        self._control = control
        self._wire = Wire(control)
        self._entry = entry
        self._spawn = spawn
        self._module: ModuleType
        self._function = ""
        self._children: dict[int, Child] = {}  # by process id
        self._pids: dict[int, int] = {}  # by number
        self._bell, self._rung = socket.socketpair()

    def warm(self, devices: tuple[str, ...]) -> None:
        """Import the entry and let its module prepare what all workers share; then freeze it all.

        Raises:
            KindsDiffer: the module, asked by its function ``check``, does not run what jobs ask for.
        """
        self._module, self._function = load(self._entry)
        getattr(self._module, "check", lambda: None)()
        prepare = getattr(self._module, "warm", None)
        if prepare is not None and not self._spawn:
            prepare(devices)
        gc.freeze()
        self._wire.send("ready")

    def serve(self) -> None:
        """Obey until the server is gone."""
        for end in (self._bell, self._rung):
            end.setblocking(False)
        signal.set_wakeup_fd(self._rung.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as ready:
            ready.register(self._control, selectors.EVENT_READ)
            ready.register(self._bell, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is self._control:
                        if not self._obey():
                            return
                    else:
                        with contextlib.suppress(BlockingIOError):
                            self._bell.recv(4096)
                self._reap()

    def _obey(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._control, COMMAND.size, 1)
        if len(data) < COMMAND.size:
            return False
        what, number = COMMAND.unpack(data)
        if what == FORK:
            self._start_worker(number, descriptors[0])
        elif number in self._pids:
            pid = self._pids[number]
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # and what it started
        return True

    def _start_worker(self, number: int, descriptor: int) -> None:
        output = printed()
        try:
            pid = self._start(descriptor, output) if self._spawn else self._fork(descriptor, output)
        except OSError as error:  # no process more is allowed, say: those that run must not suffer
            output.close()
            self._wire.send("exited", number=number, code=-1, peak_bytes=0, output=str(error.strerror))
            return
        finally:
            os.close(descriptor)
        self._children[pid] = Child(number, output)
        self._pids[number] = pid
        self._wire.send("forked", number=number, pid=pid)

    def _fork(self, descriptor: int, output: IO[bytes]) -> int:
        us = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        try:
            process.end_with_parent(us)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for ours in (self._control, self._bell, self._rung):
                ours.close()
            for child in self._children.values():
                child.output.close()
            os.setsid()
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            become(socket.socket(fileno=descriptor), self._module, self._function)
        except BaseException:  # whatever it was, this process ends here
            traceback.print_exc()
        finally:
            os._exit(70)  # a worker never returns into the fork server's loop

    def _start(self, descriptor: int, output: IO[bytes]) -> int:
        command = [sys.executable, "-m", "qumulus.execution.worker", self._entry, str(descriptor), str(os.getpid())]
        started = subprocess.Popen(  # noqa: S603  our own command
            command,
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        started.returncode = 0  # it is reaped below, with its usage
        return started.pid

    def _reap(self) -> None:
        while self._children and (end := ended()) is not None:
            pid, status, usage = end
            child = self._children.pop(pid, None)
            if child is None:
                continue
            del self._pids[child.number]
            with child.output as output:
                output.seek(max(0, output.seek(0, os.SEEK_END) - TAIL_BYTES))
                tail = output.read().decode(errors="replace")
            self._wire.send(
                "exited",
                number=child.number,
                code=os.waitstatus_to_exitcode(status),
                peak_bytes=process.peak_bytes(usage),
                output=tail,
            )


def printed() -> IO[bytes]:
    """Make a file for what a worker prints. Where there is no room for one, what it prints is lost, and nothing else."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return open(os.devnull, "w+b")


def ended() -> tuple[int, int, resource.struct_rusage] | None:
    """Return a child that has ended: its process id, status and usage; None if there is none.

    All that it started is ended with it, where the kernel lets us see the end while the id is still its own.
    """
    if not hasattr(os, "waitid"):  # macOS
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        return (pid, status, usage) if pid else None
    found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None:
        return None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(found.si_pid, signal.SIGKILL)
    return os.wait4(found.si_pid, 0)


def main() -> None:
    """`python -m qumulus.execution.fork_server ENTRY DESCRIPTOR SERVER fork|spawn DEVICES …`."""
    entry, descriptor, server, method, devices = sys.argv[1:6]
    process.end_with_parent(int(server))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # nearly all that is imported stays: to look through it again and again would take a quarter of the start
    fork_server = ForkServer(socket.socket(fileno=int(descriptor)), entry, spawn=method == "spawn")
    try:
        fork_server.warm(tuple(json.loads(devices)))
    except KindsDiffer as error:
        sys.exit(f"The workers do not run what jobs ask for:\n{error}")
    fork_server.serve()


if __name__ == "__main__":
    main()
