"""Accounts, instances and tokens, from the core's words to those of IBM Cloud."""

from __future__ import annotations

from collections.abc import Collection

from qumulus.apis.ibm import plans
from qumulus.apis.ibm.account.schemas.catalog import Overview, Plan, PlanMetadata, Pricing, PricingType, Translations
from qumulus.apis.ibm.account.schemas.identity import TokenResponse
from qumulus.apis.ibm.account.schemas.resources import ResourceInstance
from qumulus.apis.ibm.account.schemas.search import Extensions, Item, ResourceDocument
from qumulus.apis.ibm.tokens import Bearer
from qumulus.core.accounts import Instance
from qumulus.core.errors import NotFound

SERVICE = "quantum-computing"


def bearer(issued: Bearer) -> TokenResponse:
    """An issued token."""
    return TokenResponse(
        access_token=issued.token,
        refresh_token="not_supported",  # noqa: S106 - the service's own words where there is none
        token_type="Bearer",  # noqa: S106
        expires_in=int((issued.expires_at - issued.issued_at).total_seconds()),
        expiration=int(issued.expires_at.timestamp()),
        scope="ibm openid",
    )


def guid(instance: Instance) -> str:
    """The identifier within an instance's CRN."""
    return instance.crn.rstrip(":").rpartition(":")[2]


def item(instance: Instance) -> Item:
    """An instance as the search shows it."""
    return Item(
        crn=instance.crn,
        name=instance.name,
        region=instance.region,
        service_name=SERVICE,
        service_plan_unique_id=plans.plan_id(instance.plan),
        tags=list(instance.tags),
        doc=ResourceDocument(extensions=Extensions(name=instance.name)),
    )


def resource(instance: Instance) -> ResourceInstance:
    """An instance as the Resource Controller shows it."""
    return ResourceInstance(
        id=instance.crn,
        guid=guid(instance),
        crn=instance.crn,
        name=instance.name,
        region_id=instance.region,
        account_id=instance.crn.split(":")[6].removeprefix("a/"),
        resource_plan_id=plans.plan_id(instance.plan),
        state="active",
        type="service_instance",
    )


def plan(plan_id: str, names: Collection[str]) -> Plan:
    """The plan with that id among those of these names.

    Raises:
        NotFound
    """
    name = next((each for each in names if plans.plan_id(each) == plan_id), None)
    if name is None:
        raise NotFound("There is no plan with that id: the instances of your account name theirs.")
    known = plans.PLANS.get(name, plans.Plan(name.capitalize(), "", "free"))
    overview = Overview(display_name=known.display_name, description=known.description)
    return Plan(
        id=plan_id,
        name=name,
        kind="plan",
        active=True,
        disabled=False,
        overview_ui=Translations(en=overview),
        metadata=PlanMetadata(pricing=Pricing(type=PricingType(known.pricing))),
    )
