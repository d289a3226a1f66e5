"""What is removed because it is too old or too much, and who may store how much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import BigInteger, Connection, type_coerce, update

import databases
from qumulus.core.accounts import Caller
from qumulus.core.errors import QuotaReached, UnknownSession
from qumulus.core.jobs import Job, NewJob
from qumulus.core.keeping import Rules
from qumulus.core.ports import JobQuery
from qumulus.core.results import LogLine, Outcome
from qumulus.core.sessions import NewSession, SessionMode
from qumulus.storage import Storage, open_storage
from qumulus.storage.database.columns import MICROSECOND
from qumulus.storage.database.tables import jobs, sessions

DAY = timedelta(days=1)
LARGE = bytes(300_000)


@contextmanager
def opened(home, keep: str = "", quota: str = "") -> Iterator[Storage]:
    storage = open_storage(home, url=databases.url(home), kept=Rules(keep), quota=Rules(quota))
    try:
        yield storage
    finally:
        storage.close()


def pass_time(storage: Storage, time: timedelta) -> None:
    """Let all that there is be so much older."""

    def work(connection: Connection) -> None:
        for table, names in ((jobs, ("created_at", "ended_at")), (sessions, ("created_at", "closing_at"))):
            older = {name: type_coerce(table.c[name], BigInteger) - int(time / MICROSECOND) for name in names}
            connection.execute(update(table).values(older))

    storage._database.writer.run(work)


def submitted(storage: Storage, account: str = "local", kind: str = "echo", payload: bytes = b"x") -> Job:
    return storage.jobs.submit(NewJob(account=account, device="brisbane", kind=kind, api="test", payload=payload))


def done(storage: Storage, account: str = "local", kind: str = "echo", result: bytes = b"y") -> Job:
    job = submitted(storage, account, kind)
    (claim,) = storage.queue.claim("a test", 1, timedelta(minutes=1))
    assert claim.job_id == job.id
    line = LogLine(storage.clock.now(), "a line")
    storage.queue.finish(claim, Outcome(result=result), [line], began_at=storage.clock.now())
    return job


def left(storage: Storage) -> list[str]:
    return [job.id for job in storage.jobs.find(JobQuery(limit=500, descending=False)).jobs]


def test_jobs_that_ended_too_long_ago_go_with_all_that_they_have(tmp_path):
    with opened(tmp_path, "days=10; kind=short days=1") as storage:
        old = done(storage, result=LARGE)
        done(storage, kind="short")
        waiting = submitted(storage)
        pass_time(storage, 5 * DAY)
        assert storage.retention.remove() == 1
        assert left(storage) == [old.id, waiting.id]
        pass_time(storage, 6 * DAY)
        assert storage.retention.remove() == 1
        assert left(storage) == [waiting.id]
        assert list(storage.blobs.keys()) == []
        assert storage.usage.held()[0].bytes == 1


def test_of_too_many_jobs_the_oldest_go_but_none_of_the_last_hour(tmp_path):
    with opened(tmp_path, "jobs=3; account=other jobs=100") as storage:
        mine = [done(storage) for _ in range(120)]
        others = [done(storage, account="other") for _ in range(5)]
        assert storage.retention.remove() == 0
        pass_time(storage, timedelta(hours=2))
        assert storage.retention.remove() == 117
        assert left(storage) == [job.id for job in (*mine[-3:], *others)]


def test_of_too_large_jobs_as_many_go_as_have_to(tmp_path):
    with opened(tmp_path, f"gib={2.5 * len(LARGE) / (1 << 30)}") as storage:
        mine = [done(storage, result=LARGE) for _ in range(5)]
        pass_time(storage, DAY)
        assert storage.retention.remove() == 3
        assert left(storage) == [job.id for job in mine[3:]]


def test_sessions_go_with_their_jobs(tmp_path):
    with opened(tmp_path, "days=10") as storage:
        new = NewSession(account="local", device="brisbane", mode=SessionMode.BATCH)
        old, open_one = storage.sessions.open(new), storage.sessions.open(new)
        storage.sessions.close(old.id, Caller(account="local"))
        done(storage)
        pass_time(storage, 11 * DAY)
        storage.retention.remove()
        assert storage.sessions.get(open_one.id, Caller(account="local")).id == open_one.id
        with pytest.raises(UnknownSession):
            storage.sessions.get(old.id, Caller(account="local"))


@pytest.fixture
def counted(tmp_path) -> Iterator[Storage]:
    quota = Rules(f"jobs=3 gib={3 * len(LARGE) / (1 << 30)}; account=large jobs=9")
    storage = open_storage(tmp_path, url=databases.url(tmp_path), quota=quota)
    yield storage
    storage.close()


def test_what_is_stored_is_counted_by_account_and_kind(counted):
    storage = counted
    storage.usage.pool_sizes = lambda: [("local", 7), ("local", 8)]
    done(storage, result=LARGE)
    submitted(storage, kind="other", payload=b"123")
    held = {(each.account, each.kind): each for each in storage.usage.held()}
    assert (held["local", "echo"].jobs, held["local", "echo"].pending) == (1, 0)
    assert held["local", "echo"].bytes == len(LARGE) + len(b"x") + len("a line")
    assert (held["local", "other"].pending, held["local", "other"].bytes) == (1, 3)
    assert (held["local", "data pools"].jobs, held["local", "data pools"].bytes) == (2, 15)


def test_an_account_with_too_many_jobs_that_wait_is_told_so_and_others_are_not(counted, monkeypatch):
    monkeypatch.setattr("qumulus.storage.usage.FRESH_SECONDS", 0)
    storage = counted
    mine = [submitted(storage) for _ in range(3)]
    with pytest.raises(
        QuotaReached, match=r"Account local has .* and 3 jobs that have not ended, and may have .* 3 jobs"
    ):
        submitted(storage)
    for _ in range(4):
        submitted(storage, account="large")
    storage.jobs.cancel(mine[0].id, Caller(account="local"))
    submitted(storage)


def test_an_account_with_too_much_stored_has_room_again_when_it_deletes(counted, monkeypatch):
    monkeypatch.setattr("qumulus.storage.usage.FRESH_SECONDS", 0)
    storage = counted
    first = done(storage, result=LARGE)
    done(storage, result=LARGE)
    storage.usage.held()
    with pytest.raises(QuotaReached, match="GiB stored"):
        submitted(storage, payload=LARGE)
    storage.jobs.delete(first.id, Caller(account="local"))
    submitted(storage, payload=LARGE)
