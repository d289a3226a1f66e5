"""Accounts of the core and people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qumulus.apis.given import said
from qumulus.apis.planqk.user.schemas import user as wire
from qumulus.core.accounts import Account, AccountStatus, Profile

REGISTERED: Mapping[AccountStatus | None, tuple[wire.Status, str]] = {
    AccountStatus.APPROVED: (wire.Status.APPROVED, "The registration is complete."),
    AccountStatus.UNAPPROVED: (wire.Status.PENDING, "The administrator has yet to approve the account."),
    AccountStatus.SUSPENDED: (wire.Status.REJECTED, "The administrator has suspended the account."),
    None: (wire.Status.NOT_FOUND, "Nobody has registered with that address."),
}


def user(account: Account, profile: Profile) -> wire.User:
    """A person, as that person sees it."""
    first, last = _names(account)
    return wire.User(
        id=account.id,
        username=account.id,
        email=said(account.email),
        firstname=first,
        lastname=last,
        current_position=said(profile.position),
        homepage=said(profile.homepage),
        about=said(profile.about),
    )


def overview(account: Account) -> wire.Overview:
    """A person, as everybody sees it."""
    first, last = _names(account)
    return wire.Overview(id=account.id, firstname=first, lastname=last)


def has(account: Account, text: str) -> bool:
    """Say whether the text is part of a name, an id or an address."""
    return any(text.casefold() in each.casefold() for each in (account.name, account.id, account.email or ""))


def registration(account: Account | None) -> wire.Registration:
    """How far a registration is."""
    status, message = REGISTERED[None if account is None else account.status]
    return wire.Registration(status=status, message=message)


def batch(ids: Iterable[str], known: Mapping[str, Account]) -> wire.Batch:
    """Those who were asked for, each once."""
    wanted = list(dict.fromkeys(ids))
    missing = [each for each in wanted if each not in known]
    return wire.Batch(
        users=[overview(known[each]) for each in wanted if each in known],
        not_found=said(",".join(missing) or None),
    )


def _names(account: Account) -> tuple[str, str]:
    first, _, last = account.name.partition(" ")
    return first, last
