"""Accounts."""

from __future__ import annotations

from pydantic import MISSING

from qumulus.apis.emulator.schemas.accounts import Account
from qumulus.apis.given import given
from qumulus.core import accounts


def account(known: accounts.Account) -> Account:
    """Somebody who owns jobs."""
    return Account(id=known.id, name=known.name, email=known.email or MISSING)


def core_account(body: Account) -> accounts.Account:
    """The same in the core's words."""
    return accounts.Account(
        id=body.id,
        name=given(body.name, body.id),
        email=given(body.email),
    )
