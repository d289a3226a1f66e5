"""The second factor: codes that an authenticator shows (RFC 6238), six digits every thirty seconds."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

DIGITS = 6
STEP_SECONDS = 30
AROUND = (0, -1, 1)  # steps: clocks differ


def code(secret: bytes, step: int) -> str:
    """Return the code of one step of time (RFC 4226)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def accepted(said: str, secret: str | None, now: datetime) -> bool:
    """Say whether a code is right now; any six digits are where there is no ``secret`` (base32)."""
    if not (said.isascii() and said.isdigit() and len(said) == DIGITS):
        return False
    if secret is None:
        return True
    key = decoded(secret)
    step = int(now.timestamp()) // STEP_SECONDS
    return any(hmac.compare_digest(said, code(key, step + around)) for around in AROUND)


def decoded(secret: str) -> bytes:
    """Return the bytes of a secret in base32, as authenticators take it.

    Raises:
        ValueError: it is none.
    """
    text = secret.replace(" ", "").upper()
    return base64.b32decode(text + "=" * (-len(text) % 8))
