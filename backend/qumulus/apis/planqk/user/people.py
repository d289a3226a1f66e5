"""People: who one is, and who else is here."""

from __future__ import annotations

from qumulus.apis.dependencies import Accounts
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.core import accounts as core
from qumulus.core.accounts import AccountStatus
from qumulus.core.errors import UnknownAccount
from qumulus.openapi.contract import Operations

from .schemas import user as wire
from .translate import people as translate

operation = Operations()


@operation("getCurrentUser")
def get_current_user(caller: PersonalCaller, accounts: Accounts) -> wire.User:
    return translate.user(accounts.account(caller.account), accounts.profile(caller.account))


@operation("searchUsers")
def search_users(q: wire.Query, _caller: PersonalCaller, accounts: Accounts) -> list[wire.Overview]:
    return [translate.overview(account) for account in _approved(accounts) if translate.has(account, q)]


@operation("getUserRegistrationStatus")
def get_user_registration_status(email: wire.Email, _caller: PersonalCaller, accounts: Accounts) -> wire.Registration:
    return translate.registration(next((each for each in accounts.accounts() if each.email == email), None))


@operation("resolveUsers")
def resolve_users(body: wire.BatchRequest, _caller: PersonalCaller, accounts: Accounts) -> wire.Batch:
    return translate.batch(body.ids, {account.id: account for account in _approved(accounts)})


@operation("getUserById")
def get_user_by_id(id: wire.Id, _caller: PersonalCaller, accounts: Accounts) -> wire.Overview:
    return translate.overview(person(id, accounts))


@operation("checkUserExists")
def check_user_exists(id: wire.Id, _caller: PersonalCaller, accounts: Accounts) -> None:
    person(id, accounts)


def _approved(accounts: Accounts) -> list[core.Account]:
    return [account for account in accounts.accounts() if account.status is AccountStatus.APPROVED]


def person(account_id: str, accounts: Accounts) -> core.Account:
    """Return whoever has that id.

    Raises:
        UnknownAccount: nobody, or one whose account is not approved.
    """
    account = accounts.account(account_id)
    if account.status is not AccountStatus.APPROVED:
        raise UnknownAccount(account_id)
    return account
