"""What the soak takes for growth, and what not."""

from __future__ import annotations

import math

from benchmarks.soak import grows, slope, warm

MINUTES = [number / 30 for number in range(300)]


def test_a_leak_grows_and_a_level_with_waves_and_peaks_does_not():
    leak = [(minute, 200 + 3 * minute) for minute in MINUTES]
    waves = [
        (minute, 200 + 5 * math.sin(7 * minute) + (80 if number % 50 == 49 else 0))
        for number, minute in enumerate(MINUTES)
    ]
    assert grows(leak, 1.0, 12.0)
    assert not grows(waves, 1.0, 12.0)
    assert abs(slope(leak) - 3) < 1e-6


def test_half_a_minute_is_forgiven_what_memory_varies_by():
    short = [(minute / 20, 200 + minute) for minute in MINUTES]  # 10 MiB in half a minute
    assert not grows(short, 1.0, 12.0)
    assert grows([(minute, mib + 40 * minute) for minute, mib in short], 1.0, 12.0)


def test_it_is_warm_when_memory_has_stopped_to_rise_and_each_client_has_done_something():
    rising, level = [100.0 + number for number in range(60)], [150.0] * 60
    assert not warm(rising, [50, 50])
    assert not warm(level, [50, 0])
    assert not warm(level[:10], [50, 50])
    assert warm([*rising, *level], [50, 50])
