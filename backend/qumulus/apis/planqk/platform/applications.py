"""Applications and their access keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Applications, Leading, Origin
from qumulus.apis.planqk.access_keys import AccessKeys
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.apis.planqk.offered import Services
from qumulus.core import applications as core
from qumulus.core.accounts import Caller
from qumulus.core.errors import UnknownApplication
from qumulus.openapi.contract import Operations

from .schemas import application as wire
from .translate import applications as translate

operation = Operations()


def own(application_id: str, caller: Caller, applications: core.Applications) -> core.Application:
    """The caller's application; one of somebody else is as unknown as none.

    Raises:
        UnknownApplication
    """
    known = applications.application(application_id)
    if known.account != caller.account:
        raise UnknownApplication(application_id)
    return known


def _known(request: Request, caller: PersonalCaller, applications: Applications) -> core.Application:
    return own(request.path_params["id"].lower(), caller, applications)


def _keys(request: Request) -> AccessKeys:
    return request.app.state.access_keys


Known = Annotated[core.Application, Depends(_known)]


@operation("getApplications")
def get_applications(caller: PersonalCaller, applications: Applications) -> list[wire.Application]:
    return [translate.application(each) for each in applications.applications(caller)]


@operation("createApplication")
def create_application(body: wire.Request, caller: PersonalCaller, applications: Applications) -> wire.Application:
    return translate.application(applications.make(body.name, caller))


@operation("getApplication")
def get_application(id: wire.Id, known: Known) -> wire.Application:
    del id
    return translate.application(known)


@operation("deleteApplication")
def delete_application(id: wire.Id, known: Known, applications: Applications) -> None:
    del id
    applications.remove(known.id)


@operation("getApplicationSubscriptions")
def get_application_subscriptions(
    id: wire.Id, known: Known, applications: Applications, services: Services, origin: Origin
) -> list[wire.Subscription]:
    del id
    deployed = {service.name: service for service in services.services()}
    return [
        translate.subscription(each, known, deployed[each.service], origin)
        for each in applications.subscriptions(application=known.id)
        if each.service in deployed
    ]


@operation("getApplicationAccessKeys")
def get_application_access_keys(
    id: wire.Id, known: Known, keys: Annotated[AccessKeys, Depends(_keys)], leading: Leading
) -> list[wire.AccessKey]:
    del id
    return [wire.AccessKey(type="PRODUCTION", access_key_id=known.id, secret_access_key=leading + keys.of(known.id))]
