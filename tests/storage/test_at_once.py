"""Jobs that are claimed in the step in which they are stored: when, for whom, and what becomes of the slot that was kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from qumulus.core.accounts import Caller
from qumulus.core.devices import DeviceSettings
from qumulus.core.errors import SessionClosed
from qumulus.core.faults import FaultKind, FaultRule
from qumulus.core.jobs import JobState, NewJob
from qumulus.core.ports import Claim
from qumulus.core.results import Outcome
from qumulus.core.sessions import NewSession
from qumulus.storage import Storage, open_storage
from qumulus.storage.jobs import waiting

LEASE = timedelta(seconds=10)
ME = Caller(account="local")


class Desk:
    """A dispatcher with some slots: what began at them, with None where a slot was given back."""

    def __init__(self, storage: Storage, slots: int = 1) -> None:
        self.free = slots
        self.begun: list[Claim | None] = []
        storage.queue.at_once.offer("me", LEASE, self.keep, lambda device: not device.startswith("service"))

    def keep(self):
        if not self.free:
            return None
        self.free -= 1
        return self.begin

    def begin(self, claim: Claim | None) -> None:
        self.begun.append(claim)
        self.free += claim is None


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """With a queue that is known to be empty, as it is again and again where a dispatcher looks."""
    monkeypatch.setattr(waiting, "BELIEVED_SECONDS", 60)
    opened = open_storage(tmp_path / "state")
    opened.queue.claim("me", 1, LEASE)
    yield opened
    opened.close()


def job(**members: object) -> NewJob:
    fields = {"account": "local", "device": "brisbane", "kind": "echo", "api": "test", "payload": b"p"} | members
    return NewJob(**fields)  # ty: ignore[invalid-argument-type]


def state(storage: Storage, job_id: str) -> JobState:
    return storage.jobs.get(job_id, ME).state


def test_a_job_that_nobody_is_before_begins_in_a_free_slot_and_ends_as_any_other(storage):
    desk = Desk(storage)
    accepted = storage.jobs.submit(job(request={"a": [1]}, calibration="c"))
    (claim,) = desk.begun
    assert accepted.state is JobState.QUEUED  # as whoever submits it hears of it
    assert (claim.job_id, claim.attempt, claim.account, claim.program.payload) == (accepted.id, 1, "local", b"p")
    assert (claim.program.calibration, claim.program.options) == ("c", {"a": [1]})
    assert state(storage, accepted.id) is JobState.CLAIMED
    assert storage.queue.claim("other", 1, LEASE) == []
    assert storage.queue.heartbeat("me", [claim], LEASE) == []
    assert storage.queue.finish(claim, Outcome(result=b"r"), began_at=storage.clock.now())
    assert storage.jobs.result(accepted.id)[0] == b"r"


@pytest.mark.only("sqlite")
def test_it_costs_one_statement_more_than_none(storage):
    desk = Desk(storage, slots=2)
    storage.jobs.submit(job())
    said: list[str] = []
    for engine in (storage._database._reading, storage._database._writing):
        event.listen(engine, "before_cursor_execute", lambda _c, _u, text, *_: said.append(text.split(maxsplit=1)[0]))
    storage.jobs.submit(job())
    assert len(desk.begun) == 2
    assert said == ["INSERT"]


def test_it_has_the_same_program_as_by_a_claim_of_its_own(storage):
    desk = Desk(storage)
    at_once = storage.jobs.submit(job(shots=5, max_seconds=7.0))
    (claim,) = desk.begun
    storage.queue.put_back(claim)
    (again,) = storage.queue.claim("me", 1, LEASE)
    assert again.job_id == at_once.id
    assert again.program == claim.program
    assert (again.account, again.max_seconds, again.queued_at, again.trace) == (
        claim.account, claim.max_seconds, claim.queued_at, claim.trace,
    )  # fmt: skip


def test_where_one_waits_the_next_one_waits_behind_it(storage):
    desk = Desk(storage, slots=0)
    first = storage.jobs.submit(job()).id
    desk.free = 1
    second = storage.jobs.submit(job()).id
    assert desk.begun == []
    assert [claim.job_id for claim in storage.queue.claim("me", 2, LEASE)] == [first, second]


@pytest.mark.parametrize(
    "settings",
    [
        DeviceSettings(online=False),
        DeviceSettings(one_at_a_time=True),
        DeviceSettings(least_queue_seconds=60),
        DeviceSettings(provider=True),
    ],
)
def test_a_device_with_rules_of_its_own_has_its_jobs_claimed_by_them(storage, settings):
    desk = Desk(storage)
    storage.device_settings.set("brisbane", settings)
    assert state(storage, storage.jobs.submit(job()).id) is JobState.QUEUED
    assert desk.begun == []


def test_what_others_run_and_what_has_no_program_yet_is_left_alone(storage):
    desk = Desk(storage)
    assert state(storage, storage.jobs.submit(job(device="service x")).id) is JobState.QUEUED
    storage.queue.claim("services", 1, LEASE)
    assert state(storage, storage.jobs.submit(job(registered=True)).id) is JobState.REGISTERED
    assert desk.begun == []


def test_a_job_that_a_fault_may_hit_is_looked_at_when_it_is_claimed(storage):
    desk = Desk(storage)
    storage.faults.add(FaultRule(kind=FaultKind.JOB_FAILS))
    storage.jobs.submit(job())
    assert desk.begun == []
    (claim,) = storage.queue.claim("me", 1, LEASE)
    assert claim.fault is not None


def test_the_slot_of_a_job_that_is_refused_is_free_again(storage):
    desk = Desk(storage)
    session = storage.sessions.open(NewSession(account="local", device="brisbane"))
    storage.sessions.close(session.id, ME)
    storage.queue.claim("me", 1, LEASE)  # others may have had to wait for it: nobody does
    with pytest.raises(SessionClosed):
        storage.jobs.submit(job(session=session.id))
    assert (desk.begun, desk.free) == ([None], 1)


def test_a_job_that_is_sent_again_runs_once(storage):
    desk = Desk(storage, slots=2)
    first = storage.jobs.submit(job(idempotency_key="k"))
    again = storage.jobs.submit(job(idempotency_key="k"))
    assert again.id == first.id
    assert [claim and claim.job_id for claim in desk.begun] == [first.id, None]
    assert desk.free == 1


def test_a_job_of_an_open_session_begins_at_once(storage):
    desk = Desk(storage)
    session = storage.sessions.open(NewSession(account="local", device="brisbane"))
    storage.jobs.submit(job(session=session.id))
    (claim,) = desk.begun
    assert claim.session == session.id


def test_a_job_that_was_claimed_at_once_by_a_process_that_died_is_run_again(storage):
    Desk(storage)
    lost = storage.jobs.submit(job()).id
    assert storage.queue.recover(everything=True) == 1
    (claim,) = storage.queue.claim("me", 1, LEASE)
    assert (claim.job_id, claim.attempt) == (lost, 2)


def test_no_slot_is_kept_while_a_large_program_is_on_its_way_to_the_disk(storage, monkeypatch):
    desk, put, free = Desk(storage), storage.blobs.put, []
    monkeypatch.setattr(storage.blobs, "put", lambda *value: (free.append(desk.free), put(*value)))
    storage.jobs.submit(job(payload=b"p" * 100_000))
    assert free == [1]
    assert [claim and len(claim.program.payload) for claim in desk.begun] == [100_000]
