"""Time, of which there are two sorts, and each has its port: their methods differ, so that neither passes for the other.

What people of the cloud see or are held to follows the clock of the cloud, which can be set, scaled and stopped: sessions,
credentials, usage, queues, the dates of everything. What keeps this program well follows the clock of the machine: leases,
heartbeats, what a sandbox may take, connections.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from qumulus.core.clock import ClockSetting


class Clock(Protocol):
    """The time of the cloud."""

    @property
    def setting(self) -> ClockSetting:
        """How the clock goes now. All processes on one state have the same."""
        ...

    def now(self) -> datetime:
        """Return what time it is in the cloud, aware, in UTC. It may stand still, run fast, and leap."""
        ...

    def wall(self) -> datetime:
        """Return what time the machine has, by which programs outside go."""
        ...

    def seconds_until(self, moment: datetime) -> float | None:
        """Return how many seconds of the machine it takes until ``moment``; None where the clock stands still before it."""
        ...


class ClockControl(Clock, Protocol):
    """The same, for who may set it."""

    def change(self, change: Callable[[ClockSetting, datetime], ClockSetting]) -> ClockSetting:
        """Set what ``change`` makes of the setting and of the time of the machine. All processes have it when this returns."""
        ...


class MachineClock(Protocol):
    """The time of the machine."""

    def wall(self) -> datetime:
        """Return what time it really is, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...
