"""Processes killed, stopped and racing: no job is lost, none is done twice, no process is left behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hosts import LONG, Host, parent_of

import databases
from dispatchers import ME, PROGRAMS, alive, wait_for
from process_trees import children, family, gone, kill
from qumulus.core.jobs import FINAL, JobState, NewJob
from qumulus.core.ports import JobQuery
from qumulus.core.results import Outcome
from qumulus.dispatching import leases
from qumulus.storage import Storage, open_storage


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def storage(home: Path) -> Iterator[Storage]:
    """The state as another process sees it."""
    opened = open_storage(home)
    yield opened
    opened.close()


def state(storage: Storage, job_id: str) -> JobState:
    return storage.jobs.get(job_id, ME).state


def until(storage: Storage, job_id: str, *states: JobState) -> None:
    wait_for(lambda: state(storage, job_id) in states, told=lambda: str(storage.jobs.get(job_id, ME)))


def submit(storage: Storage, kind: str, payload: str = "", **members: object) -> str:
    fields = {"account": "local", "device": "d", "api": "test", "kind": kind, "payload": payload.encode()} | members
    return storage.jobs.submit(NewJob(**fields)).id  # ty: ignore[invalid-argument-type]


def test_a_worker_killed_in_the_middle_of_a_run_costs_one_attempt_and_the_result_comes_once(start, tmp_path, measured):
    cloud = start(workers=1)
    job_id = cloud.submit("hold", str(tmp_path / "go on"))
    cloud.until(job_id, JobState.RUNNING)
    wait_for(lambda: cloud.dispatcher.running().get(job_id))
    kill(cloud.dispatcher.running()[job_id])
    (tmp_path / "go on").touch()
    done = cloud.end(job_id)
    assert (done.state, done.attempt) == (JobState.SUCCEEDED, 2)
    assert cloud.storage.jobs.result(job_id)[0] == b"let go"
    measured(f"{done.attempt - 1} attempt, 1 result")


def test_an_idle_worker_that_was_killed_costs_no_attempt(start):
    cloud = start(workers=1)
    pid = cloud.end(cloud.submit("echo")).metadata["pid"]
    for _ in range(5):
        kill(pid)
        done = cloud.end(cloud.submit("echo", attempts=1))
        assert done.state is JobState.SUCCEEDED, done
        assert done.metadata["pid"] != pid
        pid = done.metadata["pid"]


def test_the_warm_parent_killed_takes_its_workers_along_and_the_jobs_run_again_without_a_counted_attempt(
    start, tmp_path, measured
):
    cloud = start(workers=2)
    ids = [cloud.submit("hold", str(tmp_path / "go on"), attempts=1) for _ in range(2)]
    for job_id in ids:
        cloud.until(job_id, JobState.RUNNING)
    wait_for(lambda: len(running := cloud.dispatcher.running()) == 2 and all(running.values()))
    workers = [pid for pid in cloud.dispatcher.running().values() if pid]
    kill(cloud.dispatcher.fork_server_pid)
    gone(workers, 40)
    (tmp_path / "go on").touch()
    for job_id in ids:
        done = cloud.end(job_id)  # though one attempt is all that it has
        assert (done.state, done.attempt) == (JobState.SUCCEEDED, 2)
    measured(f"0 counted, {len(ids)} of {len(ids)} ran again")


def test_a_server_killed_leaves_no_process_behind_and_the_next_one_runs_its_jobs(home, tmp_path, measured):
    host = Host(home)
    ids = [host.submit("hold", str(tmp_path / "go-on"), f"key-{n}") for n in range(3)]
    storage = open_storage(home)
    until(storage, ids[0], JobState.RUNNING)
    until(storage, ids[1], JobState.RUNNING)
    left = family(host.pid)
    assert len(left) >= 3
    host.kill()
    begun = time.monotonic()
    gone(left, 40)
    measured(f"0 of {len(left)} after {time.monotonic() - begun:.1f} s")
    (tmp_path / "go-on").touch()
    assert {state(storage, job_id) for job_id in ids} == {JobState.RUNNING, JobState.QUEUED}
    second = Host(home)
    for job_id in ids:
        until(storage, job_id, JobState.SUCCEEDED)
    assert sorted(storage.jobs.get(job_id, ME).attempt for job_id in ids) == [1, 2, 2]
    second.stop()
    storage.close()


@pytest.mark.only("sqlite")
def test_when_the_owner_of_the_folder_is_killed_another_process_takes_over(home, storage, tmp_path, measured):
    owner, joined = Host(home), Host(home)
    assert parent_of(joined.pid) is None
    job_id = joined.submit("hold", str(tmp_path / "go-on"), "first")
    until(storage, job_id, JobState.RUNNING)
    owner.kill()
    (tmp_path / "go-on").touch()
    until(storage, job_id, JobState.SUCCEEDED)
    measured("1 of 1")
    assert parent_of(joined.pid) is not None
    joined.stop()
    gone(children(joined.pid), 40)


def test_a_worker_that_somebody_stopped_is_ended_after_its_lease_and_can_say_nothing_later(
    start, tmp_path, monkeypatch, measured
):
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.2)
    cloud = start(workers=1, lease=timedelta(seconds=2))
    job_id = cloud.submit("hold", str(tmp_path / "go on"))
    cloud.until(job_id, JobState.RUNNING)
    wait_for(lambda: cloud.dispatcher.running().get(job_id))
    stopped = cloud.dispatcher.running()[job_id]
    os.kill(stopped, signal.SIGSTOP)
    (tmp_path / "go on").touch()
    done = cloud.end(job_id)
    assert (done.state, done.attempt) == (JobState.SUCCEEDED, 2)
    assert not alive(stopped)
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, signal.SIGCONT)
    measured(f"1 result, of attempt {done.attempt}")


@pytest.mark.everywhere
def test_a_server_that_was_stopped_and_lost_its_jobs_finishes_nothing(storage, measured):
    """The dispatcher of a frozen server: its claims are handed back by a lease that ran out, then it wakes up."""
    job_id = submit(storage, "echo")
    (stale,) = storage.queue.claim("frozen", 1, timedelta(milliseconds=50))
    assert storage.queue.start(stale)
    time.sleep(0.1)
    assert storage.queue.recover() == 1
    (fresh,) = storage.queue.claim("other", 1, timedelta(seconds=10))
    assert storage.queue.start(fresh)
    assert not storage.queue.finish(stale, Outcome(result=b"stale"))
    assert storage.queue.heartbeat("frozen", [stale], timedelta(seconds=10)) == [stale]
    assert storage.queue.finish(fresh, Outcome(result=b"fresh"))
    assert storage.jobs.result(job_id)[0] == b"fresh"
    measured("0 rows")


RACER = """
import os
import sys
from datetime import timedelta
from pathlib import Path
from qumulus.core.errors import Unavailable
from qumulus.core.results import Outcome
from qumulus.storage import open_storage

def insist(write, *given):
    while True:  # as a dispatcher does: where many write, one may wait for too long
        try:
            return write(*given)
        except Unavailable:
            pass

storage = open_storage(Path(sys.argv[1]), url=os.environ.get("QUMULUS_DATABASE"))
empty = 0
while empty < 3:
    claims = insist(storage.queue.claim, sys.argv[2], 5, timedelta(seconds=60))
    empty = 0 if claims else empty + 1
    for claim in claims:
        assert insist(storage.queue.start, claim)
        assert insist(storage.queue.finish, claim, Outcome(result=sys.argv[2].encode()))
        print(claim.job_id, claim.attempt, flush=True)
storage.close()
"""


@pytest.mark.everywhere
def test_dispatchers_that_race_for_the_same_jobs_never_take_one_twice(home, storage, measured):
    count = 5000 if LONG else 600
    ids = [submit(storage, "echo") for _ in range(count)] if not LONG else many(storage, count)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(home), f"racer-{n}"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | databases.environment(home),
        )
        for n in range(4 if LONG else 3)
    ]
    taken: list[str] = []
    for racer in racers:
        output, _ = racer.communicate(timeout=300)
        assert racer.returncode == 0
        taken += output.split("\n")[:-1]
    assert sorted(taken) == sorted(f"{job_id} 1" for job_id in ids)
    assert {state(storage, job_id) for job_id in ids} == {JobState.SUCCEEDED}
    measured(f"0 of {count:,} by {len(racers)} dispatchers")


def many(storage: Storage, count: int) -> list[str]:
    """Submit from many threads, so that commits are shared."""
    ids: list[str] = []
    threads = [
        threading.Thread(target=lambda: ids.extend(submit(storage, "echo") for _ in range(count // 20)))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ids


class Killer:
    """Kills one process a period, chosen by a seeded draw, and starts servers again that it has killed."""

    SHARES = (("worker", 0.70), ("parent", 0.15), ("dispatcher", 0.10), ("server", 0.05))

    def __init__(self, home: Path, seed: int) -> None:
        self.home = home
        self.draw = random.Random(seed)
        self.hosts = [Host(home), Host(home)]
        self.killed: Counter[str] = Counter()

    @property
    def owner(self) -> Host | None:
        return next((host for host in self.hosts if parent_of(host.pid) is not None), None)

    def strike(self) -> None:
        kind = self.draw.choices([name for name, _ in self.SHARES], [share for _, share in self.SHARES])[0]
        owner = self.owner
        if owner is None:
            return  # another process is taking over just now
        parent = parent_of(owner.pid)
        workers = children(parent) if parent else []
        if kind == "worker" and workers:
            kill(self.draw.choice(workers))
        elif kind == "parent" and parent:
            kill(parent)
        elif kind == "dispatcher":
            self.replace(owner)
        elif kind == "server":
            self.replace(next(host for host in self.hosts if host is not owner))
        else:
            return
        self.killed[kind] += 1

    def replace(self, host: Host) -> None:
        left = family(host.pid)
        host.kill()
        gone(left, 40)
        self.hosts[self.hosts.index(host)] = Host(self.home)

    def stop(self) -> None:
        for host in self.hosts:
            host.stop()


def test_jobs_all_succeed_once_while_something_is_killed_again_and_again(home, storage, monkeypatch, measured):
    monkeypatch.setenv("PYTHONPATH", str(PROGRAMS))
    count, period = (10_000, 1.0) if LONG else (400, 0.4)
    killer = Killer(home, seed=20261121)
    begun = time.monotonic()
    strikes_until = begun + (3600 if LONG else 240)
    acknowledged: dict[str, str] = {}
    number, next_strike = 0, time.monotonic() + period
    while len(acknowledged) < count or not ended(storage, count) or killer.killed["worker"] < 3:
        assert time.monotonic() < strikes_until, f"{len(acknowledged)} acknowledged, killed {killer.killed}"
        if number < count:
            key = f"key-{number}"
            for host in list(killer.hosts):  # a client that got no answer asks again with the same key
                if (job_id := host.submit("nap", "0.02", key)) is not None:
                    acknowledged[key] = job_id
                    number += 1
                    break
        else:
            time.sleep(0.05)
        if time.monotonic() >= next_strike:
            killer.strike()
            next_strike = time.monotonic() + period
    killer.stop()
    assert len(set(acknowledged.values())) == count
    page = storage.jobs.find(JobQuery(limit=count + 1))
    assert page.total == count
    assert Counter(job.state for job in page.jobs) == {JobState.SUCCEEDED: count}
    assert {job.id for job in page.jobs} == set(acknowledged.values())
    assert all(storage.jobs.result(job.id)[0] == b"0.02" for job in page.jobs)
    assert all(len(storage.jobs.log(job.id)) <= job.attempt for job in page.jobs)
    assert killer.killed["worker"] >= 3
    assert sum(job.attempt - 1 for job in page.jobs) >= 1
    kills = ", ".join(f"{times} {name}" for name, times in killer.killed.most_common())
    measured(f"0 of {count:,} lost, 0 twice; killed: {kills}")


def ended(storage: Storage, count: int) -> bool:
    return storage.jobs.find(JobQuery(states=FINAL, limit=1)).total == count
