"""Providers: accounts that offer functions to everybody. The first account that uploads for a provider is that provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qumulus.core.accounts import Caller
from qumulus.core.errors import NotFound
from qumulus.core.services import FUNCTION, Services

from . import vendors


class UnknownProvider(NotFound):
    """There is no such provider, or the caller is not it: both are said alike, as at the service."""

    def __init__(self, provider: str) -> None:
        super().__init__(f"Provider {provider[:100]} doesn't exist, or your account is not it.")


def kept(services: Services) -> Iterable[Mapping[str, Any]]:
    """What is kept of every function."""
    return (services.about(each.name) for each in services.services() if each.name.startswith(FUNCTION))


def offered(services: Services) -> list[Mapping[str, Any]]:
    """What is kept of the functions that accounts here offer, by provider and title."""
    return sorted(
        (each for each in kept(services) if each.get("provider")), key=lambda each: (each["provider"], each["title"])
    )


def account_of(provider: str, services: Services) -> str | None:
    """The account that is this provider; None where nobody is yet."""
    return next((each["account"] for each in offered(services) if each["provider"] == provider), None)


def claim(provider: str, caller: Caller, services: Services) -> None:
    """See that the caller is this provider, or can become it.

    Raises:
        UnknownProvider
    """
    if provider in vendors.TITLES or account_of(provider, services) not in {None, caller.account}:
        raise UnknownProvider(provider)


def require(provider: str, caller: Caller, services: Services) -> None:
    """See that the caller is this provider.

    Raises:
        UnknownProvider
    """
    if account_of(provider, services) != caller.account:
        raise UnknownProvider(provider)
