"""One id for all that follows from one request: its lines in the log, the job that it made, and every run of that job."""

from __future__ import annotations

import secrets
from contextvars import ContextVar

TRACE: ContextVar[str | None] = ContextVar("qumulus-trace", default=None)
"""The id of what is worked on here; None where it follows from no request."""


def new_trace() -> str:
    """Return an id that nothing else has: 32 hexadecimal digits."""
    return secrets.token_hex(16)
