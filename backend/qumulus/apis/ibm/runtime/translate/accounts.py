"""Accounts as the service shows them: by plan."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import MISSING

from qumulus.apis.ibm import names
from qumulus.apis.ibm.plans import OPEN, PLANS, plan_id
from qumulus.apis.ibm.runtime.schemas.account import AccountResponse, Plan
from qumulus.core.accounts import Instance
from qumulus.core.errors import NotFound
from qumulus.core.ports import Catalogue
from qumulus.payloads.runtime_limits import OPEN_SESSION_SECONDS

from .sessions import INTERACTIVE_SECONDS, MAX_SECONDS


def account(id: str, instances: Iterable[Instance], devices: Catalogue, only: str | None) -> AccountResponse:
    """An account by the id in the CRNs of its instances; ``only`` names one plan.

    Raises:
        NotFound: none of the instances is of that account.
    """
    its = [instance for instance in instances if instance.crn.split(":")[6] == f"a/{id}"]
    if not its:
        raise NotFound("That account is not yours: its id stands in the CRN of your instance, behind 'a/'.")
    backends = [names.to_wire(device.name) for device in names.devices(devices)]
    plans = sorted({instance.plan for instance in its})
    return AccountResponse(
        plans=[
            plan(name, [instance for instance in its if instance.plan == name], backends)
            for name in plans
            if only in (None, plan_id(name))
        ]
    )


def plan(name: str, instances: Iterable[Instance], backends: list[str]) -> Plan:
    """What instances of one plan may use together."""
    limit = PLANS[name].limit_seconds if name in PLANS else None
    longest = int(OPEN_SESSION_SECONDS.value or MAX_SECONDS) if name == OPEN else int(MAX_SECONDS)
    given = sum(instance.allowed_seconds or 0.0 for instance in instances)
    seconds = MISSING if limit is None else int(limit)
    return Plan(
        plan_id=plan_id(name),
        usage_allocation_seconds=seconds,
        usage_limit_seconds=seconds,
        unallocated_usage_seconds=MISSING if limit is None else int(max(0.0, limit - given)),
        backends=backends,
        max_ttl=longest,
        active_ttl=longest,
        interactive_ttl=int(INTERACTIVE_SECONDS),
    )
