"""The secrets of executions on their way from the process that accepts them to the one that runs them.

In one process they stay in its memory. Where there are several, they pass through the database sealed, under a key that only those
processes have: when the last of them has ended, nobody can read what is left.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from qumulus.core.ports import SealedStore

LONG = timedelta(days=1)  # after which nobody comes for them any more


class ExecutionSecrets:
    """Secrets by execution."""

    def __init__(self, store: SealedStore, key: bytes | None) -> None:
        """``key``: what those who share ``store`` have in common; None where there is only this process."""
        self._store = store
        self._key = key
        self._here: dict[str, Mapping[str, str]] = {}

    def keep(self, job_id: str, secrets: Mapping[str, str]) -> None:
        """Keep secrets until `forget`."""
        if self._key is None:
            self._here[job_id] = secrets
        else:
            self._store.keep(job_id, self._seal().encrypt(json.dumps(dict(secrets)).encode()))

    def get(self, job_id: str) -> Mapping[str, str]:
        """Return the secrets of an execution; none where they are not known, or were sealed by processes that have all ended."""
        if self._key is None:
            return self._here.get(job_id, {})
        from cryptography.fernet import InvalidToken

        sealed = self._store.get(job_id)
        try:
            return {} if sealed is None else json.loads(self._seal().decrypt(sealed))
        except InvalidToken:
            return {}

    def forget(self, job_id: str) -> None:
        """Forget the secrets of an execution that has ended."""
        self.drop(job_id)
        if self._key is not None:
            self._store.forget(job_id)

    def drop(self, job_id: str) -> None:
        """Forget what stands in memory; what is sealed stays for `forget`, or is swept."""
        self._here.pop(job_id, None)

    def sweep(self) -> None:
        """Remove what nobody came for."""
        self._store.sweep(LONG)

    def _seal(self) -> Any:
        from cryptography.fernet import Fernet

        return Fernet(base64.urlsafe_b64encode(hashlib.sha256(self._key or b"").digest()))
