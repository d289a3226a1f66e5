"""What the operators tell the users. Here the operator is you, so there is only what a newcomer should know."""

from __future__ import annotations

from datetime import UTC, datetime

from qumulus.core.errors import NotFound
from qumulus.openapi.contract import Operations
from qumulus.openapi.wire import Time

from .callers import Caller
from .schemas.announcement import (
    AnnouncementId,
    GetAnnouncementResponse,
    GetAnnouncementsListResponse,
    Number,
    Order,
)

operation = Operations()

ANNOUNCEMENTS = (
    GetAnnouncementResponse(
        id=1,
        title="Welcome",
        content="Everything here runs on your own machine: the devices are simulated with the noise of real calibrations.",
        start_time=datetime(2026, 1, 1, tzinfo=UTC),
        end_time=datetime(2099, 12, 31, tzinfo=UTC),
        publishable=True,
    ),
)


@operation("getAnnouncementsList")
def get_announcements_list(
    caller: Caller,
    offset: Number | None = None,
    limit: Number | None = None,
    order: Order = Order.DESC,
    current_time: Time | None = None,
) -> GetAnnouncementsListResponse:
    holding = [
        each for each in ANNOUNCEMENTS if current_time is None or each.start_time <= current_time <= each.end_time
    ]
    holding.sort(key=lambda each: (each.start_time, each.id), reverse=order is Order.DESC)
    first = int(offset or 0)
    return GetAnnouncementsListResponse(announcements=holding[first : None if limit is None else first + int(limit)])


@operation("getAnnouncement")
def get_announcement(announcement_id: AnnouncementId, caller: Caller) -> GetAnnouncementResponse:
    for each in ANNOUNCEMENTS:
        if each.id == announcement_id:
            return each
    raise NotFound(f"There is no announcement {announcement_id}: list the announcements to see them.")
