"""What the administrators tell the users; the first announcement is what a newcomer should know."""

from __future__ import annotations

from qumulus.apis.dependencies import Announcements
from qumulus.core.announcements import Announcement
from qumulus.core.errors import UnknownAnnouncement
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


@operation("getAnnouncementsList")
def get_announcements_list(
    caller: Caller,
    announcements: Announcements,
    offset: Number | None = None,
    limit: Number | None = None,
    order: Order = Order.DESC,
    current_time: Time | None = None,
) -> GetAnnouncementsListResponse:
    shown = [each for each in announcements.announcements() if each.publishable]
    holding = [each for each in shown if current_time is None or each.holds(current_time)]
    ordered = holding[::-1] if order is Order.DESC else holding
    first = int(offset or 0)
    page = ordered[first : None if limit is None else first + int(limit)]
    return GetAnnouncementsListResponse(announcements=[_announcement(each) for each in page])


@operation("getAnnouncement")
def get_announcement(
    announcement_id: AnnouncementId, caller: Caller, announcements: Announcements
) -> GetAnnouncementResponse:
    found = announcements.announcement(announcement_id)
    if not found.publishable:
        raise UnknownAnnouncement(announcement_id)
    return _announcement(found)


def _announcement(known: Announcement) -> GetAnnouncementResponse:
    return GetAnnouncementResponse(
        id=known.number,
        title=known.title,
        content=known.content,
        start_time=known.start_time,
        end_time=known.end_time,
        publishable=known.publishable,
    )
