"""The clock of the cloud as a straight line over that of the machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from qumulus.core.clock import REAL, ClockMode, ClockSetting

NOON = datetime(2026, 4, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_nobody_has_set_it():
    assert REAL.at(NOON) == NOON
    assert REAL.mode is ClockMode.REAL
    assert REAL.seconds_until(NOON + HOUR, NOON) == 3600


def test_it_goes_faster_from_where_it_is():
    fast = REAL.going(60, NOON)
    assert fast.mode is ClockMode.SCALED
    assert fast.at(NOON + timedelta(minutes=1)) == NOON + HOUR
    assert fast.seconds_until(NOON + HOUR, NOON) == 60


def test_it_stands():
    standing = REAL.going(0, NOON, cloud_at=NOON - 10 * HOUR)
    assert standing.mode is ClockMode.MANUAL
    assert standing.at(NOON + 5 * HOUR) == NOON - 10 * HOUR
    assert standing.seconds_until(NOON, NOON) is None
    assert standing.seconds_until(NOON - 11 * HOUR, NOON) == 0


def test_it_goes_as_fast_as_the_machine_from_another_time_on():
    other = REAL.going(1, NOON, cloud_at=NOON + HOUR)
    assert other.mode is ClockMode.SCALED
    assert other.at(NOON + HOUR) == NOON + 2 * HOUR


@pytest.mark.parametrize("setting", [REAL, replace(REAL.going(0.5, NOON, cloud_at=NOON + HOUR), bearers=True)])
def test_another_process_reads_what_this_one_has_written(setting):
    assert ClockSetting.of_members(setting.members()) == setting
