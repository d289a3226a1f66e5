"""Credentials of the emulated APIs."""

from __future__ import annotations

import secrets

from pydantic import MISSING

from qumulus.apis.dependencies import Accounts
from qumulus.core.accounts import DEFAULT_ACCOUNT
from qumulus.openapi.contract import Operations

from . import translate
from .callers import Administrator
from .schemas.tokens import CreatedToken, NewToken, TokenApi, TokenId, Tokens

SECRET_BYTES = 32

operation = Operations()


@operation("listTokens")
def list_tokens(administrator: Administrator, accounts: Accounts) -> Tokens:
    """All credentials, by account."""
    known = [token for account in accounts.accounts() for token in accounts.tokens(account.id)]
    return Tokens(tokens=[translate.token(token) for token in known])


@operation("createToken")
def create_token(body: NewToken, administrator: Administrator, accounts: Accounts) -> CreatedToken:
    """A credential of an account."""
    secret = new_secret(body.api) if body.secret is MISSING else body.secret
    expires_at = None if body.expires_at is MISSING else body.expires_at
    account = DEFAULT_ACCOUNT if body.account is MISSING else body.account
    token = accounts.add_token(account, body.api, secret, expires_at=expires_at)
    return translate.created_token(token, secret)


@operation("revokeToken")
def revoke_token(token_id: TokenId, administrator: Administrator, accounts: Accounts) -> None:
    """Let it in no more."""
    accounts.revoke_token(token_id)


def new_secret(api: TokenApi) -> str:
    """Random; OQTOPUS's have an identifier before the dot."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    return f"{secrets.token_hex(8)}.{secret}" if api is TokenApi.OQTOPUS else secret
