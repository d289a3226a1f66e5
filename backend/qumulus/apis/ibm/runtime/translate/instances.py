"""Instances and what they have used, as the service says it."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from pydantic import MISSING

from qumulus.apis.ibm import names
from qumulus.apis.ibm.plans import plan_id
from qumulus.apis.ibm.runtime import usage as used_by
from qumulus.apis.ibm.runtime.schemas.instance import Configuration, InstanceResponse, Period, UsageResponse
from qumulus.core.accounts import Instance
from qumulus.core.devices import Device


def instance(known: Instance, devices: Iterable[Device]) -> InstanceResponse:
    """Return the instance with the backends that it may use."""
    limit = used_by.limit(known)
    seconds = MISSING if limit is None else int(limit)
    return InstanceResponse(
        backends=[names.to_wire(device.name) for device in devices],
        instance_limit=seconds,
        instance_limit_seconds=seconds,
        usage_allocation_seconds=seconds,
        plan_id=plan_id(known.plan),
    )


def configuration(known: Instance) -> Configuration:
    """Return what is set for the instance, its limit in whole seconds."""
    limit = known.allowed_seconds
    return Configuration(instance_limit=None if limit is None else int(limit))


def usage(known: Instance, used: used_by.Usage) -> UsageResponse:
    """Return what the instance has used; where there is no limit, there is nothing to be reached."""
    limit = MISSING if used.limit_seconds is None else int(used.limit_seconds)
    return UsageResponse(
        instance_id=known.crn,
        plan_id=plan_id(known.plan),
        usage_period=Period(start_time=used.start, end_time=used.end),
        usage_consumed_seconds=ceil(used.seconds),
        usage_limit_seconds=limit,
        usage_allocation_seconds=limit,
        usage_limit_reached=MISSING if used.limit_seconds is None else used.limit_reached,
    )
