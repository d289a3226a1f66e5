"""What administrators tell the users."""

from __future__ import annotations

from qumulus.apis.dependencies import Announcements
from qumulus.openapi.contract import Operations
from qumulus.openapi.wire import Time

from .callers import Caller
from .schemas.announcement import (
    AnnouncementId,
    GetAnnouncementResponse,
    GetAnnouncementsListResponse,
    Order,
    RegisterAnnouncementRequest,
    UpdateAnnouncementRequest,
)
from .schemas.page import Number
from .schemas.success import SuccessResponse
from .translate import announcements as translate
from .translate.pages import page

operation = Operations()


@operation("listAnnouncements")
def list_announcements(
    caller: Caller,
    announcements: Announcements,
    offset: Number | None = None,
    limit: Number = "10",
    order: Order = Order.ASC,
    current_time: Time | None = None,
) -> GetAnnouncementsListResponse:
    found = [each for each in announcements.announcements() if current_time is None or each.holds(current_time)]
    ordered = found if order is Order.ASC else found[::-1]
    return GetAnnouncementsListResponse(
        announcements=[translate.announcement(each) for each in page(ordered, offset, limit)]
    )


@operation("registerAnnouncement")
def register_announcement(
    body: RegisterAnnouncementRequest, caller: Caller, announcements: Announcements
) -> SuccessResponse:
    announcements.add(translate.new(body))
    return SuccessResponse(message="Announcement registered successfully")


@operation("getAnnouncement")
def get_announcement(
    announcement_id: AnnouncementId, caller: Caller, announcements: Announcements
) -> GetAnnouncementResponse:
    return translate.announcement(announcements.announcement(announcement_id))


@operation("updateAnnouncement")
def update_announcement(
    announcement_id: AnnouncementId, body: UpdateAnnouncementRequest, caller: Caller, announcements: Announcements
) -> SuccessResponse:
    announcements.change(translate.changed(announcements.announcement(announcement_id), body))
    return SuccessResponse(message="Announcement updated successfully")


@operation("deleteAnnouncement")
def delete_announcement(announcement_id: AnnouncementId, caller: Caller, announcements: Announcements) -> None:
    announcements.remove(announcement_id)
