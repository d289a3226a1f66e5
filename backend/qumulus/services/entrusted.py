"""The secrets of executions on their way from the process that accepts them to the one that runs them.

In one process they stay in its memory. Where several share a folder, they pass through it sealed, under a key that only those
processes have: when the last of them has ended, nobody can read what is left.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LONG_SECONDS = 86_400.0  # after which nobody comes for them any more


class Entrusted:
    """Secrets by execution."""

    def __init__(self, folder: Path, key: bytes | None) -> None:
        """``key``: what those who share ``folder`` have in common; None where there is only this process."""
        self._folder = folder
        self._key = key
        self._here: dict[str, Mapping[str, str]] = {}

    def keep(self, job_id: str, secrets: Mapping[str, str]) -> None:
        """Keep them until `forget`."""
        if self._key is None:
            self._here[job_id] = secrets
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / job_id, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(self._seal().encrypt(json.dumps(dict(secrets)).encode()))

    def get(self, job_id: str) -> Mapping[str, str]:
        """Them; nothing where they are not known, or were sealed by processes that have all ended."""
        if self._key is None:
            return self._here.get(job_id, {})
        from cryptography.fernet import InvalidToken

        try:
            return json.loads(self._seal().decrypt((self._folder / job_id).read_bytes()))
        except (FileNotFoundError, InvalidToken):
            return {}

    def forget(self, job_id: str) -> None:
        """The execution has ended."""
        self._here.pop(job_id, None)
        if self._key is not None:
            (self._folder / job_id).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what nobody came for."""
        long_ago = time.time() - LONG_SECONDS
        for path in self._folder.glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < long_ago:
                    path.unlink()

    def _seal(self) -> Any:
        from cryptography.fernet import Fernet

        return Fernet(base64.urlsafe_b64encode(hashlib.sha256(self._key or b"").digest()))
