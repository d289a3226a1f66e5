"""Whose token it is."""

from __future__ import annotations

from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.openapi.contract import Operations

from .schemas.account import Account, Principal
from .translate import accounts as translate

operation = Operations()


@operation("authorize")
def authorize(caller: PersonalCaller) -> Principal:
    return translate.principal(caller)


@operation("getMyAccounts")
def get_my_accounts(caller: PersonalCaller) -> list[Account]:
    return [translate.account(caller)]
