"""What the core keeps of how a service is offered, and the platform's words for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import uuid5

from pydantic import MISSING, BaseModel

from qumulus.apis.given import given, said
from qumulus.apis.planqk.platform.schemas import service as wire
from qumulus.core.services import NAMESPACE, Service

LIFECYCLE, CONTACTS, LINKS, PLAN = "lifecycle", "contacts", "links", "plan"  # the members of a listing
Listing = Mapping[str, Any]
Change = Callable[[Listing], Listing]


def published(body: wire.Publication) -> Change:
    """What publishes a service for those of a scope."""
    return _with(**{LIFECYCLE: wire.Lifecycle.PUBLISHED.value, "scope": body.scope.value})


def taken_back(listing: Listing) -> Listing:
    """A listing of a service that is not published any more."""
    kept = {name: value for name, value in listing.items() if name != "scope"}
    return {**kept, LIFECYCLE: wire.Lifecycle.CREATED.value}


def linked(links: Iterable[wire.Link]) -> Change:
    """What puts links into the place of those that a service has."""
    return _with(**{LINKS: _plain(links)})


def contacted(contacts: Iterable[wire.Contact]) -> Change:
    """What puts contacts into the place of those that a service has."""
    return _with(**{CONTACTS: _plain(contacts)})


def priced(body: wire.PlanRequest) -> Change:
    """What gives a service a price; only a commercial one has a profit."""
    profit = given(body.profit_percentage) if body.type is wire.PlanKind.COMMERCIAL else None
    return _with(**{PLAN: {"type": body.type.value, "profit_percentage": profit}})


def unpriced(listing: Listing) -> Listing:
    """A listing of a service that has no price any more."""
    return {name: value for name, value in listing.items() if name != PLAN}


def lifecycle(service: Service) -> wire.Lifecycle:
    """How far a service is."""
    return wire.Lifecycle(service.listing.get(LIFECYCLE, wire.Lifecycle.ACCESSIBLE.value))


def contacts(service: Service) -> list[wire.Contact]:
    """The contacts of a service."""
    return [wire.Contact.model_validate(each) for each in service.listing.get(CONTACTS, ())]


def links(service: Service) -> list[wire.Link]:
    """The links of a service."""
    return [wire.Link.model_validate(each) for each in service.listing.get(LINKS, ())]


def plans(service: Service) -> list[wire.PricingPlan]:
    """The prices of a service: one at most."""
    plan = service.listing.get(PLAN)
    if plan is None:
        return []
    return [
        wire.PricingPlan(
            id=str(uuid5(NAMESPACE, f"{service.name}/pricing-plan")),
            type=wire.PlanKind(plan["type"]),
            profit_percentage=said(plan["profit_percentage"]),
        )
    ]


def plan(service: Service) -> wire.PricingPlan | MISSING:
    """The price of a service, where it has one."""
    return next(iter(plans(service)), MISSING)


def _with(**members: Any) -> Change:
    return lambda listing: {**listing, **members}


def _plain(models: Iterable[BaseModel]) -> list[dict[str, Any]]:
    """Models as JSON keeps them."""
    return [each.model_dump(mode="json", by_alias=True) for each in models]
