"""Announcements as administrators see them."""

from __future__ import annotations

from dataclasses import replace

from qumulus.apis.oqtopus.admin.schemas.announcement import (
    GetAnnouncementResponse,
    RegisterAnnouncementRequest,
    UpdateAnnouncementRequest,
)
from qumulus.core.announcements import Announcement

MEMBERS = ("title", "content", "start_time", "end_time", "publishable")


def announcement(known: Announcement) -> GetAnnouncementResponse:
    """One that is stored."""
    said = {name: getattr(known, name) for name in MEMBERS}
    return GetAnnouncementResponse(id=known.number, updated_at=known.updated_at or known.start_time, **said)


def new(body: RegisterAnnouncementRequest) -> Announcement:
    """One that is to be stored."""
    return Announcement(**{name: getattr(body, name) for name in MEMBERS})


def changed(known: Announcement, body: UpdateAnnouncementRequest) -> Announcement:
    """``known`` with what the request names."""
    return replace(known, **{name: getattr(body, name) for name in body.model_fields_set & set(MEMBERS)})
