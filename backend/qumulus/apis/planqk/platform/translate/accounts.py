"""Accounts of the core and those of the platform."""

from __future__ import annotations

from qumulus.apis.planqk.platform.schemas.account import AccessToken, Account, Principal, User
from qumulus.core.accounts import Caller


def principal(caller: Caller) -> Principal:
    """Whose token it is, in the words of the older and of the newer clients."""
    name = caller.account
    return Principal(
        user=User(id=name, username=name, first_name=name, last_name="", email=f"{name}@localhost"),
        access_token=AccessToken(id=name, name=name),
        roles=["USER"],
        id=name,
        account_type="STANDARD",
        type="token.personal",
        organization_memberships=[],
    )


def account(caller: Caller) -> Account:
    """The account of a person, who has no other."""
    return Account(
        id=caller.account,
        display_name=caller.account,
        role="OWNER",
        tenant_type="USER",
        account_type="STANDARD",
        is_organization=False,
        organization=False,
    )
