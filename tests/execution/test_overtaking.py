"""Long jobs of one account on every worker: another account's job does not wait for their end, and who is alone gets no more workers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from dispatchers import wait_for
from qumulus.core.accounts import Caller
from qumulus.core.devices import DeviceSettings
from qumulus.core.jobs import JobState
from qumulus.execution.idle import IdleSlots


def test_a_job_of_another_account_overtakes_long_jobs_that_have_all_workers(start):
    cloud = start(workers=2)
    long = [cloud.submit("nap", "60") for _ in range(3)]
    for job_id in long[:2]:
        cloud.until(job_id, JobState.RUNNING)
    other = cloud.submit("echo", account="other")
    others = Caller(account="other")
    wait_for(lambda: cloud.storage.jobs.get(other, others).state is JobState.SUCCEEDED, 40)
    assert [cloud.get(job_id).state for job_id in long] == [JobState.RUNNING, JobState.RUNNING, JobState.QUEUED]


def test_an_account_whose_job_only_runs_by_the_clock_overtakes_too(start):
    cloud = start(workers=1)
    others = Caller(account="other")
    cloud.storage.device_settings.set("fez", DeviceSettings(least_run_seconds=600))
    lingering = cloud.submit("echo", account="other", device="fez")
    wait_for(lambda: cloud.storage.jobs.due(lingering) is not None)
    cloud.until(cloud.submit("nap", "60"), JobState.RUNNING)
    other = cloud.submit("echo", account="other")
    wait_for(lambda: cloud.storage.jobs.get(other, others).state is JobState.SUCCEEDED, 40)


def test_slots_that_are_left_of_more_places_are_not_besides_the_usual_ones():
    wanted = 8
    slots = IdleSlots(lambda: wanted, besides=0)
    make: Any = lambda number: SimpleNamespace(number=number, prepare=lambda: None)  # noqa: E731
    slots.grow(make)
    wanted = 2
    assert len(slots.take()) == 2
    assert slots.take_besides() == []


def test_one_slot_besides_is_taken_when_all_usual_ones_are():
    slots = IdleSlots(lambda: 2, besides=1)
    make: Any = lambda number: SimpleNamespace(number=number, prepare=lambda: None)  # noqa: E731
    slots.grow(make)
    assert [len(slots.take()), len(slots.take_besides()), len(slots.take_besides())] == [2, 1, 0]
