"""Writing: one thread, many units a commit, and what happens to the others when one of them fails."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from qumulus.core.errors import StorageFull, Unavailable, WrongState
from qumulus.core.jobs import NewJob
from qumulus.core.results import Outcome
from qumulus.storage import open_storage
from qumulus.storage.blobs.disk import DiskBlobs
from qumulus.storage.database.writer import Unit


@pytest.fixture
def storage(tmp_path):
    opened = open_storage(tmp_path)
    yield opened
    opened.close()


def count(storage) -> int:
    with storage._database.read() as connection:
        return connection.execute(text("SELECT count(*) FROM accounts")).scalar_one()


def add(name: str, error: Exception | None = None):
    def work(connection):
        connection.execute(text("INSERT INTO accounts (id, name) VALUES (:name, 'x')"), {"name": name})
        if error is not None:
            raise error
        return name

    return work


def test_units_that_come_together_are_committed_together_and_one_that_fails_is_undone_alone(storage):
    writer, before = storage._database.writer, count(storage)
    held, go = threading.Event(), threading.Event()

    def hold(connection):
        held.set()
        go.wait(60)

    first = writer.post(hold)
    assert held.wait(60)
    good = [writer.post(add(f"good {number}")) for number in range(10)]
    bad = writer.post(add("bad", WrongState("No.")))
    same = writer.post(add("good 3"))
    last = writer.post(add("last"))
    assert count(storage) == before
    go.set()
    first.result(60)
    assert [unit.result(60) for unit in good] == [f"good {number}" for number in range(10)]
    with pytest.raises(WrongState):
        bad.result(60)
    with pytest.raises(Exception, match=r"(?i)unique"):
        same.result(60)
    assert last.result(60) == "last"
    assert count(storage) == before + 11


@pytest.mark.only("sqlite")
def test_a_full_disk_is_told_and_nothing_is_kept_and_it_goes_on_when_there_is_room(storage):
    writer = storage._database.writer
    pages = writer.run(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar())

    def bound(connection):
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    def unbound(connection):
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")

    writer.run(bound)
    new = NewJob(account="local", device="d", kind="echo", api="test", payload=b"x" * 60_000)
    with pytest.raises(StorageFull):
        storage.jobs.submit(new)
    assert storage.jobs.pending() == {}
    writer.run(unbound)
    storage.jobs.submit(new)
    assert storage.jobs.pending() == {"d": 1}


@pytest.mark.only("sqlite")
def test_a_full_disk_under_the_blobs_is_told_and_leaves_nothing(storage, monkeypatch):
    import errno
    import os

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StorageFull):
            storage.jobs.submit(NewJob(account="local", device="d", kind="echo", api="test", payload=b"x" * 100_000))
    assert storage.jobs.pending() == {}
    assert list((storage.home / "blobs").glob("??/*")) == []


@pytest.mark.only("sqlite")
def test_a_result_for_which_there_is_no_room_leaves_nothing_and_is_stored_later(storage, monkeypatch):
    job_id = storage.jobs.submit(NewJob(account="local", device="d", kind="echo", api="test")).id
    (claim,) = storage.queue.claim("me", 1, timedelta(seconds=60))
    assert storage.queue.start(claim)
    outcome = Outcome(result=b"r" * 300_000, files={"file": b"f" * 300_000})
    put = DiskBlobs.put

    def full_after_one(blobs: DiskBlobs, key: str, value: bytes) -> None:
        if list(blobs.keys()):
            raise StorageFull
        put(blobs, key, value)

    with monkeypatch.context() as patched:
        patched.setattr(DiskBlobs, "put", full_after_one)
        with pytest.raises(StorageFull):
            storage.queue.finish(claim, outcome)
    assert list(storage.blobs.keys()) == []
    assert storage.queue.finish(claim, outcome)
    assert storage.jobs.result(job_id)[0] == outcome.result


def test_many_threads_write_at_once_and_nothing_is_lost(storage):
    new = NewJob(account="local", device="d", kind="echo", api="test", payload=b"x" * 1500)
    ids: list[str] = []
    threads = [
        threading.Thread(target=lambda: ids.extend(storage.jobs.submit(new).id for _ in range(20))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 320
    assert storage.jobs.pending() == {"d": 320}


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("first_synced", [True, False])
def test_what_somebody_was_told_is_synced_and_what_ends_with_the_power_is_not(tmp_path, first_synced):
    storage = open_storage(tmp_path)
    writer, held, go = storage._database.writer, threading.Event(), threading.Event()

    def hold(_connection):
        held.set()
        go.wait(60)

    def level(connection):
        return connection.exec_driver_sql("PRAGMA synchronous").scalar()

    normal, full = 1, 2
    assert [writer.run(level, synced=synced) for synced in (False, True, False, True)] == [normal, full, normal, full]
    writer.post(hold, synced=first_synced)
    assert held.wait(60)
    together = [writer.post(level, synced=synced) for synced in (False, True, False)]
    go.set()
    assert [unit.result(60) for unit in together] == [full] * 3
    storage.close()


def test_after_the_end_nothing_is_written(tmp_path):
    storage = open_storage(tmp_path)
    storage.close()
    with pytest.raises(Unavailable):
        storage.jobs.submit(NewJob(account="local", device="d", kind="echo", api="test"))


def test_a_commit_that_goes_wrong_in_a_way_that_nobody_thought_of_is_told_and_the_next_one_is_kept(
    storage, monkeypatch: pytest.MonkeyPatch
):
    """No memory is such a way: the thread ended by it, and whoever wrote waited for ever."""
    writer, before = storage._database.writer, count(storage)
    really, failed = Unit.run, []

    def run(unit, connection):
        done = really(unit, connection)
        if not failed:
            failed.append(unit)
            raise MemoryError
        return done

    monkeypatch.setattr(Unit, "run", run)
    with pytest.raises(Unavailable):
        writer.post(add("first")).result(60)
    assert writer.post(add("second")).result(60) == "second"
    assert count(storage) == before + 1  # nothing of the first came with it


def test_who_writes_while_nobody_does_writes_in_its_own_thread_and_what_comes_meanwhile_goes_on_without_it(storage):
    writer, held, go = storage._database.writer, threading.Event(), threading.Event()

    def here(_connection):
        return threading.current_thread()

    def hold(connection):
        held.set()
        go.wait(60)
        return here(connection)

    assert writer.run(here) is threading.current_thread()
    ran = []
    first = threading.Thread(target=lambda: ran.append(writer.run(hold)))
    first.start()
    assert held.wait(60)
    later = [writer.post(here) for _ in range(2)]
    go.set()
    first.join(60)
    assert ran == [first]
    assert len({unit.result(60) for unit in later} - {first, threading.current_thread()}) == 1
    assert writer.run(here) is threading.current_thread()


def test_an_interrupted_write_leaves_nothing_and_nobody_waiting(storage):
    writer, before = storage._database.writer, count(storage)

    def interrupted(connection):
        add("interrupted")(connection)
        later.append(writer.post(add("later")))
        raise KeyboardInterrupt

    later = []
    with pytest.raises(KeyboardInterrupt):
        writer.run(interrupted)
    assert later[0].result(60) == "later"
    assert writer.run(add("last")) == "last"
    assert count(storage) == before + 2
