"""The queue that others cause at a device: it follows from what was set, and moves with the clock alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from qumulus.core.queues import OthersQueue, QueueSetting

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return MONDAY + timedelta(seconds=seconds)


def recorded(*jobs: tuple[float, float]) -> OthersQueue:
    return OthersQueue("fez", QueueSetting(recorded=jobs), MONDAY)


def test_a_job_waits_for_those_that_came_before_it():
    queue = recorded((0, 10), (2, 10), (50, 10))
    assert queue.ready_at(after(1)) == after(10)
    assert queue.ready_at(after(3)) == after(20)
    assert queue.ready_at(after(30)) == after(30)
    assert queue.ready_at(after(51)) == after(60)


def test_a_position_goes_down_as_others_are_done():
    queue = recorded((0, 10), (2, 10), (50, 10))
    assert [queue.ahead(after(3), after(now)) for now in (3, 9, 10, 19, 20, 100)] == [2, 2, 1, 1, 0, 0]
    assert [queue.present(after(now)) for now in (0, 3, 15, 25, 55)] == [1, 2, 1, 0, 1]


def test_who_waited_before_it_began_is_not_held_up():
    assert recorded((0, 10)).ready_at(after(-5)) == after(-5)


def test_a_seed_gives_the_same_queue_whoever_looks_and_when():
    setting = QueueSetting(waiting=5, arrivals_per_hour=120, mean_run_seconds=25, seed=3)
    first, second = (OthersQueue("fez", setting, MONDAY) for _ in range(2))
    second.present(after(100_000))
    moments = [after(minute * 600) for minute in range(100)]
    assert [first.present(at) for at in moments] == [second.present(at) for at in moments]
    assert [first.ready_at(at) for at in moments] == [second.ready_at(at) for at in moments]
    other = OthersQueue("torino", setting, MONDAY)
    assert [first.ready_at(at) for at in moments] != [other.ready_at(at) for at in moments]


def test_as_many_come_as_was_said_and_then_no_more():
    queue = OthersQueue("fez", QueueSetting(arrivals_per_hour=100, mean_run_seconds=0.001, for_hours=100), MONDAY)
    came = queue.ahead(after(100 * 3600), MONDAY - timedelta(seconds=1))
    assert 9_000 < came < 11_000
    assert queue.ahead(after(1e6), MONDAY - timedelta(seconds=1)) == came
