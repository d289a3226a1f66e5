"""What a dispatcher stores of an attempt, on a disk that may be full and with a database that may be away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatchers import ME, wait_for
from qumulus.core.errors import StorageFull, Unavailable
from qumulus.core.jobs import JobState, NewJob
from qumulus.core.results import LogLine, Outcome, Severity
from qumulus.dispatching import attempts, leases, loops
from qumulus.dispatching.attempts import Attempt
from qumulus.dispatching.leases import Leases
from qumulus.dispatching.log_buffer import LogBuffer, LogLimit
from qumulus.storage import Storage, open_storage

LOG = logging.getLogger("qumulus.test")
LEASE = timedelta(seconds=10)


class Disk:
    """A queue whose next writes are refused."""

    def __init__(self, storage: Storage) -> None:
        self._queue = storage.queue
        self.refusals = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._queue, name)

        def call(*arguments: Any, **options: Any) -> Any:
            if self.refusals and name != "claim":
                self.refusals -= 1
                raise StorageFull
            return method(*arguments, **options)

        return call


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def disk(storage: Storage) -> Disk:
    return Disk(storage)


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def attempt(storage: Storage, disk: Disk, stopping: threading.Event, monkeypatch: pytest.MonkeyPatch) -> Attempt:
    monkeypatch.setattr(attempts, "AGAIN_SECONDS", 0.01)
    storage.jobs.submit(NewJob(account="local", device="brisbane", kind="echo", api="test"))
    (claim,) = disk.claim("me", 1, LEASE)
    return Attempt(disk, claim, stopping, LOG)  # ty: ignore[invalid-argument-type]


def line(text: str) -> LogLine:
    return LogLine(datetime.now(UTC), text)


def state(storage: Storage, attempt: Attempt) -> JobState:
    return storage.jobs.get(attempt.claim.job_id, ME).state


def texts(storage: Storage, attempt: Attempt) -> list[str]:
    return [each.text for each in storage.jobs.log(attempt.claim.job_id)]


def test_a_job_that_is_handed_back_while_the_disk_is_full_keeps_the_lines_of_its_log(
    storage: Storage, disk: Disk, attempt: Attempt
) -> None:
    attempt.log.add(line("last words"))
    disk.refusals = 3
    assert attempt.release(counted=False, reason="The server stopped.") is JobState.QUEUED
    assert texts(storage, attempt) == ["last words"]


def test_how_an_attempt_goes_on_and_ends_is_written_until_it_is_stored(
    storage: Storage, disk: Disk, attempt: Attempt
) -> None:
    disk.refusals = 2
    assert attempt.start()
    assert state(storage, attempt) is JobState.RUNNING
    disk.refusals = 1
    attempt.write([line("one")])
    attempt.log.add(line("two"))
    disk.refusals = 2
    told: list[list[str]] = []
    assert attempt.finish(lambda rest: told.append([each.text for each in rest]) or Outcome(result=b"1"))
    assert state(storage, attempt) is JobState.SUCCEEDED
    assert texts(storage, attempt) == ["one", "two"]
    assert told[-1] == ["one", "two"]


def test_a_dispatcher_that_stops_leaves_what_it_cannot_store_to_the_next_one(
    storage: Storage, disk: Disk, attempt: Attempt, stopping: threading.Event
) -> None:
    disk.refusals = 100
    stopping.set()
    assert attempt.start() is None
    assert attempt.put_back() is None
    assert attempt.release(counted=True, reason="") is None
    assert attempt.finish(lambda _: Outcome()) is None
    assert state(storage, attempt) is JobState.CLAIMED


def test_an_attempt_that_is_no_longer_ours_is_told_from_one_that_could_not_be_stored(
    storage: Storage, attempt: Attempt
) -> None:
    storage.queue.put_back(attempt.claim)
    assert attempt.start() is False
    assert attempt.finish(lambda _: Outcome()) is False


@pytest.mark.parametrize("limit", [LogLimit(10**6, "cut", lines=3), LogLimit(3 * 104, "cut", line_costs=4)])
def test_a_log_over_its_limit_is_cut_once_and_says_so(limit: LogLimit) -> None:
    stored: list[LogLine] = []
    buffer = LogBuffer(stored.extend, every=0.0, limit=limit)
    for _ in range(10):
        buffer.add(line("x" * 100))
    buffer.flush()
    assert [each.text for each in stored] == [*["x" * 100] * 3, "cut"]
    assert stored[-1].severity is Severity.WARNING
    assert buffer.full


def test_leases_are_renewed_though_the_database_is_away_for_a_moment_and_an_error_of_ours_comes_between(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(loops, "RETRY_SECONDS", 0.01)
    job = storage.jobs.submit(NewJob(account="local", device="brisbane", kind="echo", api="test"))
    lost: list[str] = []
    errors: list[Exception] = [ZeroDivisionError(), Unavailable("The database is away.")]

    def besides() -> None:
        if errors:
            raise errors.pop()

    held = []
    kept = Leases(
        storage.queue, owner="me", log=LOG, devices=lambda _: True, held=lambda: held,
        on_lost=lambda claim: lost.append(claim.job_id), besides=besides,
    )  # fmt: skip
    held += kept.claim(1)
    kept.start()
    try:
        wait_for(lambda: not errors)
        storage.jobs.cancel(job.id, ME)
        wait_for(lambda: job.id in lost)
    finally:
        kept.stop(5)
    assert "Leases can't be renewed, trying again: The database is away." in caplog.messages
    assert "Leases can't be renewed because of an error of ours, trying again." in caplog.messages


def test_what_is_stopped_is_not_tried_again() -> None:
    stopping = threading.Event()

    def step() -> bool:
        stopping.set()
        raise OSError("no file more")

    assert not loops.until_done(step, stopping, LOG, "It can't be done")
