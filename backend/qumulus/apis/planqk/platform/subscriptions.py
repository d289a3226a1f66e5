"""Subscriptions: which application may call which service."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Applications, Jobs, Origin
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.apis.planqk.offered import Services
from qumulus.core import applications as core
from qumulus.core.errors import UnknownApplication, UnknownSubscription
from qumulus.core.services import device_of
from qumulus.openapi.contract import Operations

from .applications import own
from .schemas import application as wire
from .schemas.execution import Execution
from .schemas.service import Id
from .service_executions import Known as KnownServices
from .service_executions import matching
from .translate import applications as translate
from .translate import service_executions as executions
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


@operation("getServiceSubscriptions")
def get_service_subscriptions(
    id: Id, caller: PersonalCaller, applications: Applications, services: Services, origin: Origin
) -> list[wire.Subscription]:
    service = found(services, id)
    mine = {application.id: application for application in applications.applications(caller)}
    return [
        translate.subscription(each, mine[each.application], service, origin)
        for each in applications.subscriptions(service=service.name)
        if each.application in mine
    ]


@operation("getServiceExecutionsBySubscription")
def get_service_executions_by_subscription(
    id: wire.SubscriptionId, subscription: Known, caller: PersonalCaller, jobs: Jobs, known: KnownServices
) -> list[Execution]:
    del id
    queue = device_of(subscription.service)
    wanted = executions.Wanted(application=subscription.application)
    found = matching(wanted, None, None, caller, jobs, known)
    return [executions.execution(job, known) for job in found if job.device == queue]
