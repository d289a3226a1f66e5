"""Access keys of applications, and the tokens that they are exchanged for: made of an id and the server's secret, so that none is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from qumulus.core.errors import NotAuthenticated

BEGINS = "application-"  # how such tokens begin, so that no other is taken for one
ALGORITHM = "HS256"
PURPOSE = b"planqk access key of "
SECONDS = 3600
UNKNOWN = (
    "This access key, or the token that was made for it, is unknown or has expired: ask for a new token with the key."
)


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """The access keys of a server."""

    secret: Callable[[], bytes]

    def of(self, application: str) -> str:
        """The secret access key of an application; its id is the access key id."""
        digest = hmac.new(self.secret(), PURPOSE + application.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def fits(self, application: str, secret: str) -> bool:
        """Whether that is the secret access key of the application."""
        return hmac.compare_digest(self.of(application).encode(), secret.encode())

    def token(self, application: str, now: datetime) -> str:
        """A token for an application."""
        claims = {"application": application, "exp": now + timedelta(seconds=SECONDS)}
        return self._signed(claims)

    def program(self, application: str, execution: str) -> str:
        """The token for the program of an execution that an application has started: good as long as that is there."""
        claims = {"application": application, "execution": execution}
        return self._signed(claims)

    def application(self, token: str, now: datetime, execution: str | None = None) -> str | None:
        """The application that a token is for; None where it is a token of another kind.

        ``execution`` is the execution whose program says that it sends it.

        Raises:
            NotAuthenticated: it was not made here, or has expired.
        """
        if not token.startswith(BEGINS):
            return None
        import jwt

        try:
            claims = jwt.decode(
                token.removeprefix(BEGINS),
                self._signing(),
                algorithms=[ALGORITHM],
                options={"verify_exp": False, "require": ["application"]},
            )
        except jwt.InvalidTokenError:
            raise NotAuthenticated(UNKNOWN) from None
        if claims.get("execution") != execution or (execution is None and now.timestamp() >= claims["exp"]):
            raise NotAuthenticated(UNKNOWN)
        return claims["application"]

    def _signed(self, claims: Mapping[str, Any]) -> str:
        import jwt  # takes a tenth of a second, and 8 MiB: not at the start of the server

        return BEGINS + jwt.encode(dict(claims), self._signing(), algorithm=ALGORITHM)

    def _signing(self) -> bytes:
        return hashlib.sha256(PURPOSE + self.secret()).digest()
