"""Applications of the core and those of the platform."""

from __future__ import annotations

from qumulus.apis.planqk.platform.schemas import application as wire
from qumulus.core.applications import Application, Subscription
from qumulus.core.services import Service

from . import listings
from .services import VERSION, time


def application(known: Application) -> wire.Application:
    """An application of the caller's."""
    return wire.Application(
        id=known.id, name=known.name, created_at=time(known.created_at), current_user_permission="OWNER"
    )


def subscription(known: Subscription, subscriber: Application, service: Service, origin: str) -> wire.Subscription:
    """A subscription with both sides."""
    return wire.Subscription(
        id=known.id,
        application=application(subscriber),
        service=wire.Consumed(
            id=str(service.id),
            service_definition_id=str(service.definition_id),
            name=service.title,
            type="MANAGED",
            lifecycle=listings.lifecycle(service).value,
            context=service.name,
            version=VERSION,
            gateway_endpoint=f"{origin}/services/{service.name}",
        ),
        pricing_plan=listings.plan(service),
    )
