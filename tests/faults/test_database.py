"""A PostgreSQL that is restarted and goes away while jobs are accepted and run by several processes."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from hosts import LONG

from asking import TASK, ask
from dispatchers import ME, wait_for
from postgres import Postgres, temporary
from qumulus.core.devices import DeviceSettings
from qumulus.core.jobs import FINAL, JobState, NewJob
from qumulus.core.ports import JobQuery
from qumulus.core.results import Outcome
from qumulus.storage import Storage, open_storage
from servers import Server

pytestmark = [pytest.mark.only("postgres"), pytest.mark.everywhere]

CLIENTS = 4


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A server of our own, to be hurt."""
    with temporary() as server:
        yield server


@pytest.fixture
def url(postgres: Postgres, request: pytest.FixtureRequest) -> str:
    postgres.start()
    return postgres.database(f"t{abs(hash(request.node.name))}")


@pytest.fixture
def storage(url: str, tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(tmp_path / "mine", url=url)
    yield opened
    opened.close()


class Clients:
    """Clients that submit task after task to several servers, and note each answer."""

    def __init__(self, servers: list[Server]) -> None:
        self.accepted: list[str] = []
        self.refused: list[float] = []  # when, on a clock that never leaps
        self.unanswered = 0
        self._servers = servers
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._submit, args=(number,)) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _submit(self, number: int) -> None:
        while not self._done.is_set():
            number += 1
            try:
                status, answer = ask(self._servers[number % len(self._servers)], "POST", "/task", TASK, timeout=60)
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
                continue
            if status == 200:
                self.accepted.append(answer["task_id"])
            else:
                assert status == 503, answer
                self.refused.append(time.monotonic())
            time.sleep(0.02)

    def stop(self) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(90)


@pytest.fixture
def started() -> Iterator[Callable[[Server], Server]]:
    """Starts servers, none of which outlives the test."""
    with ExitStack() as stack:
        yield stack.enter_context


def test_restarts_under_load_lose_nothing_and_what_was_refused_was_not_kept(
    postgres, url, storage, tmp_path, started, measured
):
    environment = {"QUMULUS_DATABASE": url, "QUMULUS_LOG_LEVEL": "warning", "QUMULUS_STATUS_HOLD": "0.5"}
    servers = [started(Server(tmp_path / f"state-{number}", environment=environment)) for number in range(2)]
    clients = Clients(servers)
    slowest, restarts = 0.0, 10 if LONG else 3
    for number in range(restarts):
        before = len(clients.accepted)
        wait_for(lambda before=before: len(clients.accepted) >= before + 20, 60)
        if number % 3 == 2:  # away for longer than a write waits
            postgres.stop("immediate")
            time.sleep(6)
            postgres.start()
        else:
            postgres.control("restart", "-m", "immediate")
        began = time.monotonic()
        before = len(clients.accepted)
        wait_for(lambda before=before: len(clients.accepted) > before + CLIENTS, 60)
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 5 or not LONG  # the short form shares its machine
    clients.stop()
    assert clients.unanswered == 0
    wait_for(lambda: pending(storage) == 0, 120)
    found = storage.jobs.find(JobQuery(limit=10_000)).jobs
    assert Counter(job.id for job in found) == Counter(clients.accepted)  # each one once, and nothing else
    assert {job.state for job in found} == {JobState.SUCCEEDED}
    measured(f"0 of {len(found):,} lost in {restarts} restarts; accepts again after {slowest:.1f} s at most")
    for server in servers:
        assert server.stop() == 0
        assert "Traceback" not in server.output()


def pending(storage: Storage) -> int:
    return storage.jobs.find(JobQuery(limit=1)).total - storage.jobs.find(JobQuery(states=FINAL, limit=1)).total


def test_a_status_request_that_is_held_while_the_database_restarts_hears_of_the_end(postgres, url, storage, tmp_path):
    environment = {"QUMULUS_DATABASE": url, "QUMULUS_STATUS_HOLD": "30"}
    with Server(tmp_path / "state", environment=environment) as server:
        storage.device_settings.set("qulacs", DeviceSettings(least_run_seconds=4))
        task = ask(server, "POST", "/task", TASK)[1]["task_id"]
        threading.Timer(1, postgres.control, ("restart", "-m", "immediate")).start()
        begun = time.monotonic()
        status, answer = ask(server, "GET", f"/task/{task}/status", timeout=120)
        assert (status, answer["status"]) == (200, "COMPLETED")
        assert 2 < time.monotonic() - begun < 25  # it heard of it, and did not look when its time was over


def test_after_the_database_was_away_no_lease_is_judged_before_it_could_be_renewed(postgres, storage, monkeypatch):
    monkeypatch.setattr("qumulus.storage.database.postgres.CALM_SECONDS", 3)
    storage.jobs.submit(NewJob(account="local", device="d", kind="echo", api="test"))
    lease = timedelta(seconds=2)
    time.sleep(3.1)  # since it was opened
    (claim,) = storage.queue.claim("alive", 1, lease)
    postgres.stop("immediate")
    time.sleep(3)
    postgres.start()
    wait_for(lambda: reachable(storage))
    assert storage.queue.recover() == 0
    assert storage.queue.heartbeat("alive", [claim], lease) == []
    assert storage.queue.start(claim)
    assert storage.queue.finish(claim, Outcome(result=b"1"))
    assert storage.jobs.get(claim.job_id, ME).attempt == 1


def reachable(storage: Storage) -> bool:
    from qumulus.core.errors import Unavailable

    try:
        storage.jobs.pending()
    except Unavailable:
        return False
    return True
