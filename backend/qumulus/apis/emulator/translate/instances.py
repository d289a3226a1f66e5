"""Service instances."""

from __future__ import annotations

from dataclasses import replace

from qumulus.apis.emulator.schemas.instances import Instance, NewInstance
from qumulus.apis.given import given
from qumulus.core import accounts


def instance(known: accounts.Instance, naming: accounts.InstanceNaming, used_seconds: float) -> Instance:
    """A service instance, and for how long its jobs had devices."""
    return Instance(
        crn=known.crn,
        name=known.name,
        account=known.account,
        plan=known.plan,
        region=known.region,
        tags=list(known.tags),
        limit_seconds=known.granted_seconds,
        own_limit_seconds=known.limit_seconds,
        used_seconds=used_seconds,
        built_in=known.crn in {each.crn for each in naming.built_in},
    )


def core_instance(body: NewInstance, naming: accounts.InstanceNaming) -> accounts.Instance:
    """A service instance that is to be made, in the core's words."""
    plan = given(body.plan)
    made = naming.new(
        body.name,
        given(body.account, accounts.DEFAULT_ACCOUNT),
        plan=None if plan is None else plan.value,
        region=given(body.region),
    )
    return replace(made, tags=tuple(given(body.tags, ())), granted_seconds=given(body.limit_seconds))
