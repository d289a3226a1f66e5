"""What an instance has used of its devices, and whether it may use more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from qumulus.apis.ibm.plans import PERIOD, PLANS
from qumulus.core.accounts import Instance
from qumulus.core.errors import LimitReached
from qumulus.core.ports import Clock, JobStore


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of devices within a period, and how many there may be."""

    start: datetime
    end: datetime
    seconds: float
    limit_seconds: float | None

    @property
    def limit_reached(self) -> bool:
        """Whether no more jobs are taken."""
        return self.limit_seconds is not None and self.seconds >= self.limit_seconds


def limit(instance: Instance) -> float | None:
    """The lower of what is set for an instance and what its plan allows, in seconds; None for no limit."""
    plan = PLANS.get(instance.plan)
    limits = (instance.allowed_seconds, plan.limit_seconds if plan else None)
    return min((each for each in limits if each is not None), default=None)


def of(instance: Instance, jobs: JobStore, clock: Clock) -> Usage:
    """The usage of an instance in the period that ends now."""
    end = clock.now()
    start = end - PERIOD
    return Usage(start, end, jobs.run_seconds(instance.crn, start), limit(instance))


def admit(instance: Instance, jobs: JobStore, clock: Clock) -> None:
    """See that an instance may run another job.

    Raises:
        LimitReached
    """
    if limit(instance) is not None and of(instance, jobs, clock).limit_reached:
        raise LimitReached(
            f"Instance {instance.name} has used its {limit(instance):g} seconds of devices: "
            "raise its limit, or use another instance."
        )
