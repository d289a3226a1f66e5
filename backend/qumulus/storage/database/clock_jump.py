"""Noticing that the wall clock was set, or that the machine slept: then what it says of a lease means nothing for a while."""

from __future__ import annotations

from qumulus.core.ports import MachineClock

MOST_DRIFT_SECONDS = 2.0  # between two looks; more than that is no drift
CALM_SECONDS = 60.0  # until everybody who lives has renewed his leases


class ClockJump:
    """Compares the wall clock with the one that never leaps, at each look."""

    def __init__(self, clock: MachineClock) -> None:
        self._clock = clock
        self._offset = self._difference()
        self._calm_at = clock.monotonic()

    def just_now(self) -> bool:
        """Say whether the wall clock has jumped a short time ago."""
        offset = self._difference()
        if abs(offset - self._offset) > MOST_DRIFT_SECONDS:
            self._calm_at = self._clock.monotonic() + CALM_SECONDS
        self._offset = offset
        return self._clock.monotonic() < self._calm_at

    def distrust(self) -> None:
        """Leases could not be renewed: what they say means nothing for a while either."""
        self._calm_at = self._clock.monotonic() + CALM_SECONDS

    def _difference(self) -> float:
        return self._clock.wall().timestamp() - self._clock.monotonic()
