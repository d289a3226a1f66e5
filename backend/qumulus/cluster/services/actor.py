"""One execution on a node: an actor that runs the sandboxed child of `services.execution`, as one machine does.

What a node keeps stands in one folder of whoever runs Ray there, by default below the folder of temporary files:

packages/<version>/      the files of services, unpacked once
environments/<hash>/     the packages of services that ask for some
runs/                    what runs now
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from qumulus.core.clock import SystemClock
from qumulus.core.results import LogLine, Outcome
from qumulus.execution.wire import Frame, packed, unpacked
from qumulus.services import archive
from qumulus.services.environments import Environments
from qumulus.services.execution import Executable, Execution, Input, Pool
from qumulus.services.folders import remove
from qumulus.services.installing import NotInstalled
from qumulus.services.pool_mounts import Changes, Copy
from qumulus.services.registry import own_pools
from qumulus.services.sandbox import Sandbox, probe

from . import orders

FOLDER = "QUMULUS_NODE_FOLDER"
UNUSED_SECONDS = 7 * 86_400.0  # after which the files of a service are removed
FRESH_SECONDS = 60.0  # for which a run is left alone whose actor may be about to hold it


class Unsafe(Exception):
    """This node would not keep a program from what is not its own."""


class ServiceActor:
    """The class of the actor. Its methods are called from several threads at once: `run` from one of them, once."""

    _folder: Path
    _sandbox: Sandbox
    _environments: Environments

    def __init__(self) -> None:
        self._execution: Execution | None = None
        self._stopped: str | None = None
        self._lines: list[LogLine] = []
        self._lock = threading.Lock()

    def enter(self) -> bool:
        """Say whether this node can keep a program from other files.

        Raises:
            Unsafe: its folder is somebody else's.
        """
        self._folder = folder()
        self._environments = Environments(self._folder / "environments")
        self._sandbox = probe()
        _clear(self._folder / "runs")
        return self._sandbox.holds

    def has(self, version: str) -> bool:
        """Say whether the files of that version are here; they are kept while an execution uses them."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._folder / "packages" / version)
            return True
        return False

    def take(self, version: str, package: bytes) -> None:
        """Unpack a version, and remove those that were not used for long."""
        packages = self._folder / "packages"
        for old in packages.glob("*"):
            with contextlib.suppress(OSError):  # another actor removes it too
                if _age(old) > UNUSED_SECONDS:
                    remove(old)
        aside = packages / f".{version}-{secrets.token_hex(4)}"
        try:
            aside.mkdir(parents=True)
            archive.unpack(archive.unzipped(package), aside)
            with contextlib.suppress(OSError):  # another actor unpacked the same
                aside.rename(packages / version)
        finally:
            remove(aside)

    def install(self, requirements: Sequence[str], version: str) -> str | None:
        """Install packages where they are missing; return why that failed."""
        try:
            self._environments.make(requirements, self._folder / "packages" / version)
        except NotInstalled as error:
            return str(error)
        return None

    def run(self, hidden: bytes, header: bytes, *parts: bytes) -> list[Frame]:
        """Run to the end: the frames that `heard` has not given yet, the last of which is the outcome. ``hidden`` are secrets.

        Raises:
            Unsafe: nothing would keep the program from other files, and the order does not allow that.
            OSError: the program could not be started.
        """
        order = orders.ordered(unpacked((header, hidden, *parts)))
        if not self._sandbox.holds and not order.unsandboxed:
            raise Unsafe("This node can't keep a program from other files.")
        with _held(self._folder / "runs") as place:
            copies = {name: Copy(place / "pools" / name, files.items()) for name, files in order.pools.items()}
            outcome, rest = self._execute(order, place / "run", copies)
            changes = {name: Changes(copies[name].removed(), dict(copies[name].written())) for name in order.writable}
        self._tell(rest)
        return [*self.heard(), packed(orders.ended(outcome, changes))]

    def _execute(
        self, order: orders.Order, place: Path, copies: Mapping[str, Copy]
    ) -> tuple[Outcome, Sequence[LogLine]]:
        package = self._folder / "packages" / order.version
        program = Executable(
            folder=package,
            entrypoint=order.entrypoint,
            python=self._environments.python(order.requirements),
            prefixes=self._environments.prefixes(order.requirements),
            strict=order.strict,
            resources=order.resources,
        )
        brought = {name: Pool(copy.folder, name in order.writable) for name, copy in copies.items()}
        execution_input = Input(
            body=order.body,
            parts=order.parameters,
            secrets=order.secrets,
            pools={**own_pools(package), **brought},
            environment=order.environment,
        )
        execution = Execution(
            order.job_id,
            program,
            execution_input,
            place=place,
            sandbox=self._sandbox,
            now=SystemClock().wall,
            tell=self._tell,
            network=order.network,
        )
        with self._lock:
            self._execution, stopped = execution, self._stopped
        if stopped:
            execution.stop(stopped)
        return execution.run()

    def heard(self) -> list[Frame]:
        """Return the lines of the log since the last question."""
        with self._lock:
            fresh, self._lines = self._lines, []
        return [packed(orders.lines(fresh))] if fresh else []

    def stop(self, why: str) -> None:
        """End the run. See `Execution.stop`."""
        with self._lock:
            self._stopped = why
            execution = self._execution
        if execution is not None:
            execution.stop(why)

    def _tell(self, lines: Sequence[LogLine]) -> None:
        with self._lock:
            self._lines += lines


def folder() -> Path:
    """Return the folder of what this node keeps, for whoever runs Ray here and nobody else.

    Raises:
        Unsafe: somebody else could change it.
    """
    place = Path(os.environ.get(FOLDER) or Path(tempfile.gettempdir()) / f"qumulus-node-{os.geteuid()}").absolute()
    with contextlib.suppress(FileExistsError):
        place.mkdir(mode=0o711, parents=True)
    status = place.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise Unsafe(f"{place} is not a folder of our own: name another one with {FOLDER} where Ray is started.")
    return place


@contextlib.contextmanager
def _held(runs: Path) -> Generator[Path]:
    """A folder of one run. It is locked as long as its actor lives: see `_clear`."""
    place = runs / secrets.token_hex(8)
    place.mkdir(parents=True, mode=0o711)
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield place
    finally:
        remove(place)
        os.close(descriptor)


def _clear(runs: Path) -> None:
    """Remove what runs have left whose actor was killed."""
    for place in runs.glob("*"):
        with contextlib.suppress(OSError):  # it is held, or another actor removes it too
            descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _age(place) > FRESH_SECONDS:
                    remove(place)
            finally:
                os.close(descriptor)


def _age(place: Path) -> float:
    return SystemClock().wall().timestamp() - place.stat().st_mtime
