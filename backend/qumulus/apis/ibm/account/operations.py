"""Operations of all four services."""

from __future__ import annotations

from pydantic import MISSING

from qumulus.apis.dependencies import Accounts, Clock, Leading
from qumulus.apis.ibm import tokens
from qumulus.apis.ibm.plans import PLANS
from qumulus.core.errors import NotFound
from qumulus.openapi.contract import Operations

from .callers import Caller
from .schemas.catalog import Plan, PlanId
from .schemas.identity import TokenRequest, TokenResponse
from .schemas.resources import InstanceId, Name, ResourceInstance, ResourceInstances
from .schemas.search import Limit, SearchRequest, SearchResponse
from .translate import instances as translate

operation = Operations()


@operation("createToken")
def create_token(body: TokenRequest, accounts: Accounts, clock: Clock, leading: Leading) -> TokenResponse:
    """A bearer token for an API key."""
    return translate.bearer(tokens.issue(body.apikey, accounts, clock, leading))


@operation("searchResources")
def search_resources(body: SearchRequest, caller: Caller, accounts: Accounts, limit: Limit = 10) -> SearchResponse:
    """The instances of the account, by name; the cursor is the name that the last answer ended with."""
    after = "" if body.search_cursor is MISSING else body.search_cursor
    instances = sorted(accounts.instances(caller.account), key=lambda instance: instance.name)
    left = [instance for instance in instances if instance.name > after]
    cursor = left[limit - 1].name if len(left) > limit else MISSING
    return SearchResponse(items=[translate.item(each) for each in left[:limit]], limit=limit, search_cursor=cursor)


@operation("getPlan")
def get_plan(plan_id: PlanId, caller: Caller, accounts: Accounts) -> Plan:
    """A plan."""
    return translate.plan(plan_id, {*PLANS, *(instance.plan for instance in accounts.instances(caller.account))})


@operation("listResourceInstances")
def list_resource_instances(caller: Caller, accounts: Accounts, name: Name | None = None) -> ResourceInstances:
    """The instances of the account."""
    found = [each for each in accounts.instances(caller.account) if name in (None, each.name)]
    return ResourceInstances(
        rows_count=len(found), next_url=None, resources=[translate.resource(each) for each in found]
    )


@operation("getResourceInstance")
def get_resource_instance(instance_id: InstanceId, caller: Caller, accounts: Accounts) -> ResourceInstance:
    """One instance of the account."""
    for instance in accounts.instances(caller.account):
        if instance_id in (instance.crn, instance.name, translate.guid(instance)):
            return translate.resource(instance)
    raise NotFound("Your account has no such instance: list the instances to see their ids.")
