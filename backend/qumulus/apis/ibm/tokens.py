"""Bearer tokens: JSON Web Tokens for API keys, and who sends a request.

A token names the credential that it was issued for and is signed with a key made from what the server keeps of that
credential. So every server process of one cloud knows every token, and none outlives its credential.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from qumulus.core.accounts import Caller, Token
from qumulus.core.errors import NotAuthenticated
from qumulus.core.ports import Accounts, Clock

SCHEME = "ibm"
UNTIL = "cloud_exp"  # the claim that says when it ends by the clock of the cloud
LIFETIME = timedelta(hours=1)
_ALGORITHM = "HS256"
_OPEN = hashlib.sha256(b"any credential is let in").digest()  # signs where no credential is kept: under --auth open


@dataclass(frozen=True, slots=True)
class Bearer:
    """An issued token."""

    token: str
    issued_at: datetime
    expires_at: datetime


def issue(api_key: str, accounts: Accounts, clock: Clock, leading: str = "") -> Bearer:
    """A bearer token for an API key, which says whose key has signed it: ``leading`` to a namespace, where it is one's.

    Raises:
        NotAuthenticated: the key is unknown, revoked or expired.
    """
    import jwt  # takes a tenth of a second: not at the start of the server

    caller = accounts.authenticate(SCHEME, api_key)
    issued = clock.wall().replace(microsecond=0)  # a client renews it by its own clock
    expires = issued + LIFETIME
    bearer_times = {"iat": int(issued.timestamp()), "exp": int(expires.timestamp())}
    until = int((clock.now() + LIFETIME).timestamp())
    claims = {"iss": "qumulus", "sub": caller.account, "account": {"bss": caller.account}, **bearer_times, UNTIL: until}
    if caller.token is not None:
        claims["credential"] = caller.token
    signing = _key(accounts, clock, caller.account, caller.token)
    encoded = jwt.encode(claims, signing, _ALGORITHM, {"kid": leading} if leading else None)
    return Bearer(encoded, issued, expires)


def authenticate(authorization: str, accounts: Accounts, clock: Clock) -> Caller:
    """Who sends a header `Authorization`: with a token of ours, or with an API key as it is.

    Raises:
        NotAuthenticated
    """
    kind, _, credential = authorization.partition(" ")
    credential = credential.strip()
    if kind.lower() not in {"bearer", "apikey"} or not credential:
        raise NotAuthenticated("Send a token in the header Authorization, as 'Bearer TOKEN'.")
    return _of_token(credential, accounts, clock) or accounts.authenticate(SCHEME, credential)


def _of_token(credential: str, accounts: Accounts, clock: Clock) -> Caller | None:
    """The caller behind one of our tokens; None for anything else."""
    if credential.count(".") != 2:
        return None
    import jwt

    try:
        claims = jwt.decode(credential, options={"verify_signature": False})
        account, token = str(claims["sub"]), claims.get("credential")
        key = _key(accounts, clock, account, token)
        jwt.decode(credential, key, [_ALGORITHM], options={"verify_exp": False, "verify_iat": False})
        expired = _expired(claims, clock)
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        return None
    if token is None:  # everybody knows what such a token is signed with: it says nothing of whose it is
        account = accounts.authenticate(SCHEME, credential).account
    if expired:
        raise NotAuthenticated("The bearer token has expired: get a new one for your API key.")
    return Caller(account=account, token=token)


def _expired(claims: Mapping[str, Any], clock: Clock) -> bool:
    """Whether its time is over: by the clock of the machine, unless the clock of the cloud is set to end bearer tokens as well."""
    if clock.setting.bearers:
        return float(claims[UNTIL]) <= clock.now().timestamp()
    return float(claims["exp"]) <= clock.wall().timestamp()


def _key(accounts: Accounts, clock: Clock, account: str, token_id: str | None) -> bytes:
    """What tokens of a credential are signed with.

    Raises:
        KeyError: the credential is gone, or has expired.
    """
    if token_id is None:
        return _OPEN
    now = clock.now()
    kept: dict[str, Token] = {
        token.id: token for token in accounts.tokens(account) if token.expires_at is None or now < token.expires_at
    }
    return hmac.digest(kept[token_id].digest, b"ibm bearer token", "sha256")
