"""Operations on the instance that the header names, and on the tags of its jobs."""

from __future__ import annotations

from qumulus.apis.dependencies import Accounts, Clock, Devices, Jobs
from qumulus.apis.ibm import names
from qumulus.openapi.contract import Operations

from . import usage
from .callers import Caller, Instance
from .schemas.instance import Configuration, InstanceResponse, UsageResponse
from .schemas.tag import Search, TagsResponse, Type
from .translate import instances as translate

operation = Operations()


@operation("getInstance")
def get_instance(caller: Caller, instance: Instance, devices: Devices) -> InstanceResponse:
    """The instance."""
    return translate.instance(instance, names.devices(devices))


@operation("getInstanceConfiguration")
def get_instance_configuration(caller: Caller, instance: Instance) -> Configuration:
    """What is set for the instance."""
    return translate.configuration(instance)


@operation("replaceInstanceConfiguration")
def replace_instance_configuration(body: Configuration, caller: Caller, instance: Instance, accounts: Accounts) -> None:
    """Set or remove the limit."""
    accounts.set_limit(instance.crn, body.instance_limit)


@operation("getUsage")
def get_usage(caller: Caller, instance: Instance, jobs: Jobs, clock: Clock) -> UsageResponse:
    """What the instance has used."""
    return translate.usage(instance, usage.of(instance, jobs, clock))


@operation("listTags")
def list_tags(type: Type, search: Search, caller: Caller, jobs: Jobs) -> TagsResponse:
    """The tags of the caller's jobs."""
    return TagsResponse(tags=list(jobs.tags(caller.account, search)))
