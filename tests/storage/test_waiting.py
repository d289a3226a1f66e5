"""What a process knows of the lanes in which jobs wait, and when it asks the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from qumulus.core.devices import DeviceSettings
from qumulus.core.jobs import NewJob
from qumulus.core.results import Outcome
from qumulus.storage import Storage, open_storage
from qumulus.storage.jobs import waiting

LEASE = timedelta(seconds=10)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(tmp_path / "state")
    yield opened
    opened.close()


@pytest.fixture
def asked(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement from here on; what is once known of the lanes is believed until something happens."""
    monkeypatch.setattr(waiting, "BELIEVED_SECONDS", 60)
    storage.jobs.submit(job())
    for each in storage.queue.claim("before", 1, LEASE):  # what is read once is read by now
        storage.queue.finish(each, Outcome(result=b"{}"))
    said: list[str] = []
    for engine in (storage._database._reading, storage._database._writing):
        event.listen(engine, "before_cursor_execute", lambda _c, _u, text, *_: said.append(text.split(maxsplit=1)[0]))
    return said


def job(account: str = "local", device: str = "brisbane") -> NewJob:
    return NewJob(account=account, device=device, kind="echo", api="test")


def claim(storage: Storage, count: int = 1) -> list[str]:
    return [each.account for each in storage.queue.claim("me", count, LEASE)]


@pytest.mark.only("sqlite")
def test_a_queue_that_is_known_to_be_empty_is_not_asked_again(storage, asked):
    assert claim(storage) == []
    asked.clear()
    assert claim(storage) == []
    assert asked == []


@pytest.mark.only("sqlite")
def test_a_job_that_is_queued_here_is_claimed_in_one_statement_and_leaves_the_queue_empty(storage, asked):
    claim(storage)
    storage.jobs.submit(job())
    asked.clear()
    assert claim(storage, 2) == ["local"]
    assert asked == ["UPDATE", "UPDATE"]  # the second one finds nothing
    asked.clear()
    assert claim(storage) == []
    assert asked == []


@pytest.mark.only("sqlite")
def test_a_job_for_others_costs_whoever_does_not_run_it_no_transaction(storage, asked):
    claim(storage)
    storage.jobs.submit(job())
    asked.clear()
    assert storage.queue.claim("services", 1, LEASE, devices=lambda device: device.startswith("service")) == []
    assert asked == []


def test_two_accounts_are_served_in_turn_though_their_lanes_are_known(storage, asked):
    claim(storage)
    for account in ("a", "a", "b"):
        storage.jobs.submit(job(account))
    assert [claim(storage)[0] for _ in range(3)] == ["a", "b", "a"]


@pytest.mark.only("sqlite")
def test_what_another_process_queues_is_found(storage, asked, tmp_path):
    assert claim(storage) == []
    other = open_storage(tmp_path / "state")
    other.jobs.submit(job("other"))
    other.close()
    storage.events.elsewhere.emit(None)  # what the writer says when it sees the counter of commits
    assert claim(storage) == ["other"]


def test_a_job_that_is_queued_while_the_database_is_asked_is_not_missed(storage, asked):
    known = waiting.Waiting(storage._database, storage.device_settings, storage.events)
    execute = storage._database.read

    def meanwhile():
        connection = execute()
        storage.events.queued.emit(None)
        return connection

    storage._database.read = meanwhile
    assert known.look().lanes == frozenset()
    storage._database.read = execute
    storage.jobs.submit(job())
    assert len(known.look().lanes) == 1


@pytest.mark.parametrize("settings", [{"one_at_a_time": True}, {"least_queue_seconds": 60.0}])
def test_a_job_that_may_not_run_yet_is_looked_for_again(storage, asked, settings):
    storage.device_settings.set("brisbane", DeviceSettings(**settings))
    first = storage.jobs.submit(job())
    second = storage.jobs.submit(job())
    found = storage.queue.claim("me", 2, LEASE)
    storage.device_settings.set("brisbane", DeviceSettings())
    for each in found:
        storage.queue.finish(each, Outcome(result=b"{}"))
    left = storage.queue.claim("me", 2, LEASE)
    assert [each.job_id for each in (*found, *left)] == [first.id, second.id]


@pytest.mark.only("sqlite")
def test_a_job_from_its_submission_to_its_end_costs_four_statements(storage, asked):
    claim(storage)
    asked.clear()
    storage.jobs.submit(job())
    (held,) = storage.queue.claim("me", 1, LEASE)
    assert storage.queue.finish(held, Outcome(result=b"{}"), began_at=storage.clock.now())
    assert sorted(asked) == ["INSERT", "INSERT", "UPDATE", "UPDATE"]
