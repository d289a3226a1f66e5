"""`Idempotency-Key`: a client that did not hear the answer sends its request again, and gets the same job.

The key belongs to the account and the API; what is in the second request does not matter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from qumulus.core.errors import InvalidRequest
from qumulus.core.jobs import NewJob

HEADER = "idempotency-key"
MOST_CHARACTERS = 200


def _key(request: Request) -> str | None:
    """The key that a request brings.

    Raises:
        InvalidRequest: it is too long.
    """
    key = request.headers.get(HEADER)
    if key and len(key) > MOST_CHARACTERS:
        raise InvalidRequest(f"An Idempotency-Key has at most {MOST_CHARACTERS} characters: send a shorter one.")
    return key


IdempotencyKey = Annotated[str | None, Depends(_key)]


def keyed(new: NewJob, key: str | None) -> NewJob:
    """Return the job, which is the earlier one of its account and API if that was submitted under the same key."""
    return replace(new, idempotency_key=f"{new.api} {key}") if key else new
