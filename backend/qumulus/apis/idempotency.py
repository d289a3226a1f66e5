"""`Idempotency-Key`: a client that did not hear the answer sends its request again, and gets the same job.

The key belongs to the account and the API; what is in the second request does not matter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from qumulus.core.errors import InvalidRequest
from qumulus.core.jobs import Job, NewJob
from qumulus.core.ports import JobStore

HEADER = "idempotency-key"
MOST_CHARACTERS = 200


def keyed(store: JobStore, key: str) -> JobStore:
    """A store of jobs that submits under the key of one request; all else is the store's.

    Raises:
        InvalidRequest: the key is too long.
    """
    if len(key) > MOST_CHARACTERS:
        raise InvalidRequest(f"An Idempotency-Key has at most {MOST_CHARACTERS} characters: send a shorter one.")
    return cast("JobStore", _Keyed(store, key))


class _Keyed:
    def __init__(self, store: JobStore, key: str) -> None:
        self._store = store
        self._key = key

    def submit(self, new: NewJob) -> Job:
        return self._store.submit(replace(new, idempotency_key=f"{new.api} {self._key}"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
