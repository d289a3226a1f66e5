"""Operations on the instance that the header names, and on the tags of its jobs."""

from __future__ import annotations

from math import ceil

from pydantic import MISSING

from qumulus.apis.dependencies import Accounts, Clock, Devices, Jobs
from qumulus.apis.ibm import names
from qumulus.apis.ibm.plans import plan_id
from qumulus.openapi.contract import Operations

from . import usage
from .callers import Caller, Instance
from .schemas.instance import Configuration, InstanceResponse, Period, UsageResponse
from .schemas.tag import Search, TagsResponse, Type

operation = Operations()


@operation("getInstance")
def get_instance(caller: Caller, instance: Instance, devices: Devices) -> InstanceResponse:
    """The instance."""
    limit = usage.limit(instance)
    seconds = MISSING if limit is None else int(limit)
    return InstanceResponse(
        backends=[names.to_wire(device.name) for device in names.devices(devices)],
        instance_limit=seconds,
        instance_limit_seconds=seconds,
        usage_allocation_seconds=seconds,
        plan_id=plan_id(instance.plan),
    )


@operation("getInstanceConfiguration")
def get_instance_configuration(caller: Caller, instance: Instance) -> Configuration:
    """What is set for the instance."""
    limit = instance.limit_seconds
    return Configuration(instance_limit=None if limit is None else int(limit))


@operation("replaceInstanceConfiguration")
def replace_instance_configuration(body: Configuration, caller: Caller, instance: Instance, accounts: Accounts) -> None:
    """Set or remove the limit."""
    accounts.set_limit(instance.crn, body.instance_limit)


@operation("getUsage")
def get_usage(caller: Caller, instance: Instance, jobs: Jobs, clock: Clock) -> UsageResponse:
    """What the instance has used; where there is no limit, there is nothing to be reached."""
    used = usage.of(instance, jobs, clock)
    limited = used.limit_seconds is not None
    limit = MISSING if used.limit_seconds is None else int(used.limit_seconds)
    return UsageResponse(
        instance_id=instance.crn,
        plan_id=plan_id(instance.plan),
        usage_period=Period(start_time=used.start, end_time=used.end),
        usage_consumed_seconds=ceil(used.seconds),
        usage_limit_seconds=limit,
        usage_allocation_seconds=limit,
        usage_limit_reached=used.limit_reached if limited else MISSING,
    )


@operation("listTags")
def list_tags(type: Type, search: Search, caller: Caller, jobs: Jobs) -> TagsResponse:
    """The tags of the caller's jobs."""
    return TagsResponse(tags=list(jobs.tags(caller.account, search)))
