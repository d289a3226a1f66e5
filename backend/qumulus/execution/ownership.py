"""Who runs the jobs of a state folder: the one process that holds a lock on a file in it.

The kernel lets go of the lock when the process ends, however it ends. Whoever gets it knows that no other dispatcher lives,
and that the workers of the last one have ended with it. A database that several machines share has no such file: there
everybody may run jobs, and a lease that is over tells that its dispatcher is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO


class SharedOwnership:
    """No lock: as many dispatchers as there are processes."""

    held = True

    def acquire(self) -> bool:
        """Nobody has to wait."""
        return True

    def holder(self) -> int | None:
        """Nobody alone."""
        return None

    def release(self) -> None:
        """There is nothing to let go of."""


class Ownership:
    """The lock of a state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "dispatcher"
        self._file: IO[bytes] | None = None

    @property
    def held(self) -> bool:
        """Say whether this process owns the folder."""
        return self._file is not None

    def acquire(self) -> bool:
        """Take the folder, if nobody has it.

        Raises:
            OSError: the folder can't be written now.
        """
        if self._file is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        with contextlib.suppress(OSError):  # it is for people: on a full disk they do without
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), str(os.getpid()).encode())
        return True

    def holder(self) -> int | None:
        """Return the process id of the owner, for people."""
        try:
            return int(self._path.read_bytes())
        except (OSError, ValueError):
            return None

    def release(self) -> None:
        """Let go of the folder."""
        if self._file is not None:
            self._file.close()
            self._file = None
