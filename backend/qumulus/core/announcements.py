"""Announcements: what administrators tell the users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One announcement, and when it holds."""

    title: str
    content: str
    start_time: datetime
    end_time: datetime
    publishable: bool
    number: int = 0  # given when the announcement is stored
    updated_at: datetime | None = None  # likewise

    def holds(self, at: datetime) -> bool:
        """Say whether the announcement is for the moment ``at``."""
        return self.start_time <= at <= self.end_time


class Announcements(Protocol):
    """The announcements. Any process of a state sees them."""

    def announcements(self) -> Sequence[Announcement]:
        """Return all announcements, by when they begin."""
        ...

    def announcement(self, number: int) -> Announcement:
        """Return one announcement.

        Raises:
            UnknownAnnouncement
        """
        ...

    def add(self, new: Announcement) -> Announcement: ...

    def change(self, changed: Announcement) -> None:
        """Store another content of the announcement with the same number.

        Raises:
            UnknownAnnouncement
        """
        ...

    def remove(self, number: int) -> None:
        """Forget an announcement.

        Raises:
            UnknownAnnouncement
        """
        ...
