"""Credentials of the emulated APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Accounts, Leading
from qumulus.apis.family import Credential
from qumulus.apis.given import given
from qumulus.core.accounts import DEFAULT_ACCOUNT
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas.tokens import CreatedToken, NewToken, TokenId, Tokens
from .translate import tokens as translate

operation = Operations()


def _credentials(request: Request) -> Mapping[str, Credential]:
    """The kinds of credentials that there are, by scheme."""
    return request.app.state.credentials


Credentials = Annotated[Mapping[str, Credential], Depends(_credentials)]


@operation("listTokens")
def list_tokens(administrator: Administrator, accounts: Accounts) -> Tokens:
    """All credentials, by account."""
    known = [token for account in accounts.accounts() for token in accounts.used_tokens(account.id)]
    return Tokens(tokens=[translate.token(token) for token in known])


@operation("createToken")
def create_token(
    body: NewToken, administrator: Administrator, accounts: Accounts, credentials: Credentials, leading: Leading
) -> CreatedToken:
    """A credential of an account."""
    secret = given(body.secret) or credentials[body.api].new()
    token = accounts.add_token(
        given(body.account, DEFAULT_ACCOUNT), body.api, secret, expires_at=given(body.expires_at)
    )
    return translate.created_token(token, leading + secret)


@operation("revokeToken")
def revoke_token(token_id: TokenId, administrator: Administrator, accounts: Accounts) -> None:
    """Let it in no more."""
    accounts.revoke_token(token_id)
