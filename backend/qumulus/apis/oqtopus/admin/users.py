"""Who has an account, and what it may use."""

from __future__ import annotations

from qumulus.apis.dependencies import Accounts, Devices
from qumulus.openapi.contract import Operations

from .callers import Caller
from .schemas.page import Number
from .schemas.user import (
    GetOneUserResponse,
    GetUsersResponse,
    Text,
    UpdateUserRequest,
    UserId,
    UserSort,
    UserStatus,
)
from .translate import users as translate
from .translate.pages import Wanted, chosen, page

operation = Operations()


@operation("listUsers")
def list_users(
    caller: Caller,
    accounts: Accounts,
    devices: Devices,
    offset: Number | None = None,
    limit: Number = "10",
    user_id: Text | None = None,
    email: Text | None = None,
    display_name: Text | None = None,
    organization: Text | None = None,
    group_id: Text | None = None,
    status: UserStatus | None = None,
    sort: UserSort | None = None,
) -> GetUsersResponse:
    users = [translate.user(each, devices) for each in accounts.accounts()]
    wanted = Wanted(
        containing={"email": email, "display_name": display_name},
        equal={"id": user_id, "organization": organization, "group_id": group_id, "status": status},
    )
    return GetUsersResponse(
        offset=offset or "0", limit=limit, users=list(page(chosen(users, wanted, sort), offset, limit))
    )


@operation("getUser")
def get_user(user_id: UserId, caller: Caller, accounts: Accounts, devices: Devices) -> GetOneUserResponse:
    return translate.user(accounts.account(user_id), devices)


@operation("updateUser")
def update_user(
    user_id: UserId, body: UpdateUserRequest, caller: Caller, accounts: Accounts, devices: Devices
) -> GetOneUserResponse:
    return translate.user(accounts.change_account(translate.changed(accounts.account(user_id), body)), devices)


@operation("deleteUser")
def delete_user(user_id: UserId, caller: Caller, accounts: Accounts) -> None:
    accounts.remove_account(user_id)
