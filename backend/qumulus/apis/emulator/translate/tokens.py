"""Credentials."""

from __future__ import annotations

from qumulus.apis.emulator.schemas.tokens import CreatedToken, Token, TokenApi
from qumulus.core import accounts


def token(known: accounts.Token) -> Token:
    """A credential, whose secret nobody knows."""
    return Token(
        id=known.id,
        account=known.account,
        api=TokenApi(known.scheme),
        expires_at=known.expires_at,
        used_at=known.used_at,
        built_in=known.built_in,
    )


def created_token(known: accounts.Token, secret: str) -> CreatedToken:
    """A credential with its secret, shown once."""
    return CreatedToken(**dict(token(known)), secret=secret)
