"""Temporary folders of running clouds. One whose owners were all killed is removed when the next one is made.

Standard library only, as `ephemeral` is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "qumulus-"
OWNER = "owner"  # a file in the folder that its owners hold a lock on, which ends with the last of them


class TemporaryFolder:
    """A folder that nobody else can open, until it is removed."""

    def __init__(self, above: Path | None = None) -> None:
        """``above`` is the folder to make it in; the machine's own for such folders if not said."""
        above = above or Path(tempfile.gettempdir())
        _sweep(above)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=above))
        unfinished = self.path / f"{OWNER}.unfinished"  # nobody may find it before it is locked
        self.lock = os.open(unfinished, os.O_RDWR | os.O_CREAT, 0o600)
        """To be passed on to the processes that own the folder as well."""
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        unfinished.rename(self.path / OWNER)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


def _sweep(above: Path) -> None:
    """Remove our folders that nobody owns any more."""
    for owner in above.glob(f"{PREFIX}*/{OWNER}"):
        with contextlib.suppress(OSError):  # somebody else's, owned, or removed meanwhile
            if owner.parent.lstat().st_uid != os.geteuid() or owner.parent.is_symlink():
                continue
            lock = os.open(owner, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(owner.parent, ignore_errors=True)
            finally:
                os.close(lock)
