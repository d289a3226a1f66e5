"""Operations on what an account has used. Simulators count as devices, and this cloud has none."""

from __future__ import annotations

from qumulus.apis.dependencies import Accounts, Clock, Workloads
from qumulus.openapi.contract import Operations

from .callers import Caller
from .schemas.analytics import (
    Backends,
    FiltersResponse,
    GroupBy,
    GroupedByDateResponse,
    GroupedResponse,
    Instances,
    IntervalTime,
    Plans,
    Simulators,
    Usage,
    Users,
)
from .translate import analytics as translate

operation = Operations()


@operation("getAnalyticsFilters")
def get_analytics_filters(
    caller: Caller, accounts: Accounts, workloads: Workloads, clock: Clock, instance: Instances | None = None
) -> FiltersResponse:
    """What the account has jobs of."""
    return translate.filters(
        translate.asked(caller, accounts, clock, instances=instance, start=translate.BEGINNING), workloads
    )


@operation("getUsageAnalytics")
def get_usage_analytics(
    caller: Caller,
    accounts: Accounts,
    workloads: Workloads,
    clock: Clock,
    instance: Instances | None = None,
    interval_start: IntervalTime | None = None,
    interval_end: IntervalTime | None = None,
    backend: Backends | None = None,
    user_id: Users | None = None,
    simulators: Simulators = True,
    plan: Plans | None = None,
) -> Usage:
    """All usage in one."""
    asked = translate.asked(
        caller,
        accounts,
        clock,
        instances=instance,
        start=interval_start,
        end=interval_end,
        backends=backend,
        users=user_id,
        plans=plan,
    )
    return translate.usage(asked, workloads)


@operation("getUsageAnalyticsGrouped")
def get_usage_analytics_grouped(
    caller: Caller,
    accounts: Accounts,
    workloads: Workloads,
    clock: Clock,
    group_by: GroupBy,
    instance: Instances | None = None,
    interval_start: IntervalTime | None = None,
    interval_end: IntervalTime | None = None,
    backend: Backends | None = None,
    user_id: Users | None = None,
    simulators: Simulators = True,
    plan: Plans | None = None,
) -> GroupedResponse:
    """The usage by device, instance, person or plan."""
    asked = translate.asked(
        caller,
        accounts,
        clock,
        instances=instance,
        start=interval_start,
        end=interval_end,
        backends=backend,
        users=user_id,
        plans=plan,
    )
    return translate.grouped(asked, workloads, group_by)


@operation("getUsageAnalyticsGroupedByDate")
def get_usage_analytics_grouped_by_date(
    caller: Caller,
    accounts: Accounts,
    workloads: Workloads,
    clock: Clock,
    group_by: GroupBy,
    instance: Instances | None = None,
    interval_start: IntervalTime | None = None,
    interval_end: IntervalTime | None = None,
    backend: Backends | None = None,
    user_id: Users | None = None,
    simulators: Simulators = True,
    plan: Plans | None = None,
) -> GroupedByDateResponse:
    """The usage by device, instance, person or plan, and by day."""
    asked = translate.asked(
        caller,
        accounts,
        clock,
        instances=instance,
        start=interval_start,
        end=interval_end,
        backends=backend,
        users=user_id,
        plans=plan,
    )
    return translate.grouped_by_date(asked, workloads, group_by)
