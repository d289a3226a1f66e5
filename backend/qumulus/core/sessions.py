"""Sessions and batches: a set of jobs of one account on one device.

A *dedicated* session has its device to itself where the device runs one job at a time: from its first job on, jobs of
others wait until it is closed, idle for `interactive_seconds`, or older than `max_seconds`. A *batch* shares: its jobs take
their turns like all others. What a session is doing follows from its times; nothing has to tick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class SessionMode(StrEnum):
    """How a session uses its device."""

    DEDICATED = "dedicated"
    BATCH = "batch"


class SessionState(StrEnum):
    """What a session is doing."""

    OPEN = "open"  # none of its jobs has started yet
    ACTIVE = "active"  # a job waits or runs, or the last one ended a moment ago
    INACTIVE = "inactive"  # idle for longer than its interactive time; the next job makes it active again
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """What a family hands in."""

    account: str
    device: str
    mode: SessionMode = SessionMode.DEDICATED
    instance: str | None = None
    max_seconds: float = 28_800.0  # how long it may live from its first job on
    interactive_seconds: float = 60.0  # how long it may be idle before it lets go of the device
    session_id: str | None = None  # given by fixtures only
    request: Mapping[str, Any] = field(default_factory=dict)  # what the family wants to echo; JSON, opaque to the core


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session as everybody sees it. Times are aware and in UTC."""

    id: str
    account: str
    device: str
    mode: SessionMode
    instance: str | None
    max_seconds: float
    interactive_seconds: float
    created_at: datetime
    closing_at: datetime | None = None  # when it was told to take no more jobs
    activated_at: datetime | None = None  # start of its first job
    last_job_started: datetime | None = None
    last_job_ended: datetime | None = None
    pending_jobs: int = 0  # waiting or running
    run_seconds: float = 0.0  # what its jobs kept the device busy for
    request: Mapping[str, Any] = field(default_factory=dict)

    def expires_at(self) -> datetime | None:
        """When its longest life is over; None while no job has started."""
        return self.activated_at + timedelta(seconds=self.max_seconds) if self.activated_at else None

    def accepts_jobs(self, now: datetime) -> bool:
        """Say whether another job may be submitted to the session."""
        expires_at = self.expires_at()
        return self.closing_at is None and (expires_at is None or now < expires_at)

    def closed_at(self, now: datetime) -> datetime | None:
        """When it ended: its time was over, or it took no more jobs and the last one had ended."""
        expires_at = self.expires_at()
        if expires_at is not None and expires_at <= now and (self.closing_at is None or expires_at < self.closing_at):
            return expires_at
        if self.closing_at is None or self.pending_jobs:
            return None
        return max(self.closing_at, self.last_job_ended) if self.last_job_ended else self.closing_at

    def lets_go_at(self) -> datetime | None:
        """When it lets go of its device if it gets no more jobs; None while no job has started."""
        expires_at = self.expires_at()
        if expires_at is None or self.pending_jobs or self.last_job_ended is None:
            return expires_at
        return min(expires_at, self.last_job_ended + timedelta(seconds=self.interactive_seconds))

    def state(self, now: datetime) -> SessionState:
        """Return what the session is doing at ``now``."""
        if self.closed_at(now):
            return SessionState.CLOSED
        if self.activated_at is None:
            return SessionState.OPEN
        if self.pending_jobs:
            return SessionState.ACTIVE
        idle_since = self.last_job_ended or self.activated_at
        active = now < idle_since + timedelta(seconds=self.interactive_seconds)
        return SessionState.ACTIVE if active else SessionState.INACTIVE

    def holds_device(self, now: datetime) -> bool:
        """Say whether the session keeps a device that runs one job at a time to itself."""
        return self.mode is SessionMode.DEDICATED and self.state(now) is SessionState.ACTIVE


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Some sessions, and how many there are in all."""

    sessions: tuple[Session, ...]
    total: int
