"""Start one program, watch it, end it with everything that it started.

Three processes: the launcher (this one, outside), the keeper (the first process of the execution's namespaces: when it
ends, the kernel ends all others), and the program. The order comes on the standard input: a line of JSON, then the
request's input as raw bytes. The report, a line of JSON, goes to a file descriptor that the program does not get.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from . import cgroup, kernel, limits, relay, tree
from .disk import Disk
from .isolation import Isolation, leave_files, leave_processes, restrict_calls, restrict_files, strongest
from .memory import Memory
from .root import Places

Runner = Callable[[Mapping[str, Any], Mapping[str, bytes]], int]

TICK = 0.05  # seconds between two looks at the memory in use
DISK_TICKS = 2  # as many looks until the next one at the disk


def main(arguments: Sequence[str]) -> int:
    """Run the order, or say what this machine can isolate."""
    if arguments[:1] == ["--probe"]:
        print(strongest(int(arguments[1]) if arguments[1:] else None))  # noqa: T201
        return 0
    if arguments[:1] == ["--describe"]:
        return _describe(*arguments[1:])
    order = json.loads(sys.stdin.buffer.readline())
    parts = {name: sys.stdin.buffer.read(size) for name, size in order["parts"].items()}
    kernel.die_with_parent(order["parent"])
    if kernel.LINUX:
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    report = Launch(order, parts).run()
    os.write(order["report"], json.dumps(report).encode())
    return 0


def _describe(workspace: str, entrypoint: str, report: str) -> int:
    """Write what the signature says to the file descriptor ``report``; what the program prints stays apart from it."""
    from .program import MissingProgram, WrongInput, describe

    try:
        told = describe(workspace, entrypoint)
    except (MissingProgram, WrongInput) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    with os.fdopen(int(report), "w") as written:
        json.dump(told, written)
    return 0


class Launch:
    """One execution from its start to its end."""

    def __init__(self, order: dict[str, Any], parts: dict[str, bytes]) -> None:
        self.order = order
        self.parts = parts
        self.isolation = Isolation(**order["isolation"])
        self.places = Places(**order["places"])
        self.limits = order["limits"]
        self.group: str | None = order["group"]
        self.memory = (
            None
            if self.group
            else Memory(private_root=self.isolation.private_root, own_network=not self.order["network"])
        )
        self.hidden = tree.Hidden()
        self.looks = 0
        self.disk = Disk(order["watched"], order["grown"], self.limits)

    def run(self) -> dict[str, Any]:
        """Start the program and wait for its end.

        Returns:
            status: as waitpid tells it, or None when it is unknown; ended_by: the limit that ended it, or None; usage: what
            all its processes have used.
        """
        wake, woken = os.pipe()
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda *_: None)
        outcome, told = os.pipe()
        self._devnull()
        leave_processes(self.isolation, network=self.order["network"])
        if self.order["relay"] is not None:
            relay.offer(*self.order["relay"])
        launcher = os.getpid()
        keeper = os.fork()
        if keeper == 0:
            signal.set_wakeup_fd(-1)
            for inherited in (wake, woken, outcome, self.order["report"]):
                os.close(inherited)
            self._keep(launcher, told)
        os.close(told)
        ended_by = self._watch(keeper, wake, outcome)
        status = os.read(outcome, 32)
        cgroup.end(self.group)
        tree.end(launcher)
        if ended_by is None and cgroup.over_memory(self.group):
            ended_by = "memory"
        return {"status": int(status) if status else None, "ended_by": ended_by, "usage": _usage()}

    def _devnull(self) -> None:
        """Close the standard input: what is left of the input is nobody's."""
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)

    # -- the launcher: outside -----------------------------------------------------------------------------------------

    def _watch(self, keeper: int, wake: int, outcome: int) -> str | None:
        """Until the program has ended, by itself, by a limit, or because it was told to."""
        ended_by = None
        kill_at = None
        while True:
            ready, _, _ = select.select([wake, outcome], [], [], TICK)
            if outcome in ready:
                return ended_by
            if wake in ready and signal.SIGTERM in os.read(wake, 64) and kill_at is None:
                ended_by, kill_at = "request", self._terminate(keeper)
            if kill_at is None and (limit := self._over_limit(keeper)):
                ended_by, kill_at = limit, 0.0
            if kill_at is not None and time.monotonic() >= kill_at:
                os.kill(keeper, signal.SIGKILL)
                tree.end(os.getpid())
                return ended_by

    def _terminate(self, keeper: int) -> float:
        """Ask the program to end; return the time at which it is killed."""
        os.kill(keeper, signal.SIGTERM)
        return time.monotonic() + self.order["grace_seconds"]

    def _over_limit(self, keeper: int) -> str | None:
        most, pids = int(self.limits["memory_bytes"]), tree.descendants(keeper)
        if self.order["user"] is None and self.hidden.has_one_of(pids):
            return "hidden"
        if self.memory is not None and self.memory.used(pids, most) > most:
            return "memory"
        self.looks += 1
        if self.looks % DISK_TICKS:
            return None
        return "disk" if self.disk.over(pids) else None

    # -- the keeper: inside, the parent of all ---------------------------------------------------------------------------

    def _keep(self, launcher: int, told: int) -> NoReturn:
        try:
            kernel.die_with_parent(launcher)
            if kernel.LINUX:
                kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
            cgroup.enter(self.group)
            run = _runner(self.order["program"])
            limits.go_first()  # here, since nothing can be written in the /proc that the program sees
            leave_files(self.isolation, self.places, int(self.limits["memory_bytes"]))
            keeper = os.getpid()
            program = os.fork()
            if program == 0:
                os.close(told)
                self._become_program(keeper, run)
            signal.signal(signal.SIGTERM, lambda *_: _forward(program))
            status = _reap_until(program)
            os.write(told, str(status).encode())
        finally:
            os._exit(0)

    # -- the program: inside, without any right ----------------------------------------------------------------------------

    def _become_program(self, keeper: int, run: Runner) -> NoReturn:
        status = 1
        try:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            limits.become(self.order["user"])
            kernel.die_with_parent(keeper)
            others = not self.isolation.private_root and self.order["user"] is None
            limits.apply(self.limits, count_others=others, address_space=self.group is None)
            restrict_files(self.isolation, self.places)
            if self.order["filtered"]:
                restrict_calls(self.isolation, grouped=self.group is not None)
            os.environ.clear()
            os.environ.update(self.order["environment"])
            status = run(self.order["program"], self.parts)
        except SystemExit as leaving:
            status = leaving.code if isinstance(leaving.code, int) else bool(leaving.code)
        except BaseException:  # the user's code may raise anything: the run ends with its traceback
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
            os._exit(status & 0xFF)


def _usage() -> dict[str, float]:
    """Return what those have used that have ended: seconds of processors, and bytes of memory of the largest process."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1024 if kernel.LINUX else 1
    return {"cpu_seconds": round(used.ru_utime + used.ru_stime, 6), "memory_bytes": used.ru_maxrss * unit}


def _runner(program: Mapping[str, Any]) -> Runner:
    """Return what runs the program, imported while our files can still be seen."""
    if program["command"]:
        from .container import become

        return become
    from .program import execute

    return execute


def _forward(program: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program, signal.SIGTERM)


def _reap_until(program: int) -> int:
    """Wait for ``program`` and for every orphan meanwhile; return how the program ended."""
    while True:
        pid, status = os.wait()
        if pid == program:
            return status
