"""How services are offered to people: published or not, with contacts, links and a price."""

from __future__ import annotations

from qumulus.apis.dependencies import Applications
from qumulus.apis.planqk.callers import Deployer
from qumulus.apis.planqk.offered import Services
from qumulus.core.errors import WrongState
from qumulus.openapi.contract import Operations

from .schemas import service as wire
from .translate import listings as translate
from .translate.services import found

operation = Operations()


@operation("updateServicePublication")
def update_service_publication(id: wire.Id, body: wire.Publication, _caller: Deployer, services: Services) -> None:
    services.offer(found(services, id).name, translate.published(body))


@operation("deleteServicePublication")
def delete_service_publication(
    id: wire.Id, _caller: Deployer, services: Services, applications: Applications, force: bool = False
) -> None:
    service = found(services, id)
    subscribed = applications.subscriptions(service=service.name)
    if subscribed and not force:
        raise WrongState(f"{len(subscribed)} applications have subscribed to the service: send force=true to end that.")
    for each in subscribed:
        applications.unsubscribe(each.id)
    services.offer(service.name, translate.taken_back)


@operation("updateServiceLinks")
def update_service_links(id: wire.Id, body: wire.Links, _caller: Deployer, services: Services) -> None:
    services.offer(found(services, id).name, translate.linked(body))


@operation("updateServiceContacts")
def update_service_contacts(id: wire.Id, body: wire.Contacts, _caller: Deployer, services: Services) -> None:
    services.offer(found(services, id).name, translate.contacted(body))


@operation("addManagedServicePricingPlan")
def add_managed_service_pricing_plan(
    id: wire.Id, body: wire.PlanRequest, _caller: Deployer, services: Services
) -> wire.PricingPlan:
    service = services.offer(found(services, id).name, translate.priced(body))
    (plan,) = translate.plans(service)
    return plan


@operation("deleteManagedServicePricingPlan")
def delete_managed_service_pricing_plan(id: wire.Id, _caller: Deployer, services: Services) -> None:
    services.offer(found(services, id).name, translate.unpriced)
