"""Others queue at a device: our jobs have their position there, an expected start, and start when it is their turn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import databases
from qumulus.core.accounts import Caller
from qumulus.core.jobs import NewJob
from qumulus.core.queues import QueueSetting
from qumulus.core.results import Outcome
from qumulus.core.sessions import NewSession
from qumulus.emulation.clock import advance, set_clock
from qumulus.storage import Storage, open_storage

ME = Caller(account="local")
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
LEASE = timedelta(seconds=10)


@pytest.fixture
def storages(tmp_path: Path) -> Iterator[list[Storage]]:
    """The state as two processes see it; the clock stands."""
    url = databases.url(tmp_path)
    opened = [open_storage(tmp_path, url=url) for _ in range(2)]
    set_clock(opened[0].clock, rate=0, now=MONDAY)
    yield opened
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(storages: list[Storage]) -> Storage:
    """One where others need the device for 60 seconds, two jobs of 30."""
    busy(storages[0])
    return storages[0]


def busy(storage: Storage) -> None:
    setting = QueueSetting(recorded=((0.0, 30.0), (0.0, 30.0)))
    storage.device_settings.set_queue("fez", setting, storage.clock.now())


def submit(storage: Storage, **members: object) -> str:
    known = {"account": "local", "device": "fez", "kind": "echo", "api": "test"}
    return storage.jobs.submit(NewJob(**(known | members))).id  # ty: ignore


def test_a_job_starts_when_those_are_done_that_came_before_it(storage):
    job = submit(storage)
    assert storage.jobs.position(job) == 2
    assert storage.jobs.expected_start(job) == storage.jobs.due(job) == MONDAY + timedelta(minutes=1)
    advance(storage.clock, storage.jobs, 59)
    assert (storage.jobs.position(job), storage.queue.claim("me", 1, LEASE)) == (1, [])
    advance(storage.clock, storage.jobs, 1)
    assert [claim.job_id for claim in storage.queue.claim("me", 1, LEASE)] == [job]


def test_a_job_that_waits_for_a_clock_which_stands_says_so_in_its_log(storage):
    (line,) = storage.jobs.log(submit(storage))
    assert (
        "stands at 2026-03-02 08:00:00 UTC, and the job's turn at its device comes at 2026-03-02 08:01:00" in line.text
    )
    assert storage.jobs.log(submit(storage, device="torino")) == ()
    set_clock(storage.clock, rate=60)
    assert storage.jobs.log(submit(storage)) == ()


def test_an_expected_end_counts_what_the_device_takes(storage):
    storage.device_settings.set_queue("fez", QueueSetting(recorded=((0.0, 60.0),), run_scale=10), MONDAY)
    job = submit(storage, shots=4000)
    assert storage.jobs.expected_end(job) == MONDAY + timedelta(seconds=60 + 30)


def test_others_are_pending_jobs_of_the_device(storage):
    submit(storage)
    assert storage.jobs.pending("fez") == {"fez": 3}
    assert storage.jobs.pending()["fez"] == 3
    advance(storage.clock, storage.jobs, 60)
    assert storage.jobs.pending("fez") == {"fez": 1}


def test_another_device_serves_nobody_else(storage):
    job = submit(storage, device="torino")
    assert (storage.jobs.position(job), storage.jobs.pending("torino")) == (0, {"torino": 1})
    assert len(storage.queue.claim("me", 1, LEASE)) == 1


def test_jobs_of_a_session_that_has_the_device_wait_for_nobody(storage):
    session = storage.sessions.open(NewSession(account="local", device="fez")).id
    first = submit(storage, session=session)
    assert storage.queue.claim("me", 1, LEASE) == []
    advance(storage.clock, storage.jobs, 60)
    (claim,) = storage.queue.claim("me", 1, LEASE)
    assert claim.job_id == first
    storage.queue.start(claim)
    storage.queue.finish(claim, Outcome())
    busy(storage)
    second = submit(storage, session=session)
    assert storage.jobs.due(second) is None
    assert [claim.job_id for claim in storage.queue.claim("me", 1, LEASE)] == [second]


def test_other_processes_have_the_same_queue_and_see_it_end(storages):
    first, second = storages
    busy(first)
    job = submit(second)
    second.device_settings.forget()
    assert second.jobs.position(job) == 2
    first.device_settings.remove_queue("fez")
    second.device_settings.forget()
    assert second.jobs.position(job) == 0
    assert len(second.queue.claim("me", 1, LEASE)) == 1


def test_a_reset_ends_it(storage):
    storage.state.reset()
    assert storage.device_settings.queues() == {}
