"""An environment of its own for each set of requirements, made once and kept by its hash."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import base
from .installing import Progress, install, install_at_once, uv
from .making import done
from .requirements import Wanted, wanted


class Environments:
    """The interpreters of services. Without requirements it is the server's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ready(self, requirements: Sequence[str]) -> bool:
        """Say whether the environment is there already."""
        return not requirements or (self._place(requirements) / ".ready").is_file()

    def python(self, requirements: Sequence[str]) -> Path:
        """Return the interpreter of the environment, which has to be ready."""
        return self._place(requirements) / "bin" / "python" if requirements else Path(sys.executable)

    def prefixes(self, requirements: Sequence[str]) -> tuple[Path, ...]:
        """Return the folders that the interpreter and its packages stand in."""
        own = self._place(requirements) if requirements else Path(sys.prefix)
        return tuple(dict.fromkeys((own, Path(sys.base_prefix), Path(sys.base_exec_prefix))))

    def make(self, requirements: Sequence[str], service: Path | None = None, progress: Progress | None = None) -> None:
        """Make the environment, if it is not there. Another process that makes the same one is waited for.

        ``service`` is the folder of the service, of which parts may be asked for. ``progress`` hears how far it is; the
        requirements are then names and versions alone.

        Raises:
            NotInstalled
        """
        if self.ready(requirements):
            return
        place = self._place(requirements)
        with self._alone(place) as lock:
            if self.ready(requirements):
                return
            shutil.rmtree(place, ignore_errors=True)
            asked = wanted(requirements)
            quick = uv() is not None and not asked.local  # pip alone looks for folders where the service has them
            bare = ["--without-pip"] if quick else []  # that takes seconds to be there
            self._run([sys.executable, "-m", "venv", *bare, str(place)], lock)
            self._install(asked, place, service, lock, progress)
            base.complete(next((place / "lib").glob("python*/site-packages")))
            (place / ".ready").touch()

    def _install(self, asked: Wanted, place: Path, service: Path | None, lock: int, progress: Progress | None) -> None:
        listed, constraints = place / "requirements.txt", place / "constraints.txt"
        listed.write_text("\n".join(asked.lines) + "\n")
        constraints.write_text("\n".join(asked.constraints) + "\n")
        if progress is not None:
            install(place, listed, constraints, lambda command: self._run(command, lock, place), progress)
            return
        folder = place
        if (
            asked.local and service is not None
        ):  # a copy, since building changes it; editable packages go on to stand there
            folder = place / "service"
            shutil.copytree(service, folder, symlinks=True)
        install_at_once(place, listed, constraints, lambda command: self._run(command, lock, folder))

    def _place(self, requirements: Sequence[str]) -> Path:
        told = "\n".join([sys.version, sys.base_prefix, *requirements])
        return self._folder / hashlib.sha256(told.encode()).hexdigest()[:20]

    @contextmanager
    def _alone(self, place: Path) -> Generator[int]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with place.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock.fileno()

    def _run(self, command: Sequence[str], lock: int, folder: Path | None = None) -> None:
        done(
            command,
            late="The packages were not installed",
            failed="The packages could not be installed",
            cwd=folder,
            pass_fds=[lock],  # an installer that outlives us keeps others away
        )
