"""Whoever follows is told of what happens to jobs, whichever process it happened in."""

from __future__ import annotations

import asyncio

from qumulus.core.events import Events, Queued
from qumulus.core.following import MOST_JOBS, Changes, Following


def told(happen, *, events: Events | None = None, count: int = 2) -> list[Changes]:
    """What a follower is told, the first ``count`` times, while ``happen`` is called after the first."""
    events = events or Events()

    async def follow() -> list[Changes]:
        found = []
        stream = Following(events).changes(5)
        async for changed in stream:
            found.append(changed)
            if len(found) == count:
                break
            happen(events)
        await stream.aclose()
        return found

    return asyncio.run(follow())


def test_the_first_word_comes_at_once_and_names_nothing() -> None:
    assert told(lambda _events: None, count=1) == [()]


def test_jobs_that_change_together_are_told_together() -> None:
    def happen(events: Events) -> None:
        events.queued.emit(Queued("b", "brisbane", "local"))
        events.progressed.emit("a")
        events.settled.emit("b")

    assert told(happen) == [(), ("a", "b")]


def test_what_another_process_did_is_told_without_names() -> None:
    def happen(events: Events) -> None:
        events.settled.emit("a")
        events.elsewhere.emit(None)

    assert told(happen) == [(), ()]


def test_more_jobs_than_can_be_named_are_told_without_names() -> None:
    def happen(events: Events) -> None:
        for number in range(MOST_JOBS + 1):
            events.queued.emit(Queued(str(number), "brisbane", "local"))

    assert told(happen) == [(), ()]


def test_a_follower_who_leaves_is_forgotten() -> None:
    events = Events()
    told(lambda _events: None, events=events, count=1)
    assert events.queued._listeners == events.elsewhere._listeners == ()


def test_it_ends_when_the_time_is_over() -> None:
    async def follow() -> list[Changes]:
        return [changed async for changed in Following(Events()).changes(0)]

    assert asyncio.run(follow()) == [()]
