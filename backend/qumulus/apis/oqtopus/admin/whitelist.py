"""Who is expected to sign up."""

from __future__ import annotations

from qumulus.apis.dependencies import Accounts, Devices
from qumulus.openapi.contract import Operations

from .callers import Caller
from .schemas.page import Number
from .schemas.success import SuccessResponse
from .schemas.user import Text
from .schemas.whitelist import (
    ListWhitelistUsersResponse,
    RegisterWhitelistUsersRequest,
    WhitelistSort,
    WhitelistUsersDeleteRequest,
)
from .translate import whitelist as translate
from .translate.pages import Wanted, chosen, page

operation = Operations()


@operation("listWhitelistUsers")
def list_whitelist_users(
    caller: Caller,
    accounts: Accounts,
    devices: Devices,
    offset: Number | None = None,
    limit: Number = "10",
    email: Text | None = None,
    display_name: Text | None = None,
    organization: Text | None = None,
    group_id: Text | None = None,
    sort: WhitelistSort | None = None,
) -> ListWhitelistUsersResponse:
    entries = [translate.entry(each, devices) for each in accounts.whitelist()]
    wanted = Wanted(
        containing={"email": email, "display_name": display_name},
        equal={"organization": organization, "group_id": group_id},
    )
    return ListWhitelistUsersResponse(users=list(page(chosen(entries, wanted, sort), offset, limit)))


@operation("registerWhitelistUsers")
def register_whitelist_users(
    body: RegisterWhitelistUsersRequest, caller: Caller, accounts: Accounts
) -> SuccessResponse:
    accounts.expect([translate.new(each) for each in body.users])
    return SuccessResponse(message="Successfully registered")


@operation("deleteWhitelistUsers")
def delete_whitelist_users(body: WhitelistUsersDeleteRequest, caller: Caller, accounts: Accounts) -> None:
    accounts.expect_no_more(body.user_emails)
