"""Jobs on a real Ray cluster of two nodes, each a group of processes on this machine."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator

import pytest

from clusters import Cluster, session
from dispatchers import ME, Cloud, alive, wait_for
from process_trees import command, family, gone
from qumulus import cluster
from qumulus.core.jobs import JobState
from qumulus.core.programs import Limits
from qumulus.core.results import Failure
from qumulus.serving.app import create_app
from qumulus.serving.start_error import StartError
from qumulus.settings import Settings
from servers import Server

LONG = os.environ.get("QUMULUS_FAULTS") == "long"
MiB = 1 << 20
LIMITS = Limits(seconds=30, memory_bytes=1 << 42, result_bytes=64 * MiB)
READY_SECONDS = 60
BELL = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
JOIN_SECONDS = (
    30.0  # in which a node that has joined under load takes work; `make bench-cluster` measures that it is five
)


@pytest.fixture(scope="module")
def machines() -> Iterator[Cluster]:
    with Cluster(nodes=2, cpus=1) as running:
        yield running


@pytest.mark.parametrize(
    "runner",
    [
        pytest.param(lambda machines: machines.client_address, id="reached as a client of Ray"),
        pytest.param(lambda _machines: "ray", id="of its own, whatever cluster there is"),
    ],
)
def test_a_server_runs_circuits_on_a_cluster(machines, runner, tmp_path):
    environment = machines.environment | {"QUMULUS_RUNNER": runner(machines), "RAY_ADDRESS": machines.address}
    server = Server(tmp_path / "state", environment=environment).start(ready=False)
    try:
        task = sent(server, "/task", {"code": BELL, "device": "Kawasaki", "n_shots": 1000})["task_id"]
        wait_for(lambda: b"COMPLETED" in server.get(f"/task/{task}/status"), READY_SECONDS, server.output)
        counts = json.loads(server.get(f"/task/{task}/result"))["counts"]
        on_made_up = on_a_device_that_was_added(server)
    finally:
        server.stop()
    assert sum(counts.values()) == 1000
    assert counts["00"] > 300
    assert counts["11"] > 300
    assert sum(on_made_up.values()) == 100


def on_a_device_that_was_added(server: Server) -> dict[str, int]:
    """What a device gave that no node knows: what it is travels with the job."""
    described = {"documents": [{"name": "lattice9", "topology": "grid 3x3", "two_qubit_error": 0.004}]}
    sent(server, "/emulator/devices", described, Authorization="Bearer qumulus-admin")
    task = sent(server, "/task", {"code": BELL, "device": "lattice9", "n_shots": 100})["task_id"]
    wait_for(lambda: b"COMPLETED" in server.get(f"/task/{task}/status"), READY_SECONDS, server.output)
    return json.loads(server.get(f"/task/{task}/result"))["counts"]


def sent(server: Server, path: str, body: object, **headers: str) -> dict[str, str]:
    headers |= {"Content-Type": "application/json"}
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def cloud(machines: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A dispatcher whose jobs run on the cluster; its places are there."""
    home = tmp_path_factory.mktemp("cluster") / "state"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in machines.environment.items():
            patch.setenv(name, value)
        running = Cloud(home, command=cluster.command(machines.address), limits=LIMITS).start()
        wait_for(lambda: running.dispatcher.ready and running.dispatcher.workers == 2, READY_SECONDS)
        yield running
        running.stop()


def test_a_job_runs_on_a_node_and_its_result_log_and_timings_come_back(cloud):
    payload = os.urandom(3 * MiB)  # large values travel through Ray's object store
    done = cloud.end(cloud.submit("echo", payload))
    assert done.state is JobState.SUCCEEDED
    assert cloud.storage.jobs.result(done.id)[0] == payload
    assert [line.text for line in cloud.storage.jobs.log(done.id)] == ["echoed"]
    assert done.run_seconds is not None
    assert done.metadata["attempt"] == 1
    assert done.metadata["memory_bytes"] > MiB
    seen = json.loads(cloud.storage.jobs.result(cloud.end(cloud.submit("variables")).id)[0])
    assert "RAY_AUTH_TOKEN" not in seen
    assert seen["OMP_NUM_THREADS"] == "1"


def test_what_a_long_run_writes_is_seen_while_it_runs(cloud):
    job_id = cloud.submit("nap", "60")
    wait_for(lambda: cloud.storage.jobs.log(job_id), 10)
    assert cloud.get(job_id).state is JobState.RUNNING
    cloud.storage.jobs.cancel(job_id, ME)
    assert cloud.end(job_id).state is JobState.CANCELLED


def test_cancelling_ends_the_run_and_what_it_started_at_once(cloud, tmp_path):
    file = tmp_path / "pid"
    job_id = cloud.submit("spawn", str(file))
    wait_for(lambda: file.exists() and file.read_text(), 10)
    begun = time.monotonic()
    cloud.storage.jobs.cancel(job_id, ME)
    assert cloud.end(job_id).state is JobState.CANCELLED
    wait_for(lambda: not alive(int(file.read_text())), 2)
    assert time.monotonic() - begun < 2
    assert cloud.end(cloud.submit("echo")).state is JobState.SUCCEEDED


def test_a_run_that_takes_too_long_fails_and_one_that_crashes_counts_its_attempts(cloud):
    late = cloud.submit("burn", max_seconds=1.0)
    crashing = cloud.submit("abort")
    assert cloud.end(late).failure is Failure.TIME
    done = cloud.end(crashing)
    assert (done.state, done.failure, done.attempt) == (JobState.FAILED, Failure.CRASHED, 3)
    assert "SIGABRT" in (done.reason or "")
    assert any("memory allocation" in line.text for line in cloud.storage.jobs.log(crashing))


def test_a_job_gets_a_place_with_the_memory_it_needs_or_is_refused(cloud):
    large = cloud.submit("needy", str(1 << 30))  # more than an ordinary place has
    assert cloud.end(large, READY_SECONDS).state is JobState.SUCCEEDED
    done = cloud.end(cloud.submit("needy", str(1 << 42)))
    assert done.failure is Failure.REFUSED
    assert "no machine of the cluster" in (done.reason or "")


def test_a_node_added_under_load_takes_work_and_when_it_is_killed_no_job_is_lost_and_none_ends_twice(cloud, machines):
    settled: Counter[str] = Counter()
    cloud.storage.events.settled.subscribe(lambda job_id: settled.update([job_id]))
    count = 2000 if LONG else 150
    ids = [cloud.submit("nap", "0.5", attempts=1) for _ in range(count)]
    node = machines.add()
    wait_for(lambda: len(cloud.dispatcher.running()) == 3, JOIN_SECONDS)
    done = len(settled)
    wait_for(lambda: len(settled) > done + 6, 60)
    assert len(settled) < count
    node.kill()
    wait_for(lambda: len(settled) == count, 60 + count, lambda: f"{len(settled)} of {count}")
    jobs = [cloud.get(job_id) for job_id in ids]
    assert {job.state for job in jobs} == {JobState.SUCCEEDED}, Counter(job.reason for job in jobs)
    assert set(settled.values()) == {1}
    assert max(job.attempt for job in jobs) > 1, "the node ran nothing when it was killed"
    assert all(cloud.storage.jobs.result(job.id)[0] == b"0.5" for job in jobs)
    wait_for(lambda: cloud.dispatcher.workers == 2, READY_SECONDS)


def quick(cloud: Cloud) -> None:
    """See that runs are short: from then on jobs are there before their places are free, and go to them together."""
    ids = [cloud.submit("echo", b"quick") for _ in range(60)]
    assert {cloud.end(job_id, 60).state for job_id in ids} == {JobState.SUCCEEDED}


def test_quick_jobs_that_went_with_a_long_one_end_before_it(cloud):
    quick(cloud)
    kinds = ["echo"] * 10 + ["nap"] + ["echo"] * 30
    ids = [cloud.submit(kind, "60") for kind in kinds]
    long = ids.pop(10)
    assert {cloud.end(job_id, 20).state for job_id in ids} == {JobState.SUCCEEDED}
    assert cloud.until(long, JobState.RUNNING).state is JobState.RUNNING
    cloud.storage.jobs.cancel(long, ME)
    assert cloud.end(long).state is JobState.CANCELLED


def test_a_crash_costs_nothing_to_those_that_went_with_it(cloud):
    quick(cloud)
    ids = [cloud.submit("abort" if number == 10 else "echo", b"x", attempts=1) for number in range(40)]
    crashed = cloud.end(ids.pop(10), 30)
    assert crashed.failure is Failure.CRASHED
    assert {cloud.end(job_id, 30).state for job_id in ids} == {JobState.SUCCEEDED}


def test_what_waits_behind_a_place_can_be_cancelled_at_once(cloud):
    quick(cloud)
    ids = [cloud.submit("nap", "60") for _ in range(20)]
    cloud.until(ids[0], JobState.RUNNING)
    begun = time.monotonic()
    for job_id in reversed(ids):
        cloud.storage.jobs.cancel(job_id, ME)
    assert {cloud.end(job_id, 10).state for job_id in ids} == {JobState.CANCELLED}
    assert time.monotonic() - begun < 5
    quick(cloud)


@pytest.mark.skipif(not LONG, reason="a worker may stand still for as long as a lease: `make test-faults` waits for it")
def test_a_worker_that_somebody_stopped_is_ended_and_the_job_runs_again(cloud):
    job_id = cloud.submit("stop_once", str(cloud.storage.home / "stopped"))
    done = cloud.end(job_id, 30)
    assert (done.state, done.attempt) == (JobState.SUCCEEDED, 2)


def places(machines: Cluster) -> set[int]:
    """The processes of the actors."""
    found = {pid for node in machines.nodes for pid in session(node.process.pid)}
    return {pid for pid in found if command(pid).startswith("ray::Place")}


def test_a_place_that_somebody_stopped_is_given_up_with_all_below_it_and_its_job_runs_in_another(
    cloud, machines, tmp_path
):
    before = places(machines)
    short = cluster.command(machines.address, answer_seconds=2.0)
    other = Cloud(tmp_path / "other", command=short, limits=LIMITS).start()
    try:
        wait_for(lambda: (cloud.dispatcher.workers, other.dispatcher.workers) == (1, 1), READY_SECONDS)
        (place,) = places(machines) - before
        job_id = other.submit("nap", "1", attempts=1)
        other.until(job_id, JobState.RUNNING)
        left = [place, *family(place)]
        os.kill(place, signal.SIGSTOP)
        gone(left, 10)
        done = other.end(job_id, READY_SECONDS)
        assert (done.state, done.attempt) == (JobState.SUCCEEDED, 2)
        cancelled = other.submit("nap", "60")
        other.until(cancelled, JobState.RUNNING)
        (place,) = places(machines) - before
        os.kill(place, signal.SIGSTOP)
        other.storage.jobs.cancel(cancelled, ME)
        assert other.end(cancelled, 10).state is JobState.CANCELLED
        assert other.end(other.submit("echo"), READY_SECONDS).state is JobState.SUCCEEDED
    finally:
        other.stop()
    wait_for(lambda: cloud.dispatcher.workers == 2, READY_SECONDS)


def test_the_driver_killed_costs_no_attempt_and_another_takes_its_place(cloud):
    ids = [cloud.submit("nap", "1", attempts=1) for _ in range(2)]
    for job_id in ids:
        cloud.until(job_id, JobState.RUNNING)
    os.kill(cloud.dispatcher.fork_server_pid, 9)
    for job_id in ids:
        done = cloud.end(job_id, READY_SECONDS)
        assert done.state is JobState.SUCCEEDED
        assert done.attempt > 1


def test_two_servers_share_a_cluster_and_what_one_had_goes_to_the_other(cloud, machines, tmp_path):
    other = Cloud(tmp_path / "other", command=cluster.command(machines.address), limits=LIMITS).start()
    try:
        running = [cloud.submit("nap", "0.1") for _ in range(100)]
        wait_for(lambda: (cloud.dispatcher.workers, other.dispatcher.workers) == (1, 1), READY_SECONDS)
        assert other.end(other.submit("echo")).state is JobState.SUCCEEDED
    finally:
        other.stop()
    wait_for(lambda: cloud.dispatcher.workers == 2, READY_SECONDS)
    assert {cloud.end(job_id, 60).state for job_id in running} == {JobState.SUCCEEDED}


def test_without_the_extra_the_server_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(StartError, match=r"pip install 'qumulus\[cluster\]'"):
        create_app(Settings(home=tmp_path, runner="ray"))
