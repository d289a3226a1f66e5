"""Applications: who calls services with an access key, and the services that each has subscribed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .accounts import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application of an account. Its access key is made of its id and a secret of the server's."""

    id: str
    account: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """That an application may call a service."""

    id: str
    application: str
    service: str  # its name
    created_at: datetime


class Applications(Protocol):
    """The applications and their subscriptions. Any process of a state sees them."""

    def applications(self, caller: Caller) -> Sequence[Application]:
        """Return the caller's applications, the oldest first."""
        ...

    def application(self, application_id: str) -> Application:
        """Return an application, whoever it belongs to.

        Raises:
            UnknownApplication
        """
        ...

    def make(self, name: str, caller: Caller) -> Application: ...

    def remove(self, application_id: str) -> None:
        """Forget an application, whose subscriptions end with it."""
        ...

    def subscriptions(self, *, application: str | None = None, service: str | None = None) -> Sequence[Subscription]:
        """Return the subscriptions of an application, to a service, or all, the oldest first."""
        ...

    def subscription(self, subscription_id: str) -> Subscription:
        """Return a subscription.

        Raises:
            UnknownSubscription
        """
        ...

    def subscribe(self, application: str, service: str) -> Subscription:
        """Let an application call a service; one that may already keeps its subscription."""
        ...

    def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription."""
        ...
