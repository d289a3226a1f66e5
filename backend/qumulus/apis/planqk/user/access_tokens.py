"""Personal access tokens: make, list, remove."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated

from fastapi import Depends

from qumulus.apis.dependencies import Accounts, Clock, Leading
from qumulus.apis.given import given
from qumulus.apis.planqk.callers import SCHEME, PersonalCaller
from qumulus.core import accounts as core
from qumulus.core.errors import NotFound
from qumulus.openapi.contract import Operations

from .schemas import token as wire
from .translate import access_tokens as translate

SECRET_BYTES = 32
DEFAULT = "default"  # the name of the token that is made anew

operation = Operations()


def _own(caller: PersonalCaller, accounts: Accounts) -> tuple[core.Token, ...]:
    """The personal access tokens of the caller, the oldest first."""
    return tuple(token for token in accounts.used_tokens(caller.account) if token.scheme == SCHEME)


OwnTokens = Annotated[tuple[core.Token, ...], Depends(_own)]


@operation("authorizePersonalAccessToken")
def authorize_personal_access_token(caller: PersonalCaller, tokens: OwnTokens) -> wire.Principal:
    sent = next((token for token in tokens if token.id == caller.token), None)
    return translate.principal(caller.account, sent)


@operation("getPersonalAccessTokens")
def get_personal_access_tokens(tokens: OwnTokens) -> wire.AccessTokens:
    return wire.AccessTokens(access_tokens=[translate.token(token) for token in tokens])


@operation("createPersonalAccessToken")
def create_personal_access_token(
    body: wire.NewToken, caller: PersonalCaller, accounts: Accounts, clock: Clock, leading: Leading
) -> wire.AccessToken:
    until = translate.end(given(body.expires_at), clock.now())
    token, value = _make(body.name, until, caller, accounts)
    return translate.made(token, leading + value)


@operation("regenerateDefaultPersonalAccessToken")
def regenerate_default_personal_access_token(
    caller: PersonalCaller, accounts: Accounts, leading: Leading
) -> wire.DefaultToken:
    _token, value = _make(DEFAULT, None, caller, accounts, anew=True)
    return wire.DefaultToken(default_token=leading + value)


@operation("deletePersonalAccessToken")
def delete_personal_access_token(id: wire.Id, tokens: OwnTokens, accounts: Accounts) -> None:
    if all(token.id != id for token in tokens):
        raise NotFound("There is no personal access token with that id: list the tokens to see the ids.")
    accounts.revoke_token(id)


def _make(
    name: str, until: datetime | None, caller: core.Caller, accounts: Accounts, *, anew: bool = False
) -> tuple[core.Token, str]:
    """A token of the caller, and its value, which is not kept."""
    value = secrets.token_urlsafe(SECRET_BYTES)
    return accounts.add_token(caller.account, SCHEME, value, expires_at=until, name=name, anew=anew), value
