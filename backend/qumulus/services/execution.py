"""One execution of a user's program: its folders, its process, its log and its outcome."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from qumulus.core.results import Failure, LogLine, Outcome, Severity

from .folders import Folders
from .images import Image
from .log import Lines, Ordered, ProgramLog
from .outcome import Ended, failed, outcome
from .outputs import Published, publish
from .printed import PrintedResult
from .relay import Relay, inside, origin_in
from .resources import Resources
from .sandbox import CHILD, Sandbox

CHUNK = 1 << 16
PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
MOST_PATIENCE = 0.3  # seconds until fresh lines of the log are told at the latest
LAST_SECONDS = 3.0  # after the killing, for what stands in the pipes
NO_OFFLINE = (
    "This machine can't take the network away from a program (no namespaces), so it was not run. "
    "Start the server with --services-network open if it may have the network."
)
NO_ROOT = "This machine has no namespaces, in which a container would have its root, so it was not run."


@dataclass(frozen=True, slots=True, kw_only=True)
class Executable:
    """What is to run: a deployed service's folder with the interpreter of its environment."""

    folder: Path
    entrypoint: str = "src.program:run"
    python: Path  # the interpreter
    prefixes: tuple[Path, ...]  # folders that the interpreter and its packages stand in
    strict: bool = False  # hand over to the vendor's own runtime package
    script: bool = False  # the input is the program itself, in a zip file; the folder has modules for it
    image: Image | None = None  # runs in place of a Python program
    resources: Resources = field(default_factory=Resources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The same for another machine, which unpacks it and installs its packages."""

    version: str
    content: Callable[[], bytes] = field(repr=False)  # the files, as `archive.zipped` has made them
    entrypoint: str
    requirements: tuple[str, ...]
    strict: bool
    resources: Resources


@dataclass(frozen=True, slots=True)
class Pool:
    """A data pool as a program sees it."""

    folder: Path
    writable: bool = False
    own: bool = False  # it comes with the service


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What a request brought along."""

    body: bytes  # a JSON object: one member a parameter
    parts: Mapping[str, bytes] = field(default_factory=dict)  # single parameters, as JSON
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # by the name of the variable
    pools: Mapping[str, Pool] = field(default_factory=dict)  # by parameter
    environment: Mapping[str, str] = field(default_factory=dict)


class Execution:
    """One run. `run` blocks until the end, `stop` may be called from another thread."""

    def __init__(
        self,
        job_id: str,
        program: Executable,
        given: Input,
        *,
        place: Path,
        sandbox: Sandbox,
        now: Callable[[], datetime],
        tell: Callable[[Sequence[LogLine]], None],
        network: bool = True,
        own_apis: bool = False,
        hidden: Path | None = None,
    ) -> None:
        """``own_apis``: without a ``network``, the program reaches the APIs of the cloud that its variables name all the same.

        ``place`` is the folder of this execution alone, made and removed here; ``tell`` takes lines of the log; ``hidden`` is
        a folder of which the program sees but its own, also where it stands in one that all programs see."""
        self._id = job_id
        self._program = program
        self._given = given
        self._folders = Folders(place, sandbox.user(job_id), layered=program.image is not None)
        self._sandbox = sandbox
        self._network = network
        origin = origin_in(given.environment) if own_apis and not network and sandbox.private_root else None
        self._variables = given.environment if origin is None else inside(given.environment, origin)
        self._relay = None if origin is None else Relay(origin)
        self._hidden = hidden
        self._now = now
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None
        self._ended_by: str | None = None
        self._kill_at: float | None = None
        self._report = b""
        self._group: Path | None = None
        self._printed = None if program.image is None else PrintedResult(program.resources.output_bytes)

    def run(self) -> tuple[Outcome, Sequence[LogLine]]:
        """Run to the end; the outcome, and the lines of the log that were not told yet. It begins at once.

        The thread that calls this must live as long as the run: the child dies with it.

        Raises:
            OSError: the child could not be started.
        """
        if not self._sandbox.private_root and (why := self._lacking()):
            return failed(Failure.REFUSED, "No sandbox", why), ()
        resources = self._program.resources
        copied = {} if self._sandbox.private_root else self._given.pools
        program_log = ProgramLog(self._now, resources, self._given.secrets.values(), self._tell)
        try:
            self._folders.make(copied)
            self._folders.open_up(self._given.pools)
            if self._sandbox.groups is not None:
                self._group = self._sandbox.groups.make(self._id, resources)
            started = time.monotonic()
            self._drive(program_log, started + resources.seconds)
            ended = self._ended(time.monotonic() - started)
            self._folders.give_back(copied)
            published = Published() if ended.by == "disk" else publish(self._folders.output, resources)
            self._add_printed(published)
            for complaint in published.complaints:
                program_log.add(complaint, Severity.WARNING)
            return outcome(ended, published, resources), program_log.buffer.take()
        finally:
            if self._relay is not None:
                self._relay.close()
            if self._sandbox.groups is not None and self._group is not None:
                self._sandbox.groups.remove(self._group)
            self._folders.clear()

    def _lacking(self) -> str | None:
        """Why it can't run without a root of its own."""
        if self._program.image is not None:
            return NO_ROOT
        return None if self._network else NO_OFFLINE

    def _add_printed(self, published: Published) -> None:
        """Take what a container has printed as its result, where it has written none."""
        if self._printed is None or "output.json" in published.files:
            return
        result, complaint = self._printed.read()
        if result is not None:
            published.files["output.json"] = result
        if complaint is not None:
            published.complaints.append(complaint)

    def stop(self, why: str = "request") -> None:
        """End it: SIGTERM now, SIGKILL of everything after the grace. ``why`` is "request" or "server"."""
        self._end(why)

    @property
    def ended_by(self) -> str | None:
        """Return who or what ended the run from outside; None as long as nothing did."""
        return self._ended_by

    # -- the process ---------------------------------------------------------------------------------------------------

    def _drive(self, program_log: ProgramLog, deadline: float) -> None:
        """Feed the child, read what the child prints, and hold it to its time."""
        reading, writing = os.pipe()
        try:
            process = self._start(writing)
        except BaseException:  # whatever it is: nobody will read
            os.close(reading)
            raise
        finally:
            os.close(writing)
        line_bytes = self._program.resources.line_bytes
        hear = None if self._printed is None else self._printed.hear
        output = Lines(program_log, Severity.INFO, line_bytes, hear)
        error, others = (Lines(program_log, Severity.ERROR, line_bytes) for _ in range(2))
        streams = [(process.stdout, Ordered(output, error)), (process.stderr, others)]
        with selectors.DefaultSelector() as selector, os.fdopen(reading, "rb", buffering=0) as report, process:
            for stream, lines in streams:
                selector.register(cast(IO[bytes], stream), selectors.EVENT_READ, lines.feed)
            selector.register(report, selectors.EVENT_READ, self._take_report)
            try:
                self._feed(process)
                while selector.get_map() and self._go_on(process, deadline):
                    for key, _ in selector.select(self._patience(deadline)):
                        chunk = os.read(key.fd, CHUNK)
                        key.data(chunk) if chunk else selector.unregister(key.fileobj)
                    program_log.buffer.flush_if_due()
            finally:  # what went wrong here must not leave it running without its limit of time
                process.kill()
                process.wait()
            for _, lines in streams:
                lines.end()

    def _start(self, report: int) -> subprocess.Popen[bytes]:
        # -I: nothing of the environment or of a user's folder changes the interpreter; -u: lines come as they are printed
        self._process = subprocess.Popen(  # noqa: S603
            [self._program.python, "-I", "-B", "-u", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[report] if self._relay is None else [report, self._relay.descriptor],
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        self._report_fd = report
        self._relay_order = None
        if self._relay is not None:
            self._relay_order = (self._relay.descriptor, self._relay.port)
            self._relay.serve()
        if self._ended_by:
            self._process.terminate()
        return self._process

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """Send the order and the input; the launcher reads all of it before it does anything else."""
        parts = {"": self._given.body, **self._given.parts}
        with contextlib.suppress(BrokenPipeError), cast(IO[bytes], process.stdin) as order:
            order.write(json.dumps(self._order(parts)).encode() + b"\n")
            for part in parts.values():
                order.write(part)

    def _take_report(self, chunk: bytes) -> None:
        self._report += chunk

    def _patience(self, deadline: float) -> float:
        until = deadline if self._kill_at is None else self._kill_at
        return min(MOST_PATIENCE, max(0.01, until - time.monotonic()))

    def _go_on(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """Hold the run to its time; False when nothing more is to be waited for."""
        now = time.monotonic()
        if self._kill_at is None:
            if now > deadline:
                self._end("time")
            return True
        if now > self._kill_at:
            process.kill()  # its keeper dies with it, and all the rest with the keeper
        return now < self._kill_at + LAST_SECONDS

    def _end(self, why: str) -> None:
        if self._ended_by is None:
            self._ended_by = why
            self._kill_at = time.monotonic() + self._program.resources.grace_seconds + 0.5
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.send_signal(signal.SIGTERM)

    def _ended(self, seconds: float) -> Ended:
        told: dict[str, Any] = json.loads(self._report) if self._report else {"status": None, "ended_by": None}
        by = self._ended_by or told["ended_by"]
        return Ended(status=told["status"], by=by, seconds=seconds, usage=told.get("usage", {}))

    # -- the order -----------------------------------------------------------------------------------------------------

    def _order(self, parts: Mapping[str, bytes]) -> Mapping[str, Any]:
        seen = self._folders.seen(self._sandbox, self._given.pools)
        program = self._program
        return {
            "parent": os.getpid(),
            "report": self._report_fd,
            "parts": {name: len(part) for name, part in parts.items()},
            "isolation": {"namespaces": self._sandbox.namespaces, "landlock": self._sandbox.landlock},
            "filtered": self._sandbox.filtered,
            "group": None if self._group is None else str(self._group),
            "network": self._network,
            "relay": self._relay_order,
            "user": self._sandbox.user(self._id),
            "grace_seconds": program.resources.grace_seconds,
            "limits": program.resources.for_child(),
            "watched": [str(folder) for folder in self._folders.written],
            "grown": [str(self._folders.pools)]
            + [str(pool.folder) for pool in self._given.pools.values() if pool.writable],
            "places": {
                "stage": str(self._folders.stage),
                "read": [str(path) for path in (program.folder, *program.prefixes, CHILD)],
                "image": None if program.image is None else str(program.image.root),
                "changes": None if self._folders.changes is None else str(self._folders.changes),
                "show": seen.show,
                "write": seen.write,
                "hide": None if self._hidden is None else str(self._hidden),
            },
            "environment": self._environment(seen.variables),
            "program": {
                "workspace": str(program.folder) if program.image is None else program.image.workdir,
                "command": None if program.image is None else list(program.image.command),
                "entrypoint": program.entrypoint,
                "strict": program.strict,
                "script": program.script,
            },
        }

    def _environment(self, folders: Mapping[str, str]) -> Mapping[str, str]:
        """Return the program's whole environment: nothing of the server's comes along."""
        cores, image = str(self._program.resources.cores), self._program.image
        own = {
            "PATH": os.pathsep.join([str(self._program.python.parent), *PATH]),
            "ENTRYPOINT": self._program.entrypoint,
            "WORKSPACE": str(self._program.folder),
        }
        return {
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": cores,
            "OPENBLAS_NUM_THREADS": cores,
            "LOG_LEVEL": "INFO",
            "SERVICE_EXECUTION_ID": self._id,
            **folders,
            **(own if image is None else {"PATH": os.pathsep.join(PATH), **image.environment}),
            **self._variables,
            **self._given.secrets,
        }
