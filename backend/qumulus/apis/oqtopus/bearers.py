"""Bearer tokens of a login: JSON web tokens that this server signs, and of which it keeps none."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from qumulus.core.errors import NotAuthenticated
from qumulus.core.ports import Clock

ALGORITHM = "HS256"
ISSUER = "qumulus"
IDENTITY, ACCESS, REFRESH = "id", "access", "refresh"
GOOD_FOR = {IDENTITY: timedelta(hours=1), ACCESS: timedelta(hours=1), REFRESH: timedelta(days=30)}
"""How long a token is good, by what it is used for."""


@dataclass(frozen=True, slots=True)
class Bearers:
    """Issues tokens and reads them."""

    secret: bytes
    clock: Clock

    def issue(self, account: str, use: str, **claims: Any) -> str:
        """Return a token of ``account`` for that use; ``claims`` are for who reads it."""
        import jwt  # takes a tenth of a second: not at the start of the server

        issued = int(self.clock.wall().timestamp())  # a page renews a token by the clock of its own machine
        expires = issued + int(GOOD_FOR[use].total_seconds())
        told = {"iss": ISSUER, "sub": account, "token_use": use, "iat": issued, "exp": expires}
        return jwt.encode(claims | told, self._key(), ALGORITHM)

    def account(self, token: str, use: str) -> str | None:
        """Return whose token that is; None where it is none of ours for that use.

        Raises:
            NotAuthenticated: it was one, and has expired.
        """
        if token.count(".") != 2:
            return None
        import jwt

        try:
            claims = jwt.decode(  # its times are compared below, and there is one audience
                token,
                self._key(),
                [ALGORITHM],
                options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
            )
            account, expires = str(claims["sub"]), float(claims["exp"])
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
            return None
        if claims.get("token_use") != use:
            return None
        if expires <= self.clock.wall().timestamp():
            raise NotAuthenticated("The bearer token has expired: log in again, or renew it.")
        return account

    def _key(self) -> bytes:
        """Return a key for these tokens alone: other things are signed with the same secret."""
        return hmac.digest(self.secret, b"login", hashlib.sha256)
