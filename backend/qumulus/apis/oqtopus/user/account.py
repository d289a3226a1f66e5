"""The caller: token, user and settings."""

from __future__ import annotations

import secrets
from datetime import timedelta

from qumulus.apis.dependencies import Accounts, Clock, Leading
from qumulus.apis.given import said
from qumulus.apis.oqtopus.programs import SCHEME
from qumulus.core.accounts import Caller as CoreCaller
from qumulus.core.accounts import Token
from qumulus.core.errors import NotAllowed, NotFound
from qumulus.core.ports import Accounts as AccountsPort
from qumulus.openapi.contract import Operations

from .callers import Caller
from .schemas.setting import GetSettingsResponse, UserField
from .schemas.token import ApiToken, ApiTokenStatus
from .schemas.user import UpdateUserRequest, User

operation = Operations()

GOOD_FOR = timedelta(days=90)
SETTINGS = GetSettingsResponse(
    editable_fields=[],
    allow_deletion=False,
    visible_fields=[UserField.ID, UserField.NAME, UserField.EMAIL, UserField.ORGANIZATION],
    login_history_enabled=False,
)


@operation("createApiToken")
def create_api_token(caller: Caller, accounts: Accounts, clock: Clock, leading: Leading) -> ApiToken:
    name, secret, expires_at = secrets.token_hex(8), secrets.token_urlsafe(32), clock.now() + GOOD_FOR
    accounts.add_token(caller.account, SCHEME, f"{name}.{secret}", expires_at=expires_at)
    return ApiToken(api_token_id=leading + name, api_token_secret=secret, api_token_expiration=expires_at)


@operation("deleteApiToken")
def delete_api_token(caller: Caller, accounts: Accounts) -> None:
    accounts.revoke_token(_token(caller, accounts).id)


@operation("getApiTokenStatus")
def get_api_token_status(caller: Caller, accounts: Accounts) -> ApiTokenStatus:
    expires_at = _token(caller, accounts).expires_at
    return ApiTokenStatus() if expires_at is None else ApiTokenStatus(api_token_expiration=expires_at)


@operation("getCurrentUser")
def get_current_user(caller: Caller, accounts: Accounts) -> User:
    return _user(caller, accounts)


@operation("updateCurrentUser")
def update_current_user(body: UpdateUserRequest, caller: Caller, accounts: Accounts) -> User:
    if body.model_fields_set:
        raise NotAllowed("Accounts cannot be changed here: see GET /system/settings for what can.")
    return _user(caller, accounts)


@operation("deleteCurrentUser")
def delete_current_user(caller: Caller) -> None:
    raise NotAllowed("Accounts cannot be deleted here: see GET /system/settings for what can be done.")


@operation("getCurrentSettings")
def get_current_settings(caller: Caller) -> GetSettingsResponse:
    return SETTINGS


def _token(caller: CoreCaller, accounts: AccountsPort) -> Token:
    """The token that the request was sent with; after a login, the newest that was made.

    Raises:
        NotFound: there is none that is kept.
    """
    kept = accounts.tokens(caller.account)
    if caller.token is None:
        kept = tuple(each for each in kept if each.scheme == SCHEME and not each.built_in)[-1:]
    for token in kept:
        if caller.token in (None, token.id):
            return token
    raise NotFound("No token is kept that this could be about: create one to have its status.")


def _user(caller: CoreCaller, accounts: AccountsPort) -> User:
    account = accounts.account(caller.account)
    return User(id=account.id, name=account.name, email=said(account.email), organization=said(account.organization))
