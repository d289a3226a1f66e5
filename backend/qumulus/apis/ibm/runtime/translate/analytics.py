"""What an account has used, as the service shows it: in milliseconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

from qumulus.apis.ibm import names
from qumulus.apis.ibm.plans import PERIOD
from qumulus.apis.ibm.runtime import programs
from qumulus.apis.ibm.runtime.schemas import analytics
from qumulus.apis.ibm.runtime.schemas.analytics import (
    GroupBy,
    GroupedByDateResponse,
    GroupedResponse,
    GroupUsage,
    GroupUsageOfDay,
    Usage,
)
from qumulus.core.accounts import Caller, Instance
from qumulus.core.ports import Accounts, Clock, Workloads
from qumulus.core.workloads import Activity, Scope, Spent

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Asked:
    """What of an account's activity is asked for."""

    instances: Mapping[str, Instance]  # by CRN
    start: datetime
    end: datetime
    devices: frozenset[str] | None
    users: frozenset[str] | None

    def activity(self, workloads: Workloads) -> Iterable[tuple[Scope, Activity]]:
        """That activity."""
        for scope, activity in workloads.activity(self.instances, programs.KINDS, self.start, self.end).items():
            wanted = self.devices is None or scope.device in self.devices
            if wanted and (self.users is None or scope.account in self.users):
                yield scope, activity

    def key(self, scope: Scope, group_by: GroupBy) -> str:
        """The group that a scope belongs to."""
        return KEYS[group_by](scope, self.instances[scope.instance])


KEYS: Mapping[GroupBy, Callable[[Scope, Instance], str]] = {
    GroupBy.BACKEND: lambda scope, _: names.to_wire(scope.device),
    GroupBy.INSTANCE: lambda scope, _: scope.instance,
    GroupBy.USER_ID: lambda scope, _: scope.account,
    GroupBy.PLAN: lambda _, instance: instance.plan,
}


def asked(
    caller: Caller,
    accounts: Accounts,
    clock: Clock,
    *,
    instances: Collection[str] | None,
    start: datetime | None = None,
    end: datetime | None = None,
    backends: Collection[str] | None = None,
    users: Collection[str] | None = None,
    plans: Collection[str] | None = None,
) -> Asked:
    """What is asked for, of the instances of the caller's account."""
    known = {instance.crn: instance for instance in accounts.instances(caller.account)}
    end = clock.now() if end is None else end
    return Asked(
        instances={
            crn: instance
            for crn, instance in known.items()
            if (instances is None or crn in instances) and (plans is None or instance.plan in plans)
        },
        start=end - min(PERIOD, end - BEGINNING) if start is None else start,
        end=end,
        devices=None if backends is None else frozenset(map(names.core_or_unknown, backends)),
        users=None if users is None else frozenset(users),
    )


def filters(asked: Asked, workloads: Workloads) -> analytics.FiltersResponse:
    """What there is to ask for."""
    scopes = [scope for scope, _ in asked.activity(workloads)]
    known = asked.instances.values()
    return analytics.FiltersResponse(
        backends=[analytics.Backend(name=names.to_wire(name)) for name in sorted({scope.device for scope in scopes})],
        instances=[analytics.Instance(id=instance.crn, deleted=False) for instance in known],
        users=[analytics.User(id=name) for name in sorted({scope.account for scope in scopes})],
        plans=[analytics.Plan(name=name) for name in sorted({instance.plan for instance in known})],
        subscriptions=[],
    )


def usage(asked: Asked, workloads: Workloads) -> Usage:
    """All of it in one."""
    return Usage(**_members(sum((each for _, each in asked.activity(workloads)), Activity())))


def grouped(asked: Asked, workloads: Workloads, group_by: GroupBy) -> GroupedResponse:
    """By group."""
    sums = _sums((asked.key(scope, group_by), each) for scope, each in asked.activity(workloads))
    return GroupedResponse(data=[GroupUsage(key=key, **_members(sums[key])) for key in sorted(sums)])


def grouped_by_date(asked: Asked, workloads: Workloads, group_by: GroupBy) -> GroupedByDateResponse:
    """By day and group."""
    sums = _sums(((scope.day, asked.key(scope, group_by)), each) for scope, each in asked.activity(workloads))
    data = []
    for day, key in sorted(sums):
        midnight = datetime.combine(day, time(), UTC)
        start, end = max(midnight, asked.start), min(midnight + DAY, asked.end)
        data.append(GroupUsageOfDay(key=key, interval_start=start, interval_end=end, **_members(sums[day, key])))
    return GroupedByDateResponse(interval_start=asked.start, interval_end=asked.end, data=data)


def _sums(found: Iterable[tuple[Key, Activity]]) -> Mapping[Key, Activity]:
    sums: defaultdict[Key, Activity] = defaultdict(Activity)
    for key, activity in found:
        sums[key] += activity
    return sums


def _members(activity: Activity) -> dict[str, Any]:
    """The members of the models, by name."""
    sessions = {
        "sessions": activity.dedicated + activity.batches,
        "batch_sessions": activity.batches,
        "dedicated_sessions": activity.dedicated,
        "individual_jobs": activity.alone,
    }
    members = {"usage": activity.jobs.seconds * 1e3, "jobs": activity.jobs.count}
    for name, spent in sessions.items():
        members |= {name: spent.count} | _times(f"{name}_usage", spent)
    return members | _times("queue_time", activity.waiting)


def _times(name: str, spent: Spent) -> dict[str, float]:
    return {name: spent.seconds * 1e3, f"avg_{name}": spent.mean * 1e3, f"max_{name}": spent.most * 1e3}
