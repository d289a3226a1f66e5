"""A device takes its time for a job by the clock of the cloud, whatever the simulation took, and no slot is taken up by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dispatchers import ME, Cloud, wait_for
from qumulus.core.devices import DRY_RUN, STANDS_FOR, DeviceSettings
from qumulus.core.errors import WrongState
from qumulus.core.jobs import JobState
from qumulus.core.queues import QueueSetting
from qumulus.emulation.clock import JobMoment, advance, advance_until, set_clock
from qumulus.execution import lingering

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOURS = 2 * 3600


@pytest.fixture
def cloud(start: Callable[..., Cloud]) -> Cloud:
    """One worker, a clock that stands, and devices whose jobs run for two hours."""
    cloud = start(workers=1)
    set_clock(cloud.storage.clock, rate=0, now=MONDAY)
    for device in ("brisbane", "fez"):
        cloud.storage.device_settings.set(device, DeviceSettings(least_run_seconds=HOURS))
    return cloud


def due(cloud: Cloud, job_id: str) -> datetime:
    """When it ends, once that is known."""
    wait_for(lambda: cloud.storage.jobs.due(job_id) is not None)
    return cloud.storage.jobs.due(job_id)  # ty: ignore


def test_jobs_run_until_the_clock_is_advanced_and_take_no_worker_meanwhile(cloud):
    ids = [cloud.submit("echo", device=device) for device in ("brisbane", "fez")]
    assert [due(cloud, job_id) for job_id in ids] == [MONDAY + timedelta(seconds=HOURS)] * 2
    assert {cloud.get(job_id).state for job_id in ids} == {JobState.RUNNING}
    assert cloud.dispatcher.running().keys() == set(ids)
    advance(cloud.storage.clock, cloud.storage.jobs, HOURS)
    for job_id in ids:
        job = cloud.end(job_id)
        assert (job.state, job.ended_at - job.running_at) == (JobState.SUCCEEDED, timedelta(seconds=HOURS))


def test_a_dry_run_is_not_kept_for_the_time_of_the_device_that_its_mock_stands_for(cloud):
    job = cloud.end(cloud.submit("echo", device="mock_brisbane", request={STANDS_FOR: "brisbane", DRY_RUN: True}))
    assert (job.state, job.ended_at) == (JobState.SUCCEEDED, MONDAY)


def test_the_log_of_a_job_says_that_the_clock_stands(cloud):
    job_id = cloud.submit("echo")
    due(cloud, job_id)
    wait_for(
        lambda: any(
            "It waits: the clock of the cloud stands at 2026-03-02 08:00:00" in line.text
            for line in cloud.storage.jobs.log(job_id)
        )
    )


def test_a_job_that_runs_by_the_clock_is_cancelled(cloud):
    job_id = cloud.submit("echo")
    due(cloud, job_id)
    cloud.storage.jobs.cancel(job_id, ME)
    assert cloud.end(job_id).state is JobState.CANCELLED


def test_a_job_that_runs_by_the_clock_does_not_end_before_its_time_because_the_server_stops(cloud):
    job_id = cloud.submit("echo")
    due(cloud, job_id)
    cloud.dispatcher.stop()
    job = cloud.get(job_id)
    assert (job.state, job.ended_at) == (JobState.QUEUED, None)


def test_a_job_is_cancelled_that_waits_for_room_among_those_that_run_by_the_clock(cloud, monkeypatch):
    monkeypatch.setattr(lingering, "MOST", 1)
    first, second, _third = (cloud.submit("echo") for _ in range(3))
    for job_id in (first, second):
        due(cloud, job_id)
    cloud.storage.jobs.cancel(second, ME)
    assert cloud.end(second).state is JobState.CANCELLED


def test_a_job_fails_whose_device_takes_longer_than_the_job_may(cloud):
    job_id = cloud.submit("echo", max_seconds=20.0)
    assert due(cloud, job_id) == MONDAY + timedelta(seconds=20)
    advance(cloud.storage.clock, cloud.storage.jobs, 20)
    assert "longer than 20 seconds" in (cloud.end(job_id).reason or "")


def test_the_clock_goes_until_a_job_has_started_and_until_it_has_ended(cloud):
    cloud.storage.device_settings.set(
        "fez", DeviceSettings(least_queue_seconds=600, least_run_seconds=HOURS, one_at_a_time=True)
    )
    first, second = (cloud.submit("echo", device="fez") for _ in range(2))
    clock, jobs = cloud.storage.clock, cloud.storage.jobs
    advance_until(clock, jobs, first, JobMoment.STARTED)
    assert clock.now() == MONDAY + timedelta(seconds=600)
    advance_until(clock, jobs, second, JobMoment.STARTED)
    assert clock.now() == MONDAY + timedelta(seconds=600 + HOURS)
    advance_until(clock, jobs, second, JobMoment.ENDED)
    assert clock.now() == MONDAY + timedelta(seconds=600 + 2 * HOURS)
    assert cloud.get(second).state is JobState.SUCCEEDED


def test_who_waits_for_something_else_than_time_is_told(cloud, monkeypatch):
    monkeypatch.setattr("qumulus.emulation.clock.PATIENCE_SECONDS", 0.2)
    cloud.storage.device_settings.set("fez", DeviceSettings(online=False))
    job_id = cloud.submit("echo", device="fez")
    with pytest.raises(WrongState, match="see whether the device fez takes jobs"):
        advance_until(cloud.storage.clock, cloud.storage.jobs, job_id, JobMoment.ENDED)


def test_a_job_runs_for_as_long_as_its_device_would_take(cloud):
    cloud.storage.device_settings.set_queue("torino", QueueSetting(run_scale=2.0), MONDAY)
    job_id = cloud.submit("echo", device="torino", shots=4000)
    assert due(cloud, job_id) == MONDAY + timedelta(seconds=2 * (2 + 1))
    at_once = cloud.submit("echo", device="kyiv", shots=4000)
    assert cloud.end(at_once).ended_at == MONDAY
