"""The limits of the service itself, for requests: see `qumulus.payloads.runtime_limits` for what they are and who says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from pydantic import MISSING

from qumulus.apis.ibm.plans import OPEN
from qumulus.core.accounts import Caller, Instance
from qumulus.core.errors import InvalidRequest, Unavailable
from qumulus.core.jobs import PENDING
from qumulus.core.ports import Clock, JobQuery, JobStore
from qumulus.core.sessions import NewSession, SessionMode
from qumulus.payloads import runtime_errors as errors
from qumulus.payloads import runtime_limits as limits
from qumulus.payloads.runtime_errors import REGISTRY

from .schemas.job import RunJobRequest

MINUTE = timedelta(minutes=1)


class NoSessionInPlan(InvalidRequest):
    """The plan of the instance has no dedicated sessions."""

    def __init__(self, plan: str) -> None:
        super().__init__(REGISTRY[errors.NO_SESSION_IN_PLAN].filled(plan))


class TooManyPending(InvalidRequest):
    """The instance has as many jobs that wait or run as its plan allows."""

    def __init__(self, most: int) -> None:
        super().__init__(REGISTRY[errors.TOO_MANY_PENDING].filled(most))


class TooManyTags(InvalidRequest):
    """A job has more tags than it may."""

    def __init__(self, number: int, most: int) -> None:
        super().__init__(REGISTRY[errors.TOO_MANY_TAGS].filled(number, most))


class TooManyRequests(Unavailable):
    """Jobs are sent faster than the plan allows."""

    retry_after_seconds = 60

    def __init__(self, most: int) -> None:
        super().__init__(REGISTRY[errors.TOO_MANY_REQUESTS].filled("POST", "/jobs", most, "minute"))


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """What requests are held to; nothing, where ``enforced`` is False."""

    enforced: bool

    def admit(self, body: RunJobRequest, caller: Caller, instance: Instance, jobs: JobStore, clock: Clock) -> None:
        """See that a job may be sent.

        Raises:
            InvalidRequest, TooManyTags, TooManyPending, TooManyRequests, NoSessionInPlan
        """
        if not self.enforced:
            return
        self.tags(() if body.tags is MISSING else body.tags)
        longest = _value(limits.EXECUTION_SECONDS)
        if body.cost is not MISSING and body.cost > longest:
            raise InvalidRequest(
                f"The cost of a job may be {longest} seconds, which is three hours: it is {body.cost}."
            )
        if instance.plan != OPEN:
            return
        if body.start_session is True:
            raise NoSessionInPlan(instance.plan)
        mine = JobQuery(account=caller.account, instance=instance.crn, states=PENDING, limit=1)
        if jobs.find(mine).total >= (most := _value(limits.OPEN_PENDING_JOBS)):
            raise TooManyPending(most)
        lately = JobQuery(account=caller.account, instance=instance.crn, created_after=clock.now() - MINUTE, limit=1)
        if jobs.find(lately).total >= (most := _value(limits.OPEN_JOBS_A_MINUTE)):
            raise TooManyRequests(most)

    def tags(self, tags: object) -> None:
        """See that a job has no more tags than it may.

        Raises:
            TooManyTags
        """
        number, most = len(list(tags)) if isinstance(tags, list | tuple) else 0, _value(limits.TAGS)
        if self.enforced and number > most:
            raise TooManyTags(number, most)

    def session(self, new: NewSession, instance: Instance) -> NewSession:
        """Return the session that is opened where another one is asked for: with the times that the service gives.

        Raises:
            NoSessionInPlan
        """
        if not self.enforced:
            return new
        batch, is_open = new.mode is SessionMode.BATCH, instance.plan == OPEN
        if is_open and not batch:
            raise NoSessionInPlan(instance.plan)
        longest = limits.OPEN_SESSION_SECONDS if is_open else limits.SESSION_SECONDS
        idle = limits.BATCH_INTERACTIVE_SECONDS if batch else limits.INTERACTIVE_SECONDS
        return replace(new, max_seconds=min(new.max_seconds, _value(longest)), interactive_seconds=float(_value(idle)))


def _value(limit: limits.Limit) -> int:
    """The value of a limit that is enforced."""
    if limit.value is None:
        raise ValueError("This limit is not enforced.")
    return round(limit.value)


def _limits(request: Request) -> ServiceLimits:
    return request.app.state.service_limits


Limits = Annotated[ServiceLimits, Depends(_limits)]
