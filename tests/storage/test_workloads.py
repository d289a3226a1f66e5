"""Workloads: sessions and single jobs in one list, and what they used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from qumulus.apis.ibm.instances import TEST_CRN
from qumulus.core.accounts import Caller
from qumulus.core.jobs import NewJob
from qumulus.core.results import Failure, Outcome
from qumulus.core.sessions import NewSession, SessionMode
from qumulus.core.workloads import Activity, Scope, Spent, WorkloadKind, WorkloadQuery, WorkloadStatus
from qumulus.storage import Storage, open_storage
from qumulus.storage.jobs import lists

ME = Caller(account="local", instance=TEST_CRN)
KIND = "runtime.sampler"
ALL = WorkloadQuery(account="local", instance=TEST_CRN, job_kinds=frozenset({KIND}))
NOON = datetime(2026, 4, 15, 12, tzinfo=UTC)


class Watch:
    """A clock that stands until it is set forward."""

    def __init__(self) -> None:
        self.time = NOON

    def wall(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - NOON).total_seconds()

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class World:
    """A cloud's state, and what people do in it one second after the other."""

    def __init__(self, storage: Storage, watch: Watch) -> None:
        self.storage, self.watch = storage, watch

    def job(self, device: str = "fez", **members: object) -> str:
        self.watch.forward(1)
        known = {"account": "local", "instance": TEST_CRN, "kind": KIND, "api": "ibm/runtime", "device": device}
        return self.storage.jobs.submit(NewJob(**(known | members))).id  # ty: ignore

    def session(self, mode: SessionMode = SessionMode.DEDICATED, device: str = "fez") -> str:
        self.watch.forward(1)
        return self.storage.sessions.open(NewSession(account="local", device=device, mode=mode, instance=TEST_CRN)).id

    def run(self, *, seconds: float = 2.0, waiting: float = 3.0, outcome: Outcome | None = None) -> None:
        """Run the oldest job that waits."""
        self.watch.forward(waiting)
        (claim,) = self.storage.queue.claim("me", 1, timedelta(hours=1))
        self.storage.queue.start(claim)
        self.watch.forward(seconds)
        self.storage.queue.finish(claim, replace(outcome or Outcome(), run_seconds=seconds))

    def ids(self, **asked: object) -> list[str]:
        return [each.id for each in self.storage.workloads.find(replace(ALL, **asked)).workloads]  # ty: ignore


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    watch = Watch()
    storage = open_storage(tmp_path / "state", machine=watch)
    yield World(storage, watch)
    storage.close()


def test_a_session_stands_for_its_jobs(world):
    single = world.job(tags=("a",))
    session = world.session()
    world.job(session=session)
    world.run(seconds=2)
    world.run(seconds=5)
    found = world.storage.workloads.find(ALL)
    first, second = found.workloads
    assert (found.total, first.id, second.id) == (2, single, session)
    assert (first.kind, first.status, first.tags) == (WorkloadKind.JOB, WorkloadStatus.COMPLETED, ("a",))
    assert (first.run_seconds, first.accepts_jobs) == (2.0, None)
    assert (second.kind, second.status) == (WorkloadKind.DEDICATED, WorkloadStatus.RUNNING)
    assert (second.run_seconds, second.accepts_jobs) == (5.0, True)
    world.storage.sessions.close(session, ME)
    closed = world.storage.workloads.find(replace(ALL, kind=WorkloadKind.DEDICATED)).workloads[0]
    assert (closed.status, closed.accepts_jobs, closed.ended_at) == (
        WorkloadStatus.COMPLETED,
        False,
        world.watch.wall(),
    )


@pytest.mark.parametrize("few", [lists.FEW, 0])
def test_every_member_of_a_query_narrows(world, few, monkeypatch):
    monkeypatch.setattr(lists, "FEW", few)
    first = world.job(tags=("bell", "x"))
    batch = world.session(SessionMode.BATCH)
    mock = world.job("test_eagle")
    other = world.job("osaka", tags=("bell",))
    world.job(instance="crn:another")
    world.job(kind="oqtopus.sampling")
    sent = NOON + timedelta(seconds=2)  # when the batch was opened
    assert world.ids() == [first, batch, mock, other]
    assert world.ids(descending=True) == [other, mock, batch, first]
    assert world.ids(device="osaka") == [other]
    assert world.ids(without_devices=frozenset({"test_eagle"})) == [first, batch, other]
    assert world.ids(kind=WorkloadKind.BATCH) == [batch]
    assert world.ids(kind=WorkloadKind.DEDICATED) == []
    assert world.ids(kind=WorkloadKind.JOB, tags=("bell",)) == [first, other]
    assert world.ids(tags=("bell", "x")) == [first]
    assert world.ids(text="EL") == [first, other]
    assert world.storage.workloads.find(replace(ALL, text="EL")).total == 2
    assert world.ids(text=batch[3:]) == [batch]
    assert world.ids(created_after=sent) == [batch, mock, other]
    assert world.ids(created_before=sent) == [first, batch]
    assert world.storage.workloads.find(replace(ALL, account="other")).total == 0


def test_statuses_are_those_of_the_jobs(world):
    failed, late, done, cancelled, waiting = (world.job() for _ in range(5))
    world.run(outcome=Outcome(failure=Failure.PROGRAM, reason="No."))
    world.run(outcome=Outcome(failure=Failure.TIME, reason="It took too long."))
    world.run()
    world.storage.jobs.cancel(cancelled, ME)
    session = world.session()
    wanted = {
        WorkloadStatus.FAILED: [failed],
        WorkloadStatus.CANCELLED: [late, cancelled],
        WorkloadStatus.COMPLETED: [done],
        WorkloadStatus.PENDING: [waiting, session],
        WorkloadStatus.RUNNING: [],
    }
    for status, ids in wanted.items():
        found = world.storage.workloads.find(replace(ALL, statuses=frozenset({status})))
        assert [each.id for each in found.workloads] == ids
        assert {each.status for each in found.workloads} <= {status}
        assert found.total == len(ids)
    assert world.ids(statuses=frozenset({WorkloadStatus.FAILED, WorkloadStatus.PENDING})) == [failed, waiting, session]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_follow_each_other_in_both_directions(world, descending, limit):
    for number in range(9):
        world.session(SessionMode.BATCH) if number % 3 == 0 else world.job()
        if number % 2:
            world.watch.forward(-1)  # two at the same time
    asked = replace(ALL, descending=descending, limit=limit)
    whole = world.ids(descending=descending, limit=50)
    pages = [world.storage.workloads.find(asked)]
    while pages[-1].later:
        pages.append(world.storage.workloads.find(replace(asked, after=pages[-1].workloads[-1].place)))
    assert [each.id for page in pages for each in page.workloads] == whole
    assert [page.earlier for page in pages] == [False] + [True] * (len(pages) - 1)
    assert {page.total for page in pages} == {9}
    for before, page in pairwise(pages):
        again = world.storage.workloads.find(replace(asked, before=page.workloads[0].place))
        assert (again.workloads, again.later, again.earlier) == (before.workloads, True, before.earlier)


def test_a_page_begins_where_the_cursor_says_though_the_workload_is_gone(world):
    ids = [world.job() for _ in range(4)]
    for _ in ids:
        world.run()
    place = world.storage.workloads.find(replace(ALL, limit=2)).workloads[-1].place
    world.storage.jobs.delete(ids[1], ME)
    assert world.ids(after=place) == ids[2:]


def test_usage_is_summed_by_device_instance_account_and_day(world):
    world.job()
    session, batch = world.session(), world.session(SessionMode.BATCH, "osaka")
    world.job(session=session)
    world.job("osaka", session=batch)
    world.run(seconds=4, waiting=0)
    world.run(seconds=1, waiting=0)
    world.run(seconds=8, waiting=0)
    world.watch.forward(24 * 3600)
    world.job()
    world.job(instance="crn:another")
    found = world.storage.workloads.activity([TEST_CRN], [KIND], NOON, world.watch.wall() + timedelta(seconds=1))

    def scope(device: str, day: int) -> Scope:
        return Scope(instance=TEST_CRN, device=device, account="local", day=date(2026, 4, day))

    assert found == {
        scope("fez", 15): Activity(
            jobs=Spent(2, 5.0, 4.0),
            alone=Spent(1, 4.0, 4.0),
            waiting=Spent(2, 4.0 + 5.0, 5.0),
            dedicated=Spent(1, 1.0, 1.0),
        ),
        scope("osaka", 15): Activity(jobs=Spent(1, 8.0, 8.0), waiting=Spent(1, 5.0, 5.0), batches=Spent(1, 8.0, 8.0)),
        scope("fez", 16): Activity(jobs=Spent(1, 0.0, 0.0), alone=Spent(1, 0.0, 0.0)),
    }
    assert found[scope("fez", 15)].jobs.mean == 2.5
    total = sum(found.values(), Activity())
    assert (total.jobs, total.dedicated, total.batches) == (Spent(4, 13.0, 8.0), Spent(1, 1.0, 1.0), Spent(1, 8.0, 8.0))
    assert world.storage.workloads.activity([TEST_CRN], [KIND], NOON, NOON + timedelta(seconds=1)) == {}
