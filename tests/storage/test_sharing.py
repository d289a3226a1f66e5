"""Several processes on one PostgreSQL: here, several storages of one process, which know nothing of each other."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

import databases
from dispatchers import wait_for
from qumulus.core.accounts import Caller
from qumulus.core.clock import SystemClock
from qumulus.core.devices import DeviceSettings
from qumulus.core.errors import IllegalTransition
from qumulus.core.jobs import JobState, NewJob
from qumulus.core.ports import Claim
from qumulus.core.results import Outcome
from qumulus.core.sessions import NewSession
from qumulus.storage import Storage, open_storage
from qumulus.storage.blobs import table
from qumulus.storage.database import schema
from qumulus.storage.database.notify import MOST_BYTES, messages
from qumulus.storage.database.sqlite import FILE
from qumulus.storage.database.tables import IS_QUEUED, jobs
from qumulus.storage.jobs import rows
from qumulus.storage.storage import open_database

LEASE = timedelta(seconds=10)
ME = Caller(account="a")


@pytest.fixture
def storages(tmp_path: Path) -> Iterator[list[Storage]]:
    """Four of them, on one database."""
    url = databases.url(tmp_path)
    opened = [open_storage(tmp_path / str(number), url=url) for number in range(4)]
    yield opened
    for storage in opened:
        storage.close()


def submit(storage: Storage, account: str = "a", device: str = "d", **members: object) -> str:
    return storage.jobs.submit(NewJob(account=account, device=device, kind="echo", api="test", **members)).id  # ty: ignore


def drained(storages: list[Storage], held: Counter[str], most: Counter[str]) -> list[str]:
    """Claim and end all jobs, from all storages at once; the jobs in the order of their ends."""
    lock, order = threading.Lock(), []

    def work(number: int) -> None:
        empty = 0
        while empty < 5:
            claims = storages[number].queue.claim(f"dispatcher-{number}", 2, LEASE)
            empty = 0 if claims else empty + 1
            for claim in claims:
                device = claim.program.device
                with lock:
                    held[device] += 1
                    most[device] = max(most[device], held[device])
            time.sleep(0.003)
            for claim in claims:
                with lock:
                    held[claim.program.device] -= 1
                    order.append(claim.job_id)
                assert storages[number].queue.start(claim)
                assert storages[number].queue.finish(claim, Outcome(result=b"1"))

    with ThreadPoolExecutor(len(storages)) as pool:
        list(pool.map(work, range(len(storages))))
    return order


@pytest.mark.only("postgres")
def test_a_device_runs_one_job_at_a_time_however_many_dispatchers_there_are(storages):
    storages[0].device_settings.set("single", DeviceSettings(one_at_a_time=True))
    wait_for(lambda: all(storage.device_settings.settings("single").one_at_a_time for storage in storages))
    ids = [submit(storages[number % 4], device="single" if number % 2 else "d") for number in range(60)]
    most: Counter[str] = Counter()
    order = drained(storages, Counter(), most)
    assert sorted(order) == sorted(ids)
    assert most["single"] == 1
    assert most["d"] > 1


@pytest.mark.only("postgres")
def test_a_session_keeps_its_device_from_the_jobs_of_others_in_every_dispatcher(storages):
    storages[0].device_settings.set("single", DeviceSettings(one_at_a_time=True))
    wait_for(lambda: all(storage.device_settings.settings("single").one_at_a_time for storage in storages))
    session = storages[0].sessions.open(NewSession(account="a", device="single", interactive_seconds=60)).id
    mine = submit(storages[1], device="single", session=session)
    (claim,) = storages[1].queue.claim("one", 1, LEASE)
    assert claim.job_id == mine
    storages[1].queue.start(claim)
    storages[1].queue.finish(claim, Outcome())
    other = submit(storages[2], "b", "single")
    later = submit(storages[3], device="single", session=session)
    (claim,) = storages[2].queue.claim("two", 1, LEASE)
    assert claim.job_id == later
    assert storages[3].queue.claim("three", 1, LEASE) == []
    storages[2].queue.start(claim)
    storages[2].queue.finish(claim, Outcome())
    storages[0].sessions.close(session, ME)
    assert [claim.job_id for claim in storages[3].queue.claim("three", 1, LEASE)] == [other]


@pytest.mark.only("postgres")
def test_accounts_take_turns_across_dispatchers(storages):
    many = [submit(storages[0], "a") for _ in range(40)]
    few = [submit(storages[1], "b") for _ in range(8)]
    order = drained(storages, Counter(), Counter())
    assert sorted(order) == sorted(many + few)
    assert max(order.index(job_id) for job_id in few) < 30  # not after the forty that were there before


@pytest.mark.only("postgres")
def test_what_another_dispatcher_takes_just_now_is_passed_over(storages):
    first, second = submit(storages[0]), submit(storages[0])
    taken, go = threading.Event(), threading.Event()
    taking = storages[0]._database.writer

    def hold(connection: Connection) -> None:
        oldest = select(jobs.c.id).where(IS_QUEUED).order_by(jobs.c.number).limit(1).with_for_update()
        assert connection.execute(oldest).scalar_one() == first
        taken.set()
        go.wait(60)

    unit = taking.post(hold)
    assert taken.wait(60)
    assert [claim.job_id for claim in storages[1].queue.claim("other", 1, LEASE)] == [second]
    go.set()
    unit.result(60)
    assert [claim.job_id for claim in storages[1].queue.claim("other", 1, LEASE)] == [first]


@pytest.mark.only("postgres")
def test_what_every_job_needs_is_planned_once(storages):
    storage, now = storages[0], storages[0].clock.now()
    queued = [
        rows.job_values(NewJob(account=f"{number % 8}", device="d", kind="echo", api="test"), f"{number}", now)
        | {"ticket": number, "payload": b""}
        for number in range(4000)
    ]
    storage._database.writer.run(lambda connection: connection.execute(insert(jobs), queued))
    storage._database.writer.run(lambda connection: connection.exec_driver_sql("ANALYZE jobs"))
    for _ in range(40):
        for claim in storage.queue.claim("one", 2, LEASE):
            assert storage.queue.start(claim)
            assert storage.queue.finish(claim, Outcome(result=b"r"))
    planned = "SELECT statement, custom_plans, generic_plans FROM pg_prepared_statements"
    plans = storage._database.writer.run(lambda connection: connection.exec_driver_sql(planned).all())
    # The database tries five times whether a plan for any parameters is as good as one for those that it is given.
    assert [plan for plan in plans if plan.custom_plans > 5] == []
    assert len([plan for plan in plans if plan.generic_plans > 20]) >= 4  # the heads, a claim, a start and an end


@pytest.mark.only("postgres")
def test_the_same_key_sent_to_all_at_once_makes_one_job(storages):
    for attempt in range(10):
        with ThreadPoolExecutor(8) as pool:
            key = f"key {attempt}"
            ids = set(pool.map(lambda n, key=key: submit(storages[n % 4], idempotency_key=key), range(8)))
        assert len(ids) == 1


@pytest.mark.only("postgres")
def test_an_end_and_a_cancellation_at_the_same_time_leave_one_of_both(storages):
    for _ in range(15):
        job_id = submit(storages[0])
        claims = [claim for claim in storages[1].queue.claim("me", 1, LEASE) if claim.job_id == job_id]
        assert storages[1].queue.start(claims[0])
        with ThreadPoolExecutor(2) as pool:
            finished = pool.submit(storages[1].queue.finish, claims[0], Outcome(result=b"1"))
            cancelled = pool.submit(storages[2].jobs.cancel, job_id, ME)
        try:
            cancelled.result()
        except IllegalTransition:
            assert finished.result()
        state = storages[3].jobs.get(job_id, ME).state
        if state is JobState.CANCELLING:
            assert not finished.result()
            storages[1].queue.release(claims[0], counted=False, reason="")
        else:
            assert state is JobState.SUCCEEDED
            assert finished.result()


@pytest.mark.only("postgres")
def test_what_is_settled_or_cancelled_in_one_process_rings_in_the_others(storages):
    heard: list[tuple[str, str]] = []
    storages[1].events.settled.subscribe(lambda job_id: heard.append(("settled", job_id)))
    storages[1].events.cancelling.subscribe(lambda job_id: heard.append(("cancelling", job_id)))
    storages[1].events.queued.subscribe(lambda _job_id: heard.append(("queued", "")))
    ids = [submit(storages[0]) for _ in range(2)]
    claims: list[Claim] = storages[0].queue.claim("me", 2, LEASE)
    for claim in claims:
        storages[0].queue.start(claim)
    storages[0].queue.finish(claims[0], Outcome())
    storages[0].jobs.cancel(claims[1].job_id, ME)
    wanted = {("queued", ""), ("settled", claims[0].job_id), ("cancelling", claims[1].job_id)}
    wait_for(lambda: wanted <= set(heard), 5, lambda: str(heard))
    assert {claim.job_id for claim in claims} == set(ids)


@pytest.mark.only("postgres")
@pytest.mark.parametrize("size", [1000, 3_000_000])
def test_what_one_process_accepts_another_one_with_a_folder_of_its_own_runs(storages, size):
    job_id = submit(storages[0], payload=b"p" * size)
    (claim,) = storages[1].queue.claim("me", 1, LEASE)
    assert claim.program.payload == b"p" * size
    storages[1].queue.start(claim)
    storages[1].queue.finish(claim, Outcome(result=b"r" * size, files={"more": b"m" * size}))
    assert storages[2].jobs.result(job_id)[0] == b"r" * size
    assert storages[3].jobs.file(job_id, "more") == b"m" * size
    storages[0].jobs.delete(job_id, ME)
    assert list(storages[0].blobs.keys()) == []


def test_news_are_cut_into_messages_that_the_database_takes():
    news = [("settled", f"job-{number}" * 10) for number in range(500)]
    told = list(messages("me", news))
    assert all(len(message.encode()) <= MOST_BYTES for message in told)
    assert [line for message in told for line in message.split("\n")[1:]] == [f"settled {job_id}" for _, job_id in news]


def test_going_back_to_an_older_version_and_forth_again_keeps_the_jobs(tmp_path, database):
    storage = open_storage(tmp_path, url=databases.url(tmp_path))
    kept = storage.jobs.submit(NewJob(account="a", device="d", kind="echo", api="test", payload=b"x" * 2000))
    (claim,) = storage.queue.claim("me", 1, LEASE)
    storage.queue.start(claim)
    storage.queue.finish(claim, Outcome(result=b"result"))
    storage.close()
    made = open_database(tmp_path, databases.url(tmp_path), SystemClock())
    schema.downgrade(made, "0001")
    with made.engine.connect() as connection:
        assert schema.current(connection) == "0001"
    schema.upgrade(made)
    made.close()
    again = open_storage(tmp_path, url=databases.url(tmp_path))
    assert again.jobs.payload(kept.id) == b"x" * 2000
    assert again.jobs.result(kept.id)[0] == b"result"
    again.close()
    assert (tmp_path / FILE).exists() == (database == "sqlite")


@pytest.mark.only("postgres")
@pytest.mark.parametrize("size", [70_000, 70_500], ids=["of whole pieces", "with a rest"])
def test_a_large_value_that_is_read_in_pieces_is_whole(storages, monkeypatch, size):
    monkeypatch.setattr(table, "PIECE_BYTES", 10_000)
    value = random.Random(size).randbytes(size)
    job = submit(storages[0], payload=value)
    assert storages[1].jobs.payload(job) == value
