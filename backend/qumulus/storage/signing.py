"""The secret of a state folder, which its addresses and grants are signed with."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

FILE = "presigning.key"
SECRET_BYTES = 32


def secret_in(home: Path) -> bytes:
    """The secret of a state folder, drawn when it is first asked for; its owner alone may read the file."""
    path = home / FILE
    if path.exists() and path.stat().st_size < SECRET_BYTES:  # everybody can sign with nothing
        path.unlink(missing_ok=True)
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.touch(mode=0o600)
        with unfinished.open("wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())  # a name without content would outlive the power
        try:
            os.link(unfinished, path)  # another process may have been faster: its secret stands
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()
    return path.read_bytes()
