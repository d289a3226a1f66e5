"""Operations on what an account may use."""

from __future__ import annotations

from qumulus.apis.dependencies import Accounts, Devices
from qumulus.openapi.contract import Operations

from .callers import Caller
from .schemas.account import AccountId, AccountResponse, PlanId
from .translate import accounts as translate

operation = Operations()


@operation("getAccount")
def get_account(
    id: AccountId, caller: Caller, accounts: Accounts, devices: Devices, plan_id: PlanId | None = None
) -> AccountResponse:
    """What the instances of an account may use, by plan."""
    return translate.account(id, accounts.instances(caller.account), devices, plan_id)
