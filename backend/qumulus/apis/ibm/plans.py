"""Service plans. Nothing here costs anything; the client asks for a plan's name and how it is paid for."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID, uuid5

_PLANS = UUID("b0c56d1f-5f64-4f0d-a7ff-0c6d0d6a8a5e")  # the space that plan ids are made in


class Plan(NamedTuple):
    """A plan as the catalog shows it."""

    display_name: str
    description: str
    pricing: str
    limit_seconds: float | None = None  # of devices, in a period


PERIOD = timedelta(days=28)
OPEN = "open"
PLANS = {
    "internal": Plan("Internal", "Without limits", "free"),
    OPEN: Plan("Open", "Ten minutes in 28 days, free of charge", "free", 600.0),
    "pay-as-you-go": Plan("Pay-as-you-go", "Paid by the second", "paygo"),
    "flex": Plan("Flex", "Paid for an amount of time", "subscription"),
    "premium": Plan("Premium", "Paid by the year", "subscription"),
}


def plan_id(name: str) -> str:
    """The identifier of a plan: the same on every machine."""
    return str(uuid5(_PLANS, name))
