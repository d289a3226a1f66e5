"""Credentials of the core and personal access tokens."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from pydantic import MISSING

from qumulus.apis.given import said
from qumulus.apis.planqk.user.schemas import token as wire
from qumulus.core.accounts import Token
from qumulus.core.errors import InvalidRequest

UNNAMED = "The server's own"  # what the tokens are called that it was started with, or that its administrator made


def end(day: date | None, now: datetime) -> datetime | None:
    """When a token stops letting in that lets in until the end of a day.

    Raises:
        InvalidRequest: the day is over.
    """
    if day is None or day == date.max:
        return None
    until = datetime.combine(day + timedelta(days=1), time(), UTC)
    if until <= now:
        raise InvalidRequest(f"expiresAt is {day.isoformat()}, which is over: name today or a later day.")
    return until


def token(known: Token, value: str | None = None) -> wire.AccessToken:
    """A token as it is told of; ``value`` is told when it is made."""
    last = None if known.expires_at is None else (known.expires_at - timedelta(microseconds=1)).astimezone(UTC)
    return wire.AccessToken(
        id=known.id,
        name=known.name or UNNAMED,
        created_at=_moment(known.created_at),
        expires_at=said(None if last is None else last.date().isoformat()),
        used_at=said(None if known.used_at is None else _moment(known.used_at)),
        value=said(value),
    )


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def made(known: Token, value: str) -> wire.AccessToken:
    """A token that was just made, with its value."""
    return token(known, value)


def principal(account: str, sent: Token | None) -> wire.Principal:
    """Whose token it is; one that the server lets in without knowing it is not described."""
    return wire.Principal(id=account, access_token=MISSING if sent is None else token(sent))
