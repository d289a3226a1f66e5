"""Subscriptions: which application may call which service."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Applications, Origin
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.apis.planqk.offered import Services
from qumulus.core import applications as core
from qumulus.core.errors import UnknownApplication, UnknownSubscription
from qumulus.openapi.contract import Operations

from .applications import own
from .schemas import application as wire
from .translate import applications as translate
from .translate.services import found

operation = Operations()


def _known(request: Request, caller: PersonalCaller, applications: Applications) -> core.Subscription:
    known = applications.subscription(request.path_params["id"].lower())
    try:
        own(known.application, caller, applications)
    except UnknownApplication:
        raise UnknownSubscription(known.id) from None
    return known


Known = Annotated[core.Subscription, Depends(_known)]


@operation("createSubscription")
def create_subscription(
    body: wire.SubscriptionRequest,
    caller: PersonalCaller,
    applications: Applications,
    services: Services,
    origin: Origin,
) -> wire.Subscription:
    application = own(str(body.application_id), caller, applications)
    service = found(services, body.service_id)
    return translate.subscription(applications.subscribe(application.id, service.name), application, service, origin)


@operation("getSubscription")
def get_subscription(
    id: wire.SubscriptionId, known: Known, applications: Applications, services: Services, origin: Origin
) -> wire.Subscription:
    del id
    application = applications.application(known.application)
    return translate.subscription(known, application, services.service(known.service), origin)


@operation("deleteSubscription")
def delete_subscription(id: wire.SubscriptionId, known: Known, applications: Applications) -> None:
    del id
    applications.unsubscribe(known.id)
