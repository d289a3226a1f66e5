"""The clock of the cloud: all processes on one state have it, sessions and credentials follow it, leases do not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import databases
from qumulus.core.accounts import Caller
from qumulus.core.clock import ClockMode
from qumulus.core.devices import DeviceSettings
from qumulus.core.errors import NotAuthenticated, WrongState
from qumulus.core.jobs import NewJob
from qumulus.core.results import Outcome
from qumulus.core.sessions import NewSession, SessionState
from qumulus.emulation.clock import advance, reset_clock, set_clock
from qumulus.storage import Storage, open_storage

ME = Caller(account="local")
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR, LEASE = timedelta(hours=1), timedelta(seconds=10)


@pytest.fixture
def storages(tmp_path: Path) -> Iterator[list[Storage]]:
    """The state as two processes see it."""
    url = databases.url(tmp_path)
    opened = [open_storage(tmp_path, url=url) for _ in range(2)]
    yield opened
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(storages: list[Storage]) -> Storage:
    """One whose clock stands."""
    set_clock(storages[0].clock, rate=0, now=MONDAY)
    return storages[0]


def submit(storage: Storage, **members: object) -> str:
    known = {"account": "local", "device": "fez", "kind": "echo", "api": "test"}
    return storage.jobs.submit(NewJob(**(known | members))).id  # ty: ignore


def run(storage: Storage, *, end: bool = True) -> str:
    (claim,) = storage.queue.claim("me", 1, LEASE)
    assert storage.queue.start(claim)
    if end:
        assert storage.queue.finish(claim, Outcome())
    return claim.job_id


def test_who_sets_it_sets_it_for_all_processes(storages):
    first, second = storages
    assert second.clock.setting.mode is ClockMode.REAL
    set_clock(first.clock, rate=0, now=MONDAY)
    assert second.clock.now() == first.clock.now() == MONDAY
    advance(second.clock, second.jobs, 7200)
    assert first.clock.now() == MONDAY + 2 * HOUR
    reset_clock(first.clock)
    assert abs(first.clock.now() - first.clock.wall()) < HOUR


def test_it_goes_on_from_where_it_is_when_it_is_scaled(storage):
    set_clock(storage.clock, rate=10_000)
    assert storage.clock.now() > MONDAY
    now = storage.clock.now()
    set_clock(storage.clock, rate=0)
    assert now <= storage.clock.now() == storage.clock.now()


def test_it_has_a_first_and_a_last_year(storage):
    with pytest.raises(WrongState, match="1970 to 3000"):
        advance(storage.clock, storage.jobs, 1e11)
    with pytest.raises(WrongState):
        set_clock(storage.clock, rate=1, now=datetime(9999, 12, 31, tzinfo=UTC))
    assert storage.clock.now() == MONDAY


def test_a_session_expires_when_the_clock_says_so(storage):
    session = storage.sessions.open(NewSession(account="local", device="fez", max_seconds=7200)).id
    submit(storage, session=session)
    run(storage)
    advance(storage.clock, storage.jobs, 7199)
    assert storage.sessions.get(session, ME).accepts_jobs(storage.clock.now())
    advance(storage.clock, storage.jobs, 1)
    assert storage.sessions.get(session, ME).state(storage.clock.now()) is SessionState.CLOSED
    with pytest.raises(WrongState):
        submit(storage, session=session)


def test_a_credential_expires_when_the_clock_says_so(storage):
    storage.accounts.add_token("local", "ibm", "a key", expires_at=MONDAY + HOUR)
    assert storage.accounts.authenticate("ibm", "a key").account == "local"
    advance(storage.clock, storage.jobs, 3600)
    with pytest.raises(NotAuthenticated):
        storage.accounts.authenticate("ibm", "a key")


def test_a_job_has_the_dates_of_the_cloud(storage, monkeypatch):
    monkeypatch.setattr("qumulus.emulation.clock.QUIET_SECONDS", 0.0)  # nobody is there who takes it
    submitted = submit(storage)
    advance(storage.clock, storage.jobs, 60)
    run(storage, end=False)
    job = storage.jobs.get(submitted, ME)
    assert (job.created_at, job.running_at) == (MONDAY, MONDAY + timedelta(minutes=1))


def test_a_leap_of_the_clock_takes_no_job_from_who_runs_it(storage):
    submit(storage)
    run(storage, end=False)
    set_clock(storage.clock, rate=0, now=MONDAY + 300 * HOUR)
    assert storage.queue.recover() == 0


def test_a_job_is_due_when_its_least_time_in_the_queue_is_over(storage):
    storage.device_settings.set("fez", DeviceSettings(least_queue_seconds=3600, one_at_a_time=True))
    job = submit(storage)
    assert storage.jobs.due(job) == MONDAY + HOUR
    assert storage.queue.claim("me", 1, LEASE) == []
    advance(storage.clock, storage.jobs, 3600)
    assert run(storage, end=False) == job


def test_a_job_is_due_when_the_run_before_it_or_the_session_lets_go_of_the_device(storage):
    storage.device_settings.set("fez", DeviceSettings(one_at_a_time=True))
    session = storage.sessions.open(NewSession(account="local", device="fez", interactive_seconds=300)).id
    submit(storage, session=session)
    after_it = submit(storage)
    (claim,) = storage.queue.claim("me", 1, LEASE)
    storage.queue.start(claim)
    storage.queue.expect_end(claim, MONDAY + HOUR)
    assert storage.jobs.due(after_it) == MONDAY + HOUR
    storage.queue.finish(claim, Outcome())
    assert storage.jobs.due(after_it) == MONDAY + timedelta(minutes=5)


def test_a_reset_gives_the_clock_back(storage):
    storage.state.reset()
    assert storage.clock.setting.mode is ClockMode.REAL
