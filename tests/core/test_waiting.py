"""Waiting for a job to be final."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from qumulus.core.events import Events, Queued
from qumulus.core.waiting import REST, Waiting


class Cloud:
    """Some jobs that settle, and who counts the questions."""

    def __init__(self, hold: float = 300.0) -> None:
        self.final: set[str] = set()
        self.questions: list[tuple[str, ...]] = []
        self.events = Events()
        self.waiting = Waiting(self.finals, self.events, hold=hold, ours=lambda device: device == "ours")

    def finals(self, job_ids):
        self.questions.append(tuple(job_ids))
        return self.final & set(job_ids)

    def settle(self, job_id: str) -> None:
        self.final.add(job_id)
        self.events.settled.emit(job_id)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def test_a_final_job_is_answered_at_once(cloud):
    cloud.final.add("a")
    start = time.monotonic()
    assert asyncio.run(cloud.waiting.wait("a")) is True
    assert time.monotonic() - start < 60


def test_the_hold_ends_without_the_job(cloud):
    assert asyncio.run(cloud.waiting.wait("a", 0.05)) is False


def test_no_hold_asks_nothing(cloud):
    assert asyncio.run(cloud.waiting.wait("a", 0)) is False
    assert cloud.questions == []


def test_a_job_that_settles_in_another_thread_wakes_whoever_waits(cloud):
    async def both():
        threading.Timer(0.1, cloud.settle, ["a"]).start()
        return await asyncio.gather(cloud.waiting.wait("a"), cloud.waiting.wait("a"), cloud.waiting.wait("b", 0.3))

    start = time.monotonic()
    assert asyncio.run(both()) == [True, True, False]
    assert time.monotonic() - start < 60


def test_a_job_that_settles_while_the_first_question_is_asked_is_not_missed(cloud):
    ask = cloud.waiting._finals

    def settles_meanwhile(job_ids):
        answer = ask(job_ids)
        cloud.settle("a")
        return answer

    cloud.waiting._finals = settles_meanwhile
    assert asyncio.run(cloud.waiting.wait("a")) is True


def test_what_another_process_did_is_asked_once_for_all(cloud):
    async def many():
        waits = [asyncio.create_task(cloud.waiting.wait(str(number))) for number in range(200)]
        while len(cloud.questions) < 200:
            await asyncio.sleep(0.01)
        cloud.final |= {str(number) for number in range(200)}
        threading.Thread(target=cloud.events.elsewhere.emit, args=[None]).start()
        return await asyncio.gather(*waits)

    assert all(asyncio.run(many()))
    assert len(cloud.questions) == 201
    assert cloud.waiting.waited_for == 0


def test_another_process_that_is_busy_is_not_asked_all_the_time(cloud):
    def slow(job_ids):
        cloud.questions.append(tuple(job_ids))
        time.sleep(0.02)
        return cloud.final & set(job_ids)

    cloud.waiting._finals = slow

    async def wait():
        begun = time.monotonic()
        waiting = asyncio.create_task(cloud.waiting.wait("a"))
        for _ in range(100):
            cloud.events.elsewhere.emit(None)
            await asyncio.sleep(0.01)
        cloud.final.add("a")
        cloud.events.elsewhere.emit(None)
        assert await asyncio.wait_for(waiting, 60) is True
        return time.monotonic() - begun

    spent = asyncio.run(wait())
    assert 1 < len(cloud.questions) < 3 + spent / ((1 + REST) * 0.02)


def test_a_bell_after_the_loop_has_ended_is_harmless(cloud):
    asyncio.run(cloud.waiting.wait("a", 0.01))
    cloud.settle("a")


def queue(cloud: Cloud, job_id: str, device: str = "ours") -> None:
    cloud.events.queued.emit(Queued(job_id, device, "local"))


def test_a_job_that_was_queued_here_a_moment_ago_is_not_asked_for(cloud):
    queue(cloud, "a")
    threading.Timer(0.05, cloud.settle, ["a"]).start()
    assert asyncio.run(cloud.waiting.wait("a")) is True
    assert cloud.questions == []
    assert asyncio.run(cloud.waiting.wait("a")) is True
    assert cloud.questions == []


def test_a_job_of_a_device_whose_engine_is_elsewhere_is_asked_for(cloud):
    queue(cloud, "a", "theirs")
    cloud.final.add("a")
    assert asyncio.run(cloud.waiting.wait("a")) is True


def test_a_job_that_was_settled_before_it_was_said_that_it_is_queued_holds_nobody(cloud):
    cloud.settle("a")
    queue(cloud, "a")
    start = time.monotonic()
    assert asyncio.run(cloud.waiting.wait("a")) is True
    assert time.monotonic() - start < 60


def test_after_another_process_has_written_everything_is_asked_for_again(cloud):
    queue(cloud, "a")
    cloud.final.add("a")
    cloud.events.elsewhere.emit(None)
    start = time.monotonic()
    assert asyncio.run(cloud.waiting.wait("a")) is True
    assert time.monotonic() - start < 60
