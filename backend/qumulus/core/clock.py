"""Clocks: that of the machine, and that of the cloud, which somebody may set. See `core.ports.time` for what follows which."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockMode(StrEnum):
    """How the clock of the cloud goes."""

    REAL = "real"  # as that of the machine
    SCALED = "scaled"  # so many times as fast, perhaps from another time on
    MANUAL = "manual"  # it stands until somebody advances it


@dataclass(frozen=True, slots=True)
class ClockSetting:
    """A straight line: when the machine has ``machine_at`` the cloud has ``cloud_at``, and goes ``rate`` times as fast."""

    rate: float = 1.0
    machine_at: datetime = EPOCH
    cloud_at: datetime = EPOCH
    bearers: bool = (
        False  # whether bearer tokens end by it too, though clients renew theirs by the clock of the machine
    )

    @property
    def mode(self) -> ClockMode:
        """Return what people call it."""
        if self.rate == 0:
            return ClockMode.MANUAL
        return ClockMode.REAL if self.rate == 1 and self.machine_at == self.cloud_at else ClockMode.SCALED

    def at(self, wall: datetime) -> datetime:
        """Return the time in the cloud at a time of the machine."""
        if self.rate == 1:
            return wall + (self.cloud_at - self.machine_at)
        return self.cloud_at + (wall - self.machine_at) * self.rate

    def members(self) -> list[Any]:
        """Return what `of_members` makes the setting of again, in JSON."""
        return [self.rate, self.machine_at.isoformat(), self.cloud_at.isoformat(), self.bearers]

    @classmethod
    def of_members(cls, members: Sequence[Any] | None) -> ClockSetting:
        """Return the setting of its members; the real clock where there are none."""
        if members is None:
            return REAL
        rate, machine_at, cloud_at, bearers = members
        return cls(float(rate), datetime.fromisoformat(machine_at), datetime.fromisoformat(cloud_at), bearers)

    def going(self, rate: float, wall: datetime, *, cloud_at: datetime | None = None) -> ClockSetting:
        """Return the setting that goes so fast from now on, and shows ``cloud_at`` now, or what it shows anyway."""
        return replace(self, rate=rate, machine_at=wall, cloud_at=self.at(wall) if cloud_at is None else cloud_at)

    def seconds_until(self, moment: datetime, wall: datetime) -> float | None:
        """Return how many seconds of the machine it takes until ``moment``; None where the clock stands before it."""
        left = (moment - self.at(wall)).total_seconds()
        if left <= 0:
            return 0.0
        return left / self.rate if self.rate else None


REAL = ClockSetting()


class SystemClock:
    """`core.ports.MachineClock` of this machine."""

    def wall(self) -> datetime:
        """Wall time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()


class _Wall(Protocol):
    def wall(self) -> datetime: ...


class CloudClock:
    """`core.ports.Clock`: what somebody has set, on top of the clock of the machine. Where nobody sets it, it is that one."""

    def __init__(self, machine: _Wall, setting: Callable[[], ClockSetting] = lambda: REAL) -> None:
        self._machine = machine
        self._setting = setting

    @property
    def setting(self) -> ClockSetting:
        """How it goes now."""
        return self._setting()

    def now(self) -> datetime:
        """Return what time it is in the cloud."""
        return self.setting.at(self._machine.wall())

    def wall(self) -> datetime:
        """Return what time the machine has."""
        return self._machine.wall()

    def seconds_until(self, moment: datetime) -> float | None:
        """Return how many seconds of the machine it takes until ``moment``. See `core.ports.Clock`."""
        return self.setting.seconds_until(moment, self._machine.wall())


__all__ = ["REAL", "ClockMode", "ClockSetting", "CloudClock", "SystemClock"]
