"""The clock of the cloud."""

from __future__ import annotations

from qumulus.apis.emulator.schemas.clock import Clock, ClockMode
from qumulus.core.ports import ClockControl


def clock(known: ClockControl) -> Clock:
    """The clock as it goes now."""
    wall, setting = known.wall(), known.setting
    return Clock(
        mode=ClockMode(setting.mode),
        rate=setting.rate,
        now=setting.at(wall),
        machine=wall,
        bearer_tokens=setting.bearers,
    )
