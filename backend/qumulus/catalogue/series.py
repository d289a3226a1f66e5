"""The series of a device: its calibrations, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from qumulus.core.devices import Calibration
from qumulus.core.errors import UnknownCalibration


def choose(
    series: Sequence[Calibration], calibration_id: str | None, before: datetime | None, now: datetime | None = None
) -> Calibration:
    """Return the calibration with that id, else the newest not after a time (the oldest if all are after), else the newest.

    Nothing counts that is after ``now``, where that is given.

    Raises:
        UnknownCalibration
    """
    if calibration_id is not None:
        found = next((one for one in series if one.id == calibration_id), None)
        if found is None:
            raise UnknownCalibration(series[0].device, calibration_id)
        return found
    before = min((each for each in (before, now) if each is not None), default=None)
    if before is None:
        return series[-1]
    return next((one for one in reversed(series) if one.at <= before), series[0])
