"""How runs end: what workers do, and what becomes of the job."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import event

from dispatchers import ME, Cloud, MiB, alive, wait_for
from qumulus.core.devices import DeviceSettings
from qumulus.core.errors import Draining
from qumulus.core.jobs import JobState
from qumulus.core.results import Failure, Outcome, Severity
from qumulus.core.waiting import Waiting
from qumulus.dispatching import leases
from qumulus.storage import open_storage
from qumulus.storage.database.columns import NUL_SIGN


def test_a_program_runs_and_its_result_metadata_and_log_are_kept(start):
    cloud = start(devices=("brisbane",))
    done = cloud.end(cloud.submit("echo", b"\x00\xffany bytes", request={"n": 1}))
    assert done.state is JobState.SUCCEEDED, done
    assert cloud.storage.jobs.result(done.id)[0] == b"\x00\xffany bytes"
    assert done.metadata["warm"] == ["brisbane"]
    assert done.metadata["options"] == {"n": 1}
    assert done.metadata["memory_bytes"] > MiB
    assert [(line.text, line.severity) for line in cloud.storage.jobs.log(done.id)] == [("echoed", Severity.INFO)]
    assert done.run_seconds > 0


@pytest.mark.parametrize(("given", "seen"), [({}, "device"), ({"noise": "local-mode"}, "local-mode")])
def test_a_program_is_told_the_noise_of_the_cloud(start, given, seen):
    cloud = start(**given)
    assert cloud.end(cloud.submit("echo")).metadata["noise"] == seen


def test_a_worker_is_used_again_while_it_behaves(start):
    cloud = start(workers=1)
    pids = {cloud.end(cloud.submit("echo")).metadata["pid"] for _ in range(5)}
    assert len(pids) == 1
    cloud.end(cloud.submit("raise_error"))
    assert cloud.end(cloud.submit("echo")).metadata["pid"] not in pids


@pytest.mark.parametrize(
    ("kind", "told"), [("abort", "SIGABRT"), ("segfault", "SIGSEGV"), ("leave", "ended by itself with status 3")]
)
def test_a_worker_that_dies_each_time_costs_three_attempts_and_only_its_own_job(start, kind, told):
    cloud = start(workers=2)
    bad, good = cloud.submit(kind), [cloud.submit("nap", "0.1") for _ in range(4)]
    failed = cloud.end(bad)
    assert (failed.state, failed.failure, failed.attempt) == (JobState.FAILED, Failure.CRASHED, 3)
    assert told in failed.reason
    assert "each of its 3 attempts" in failed.reason
    assert all(cloud.end(job_id).state is JobState.SUCCEEDED for job_id in good)
    if kind == "abort":
        assert any("436207632" in line.text for line in cloud.storage.jobs.log(bad))


def test_a_program_of_a_user_is_tried_once(start):
    cloud = start()
    failed = cloud.end(cloud.submit("abort", attempts=1))
    assert (failed.failure, failed.attempt) == (Failure.CRASHED, 1)
    assert failed.reason == "The process that ran it was ended by SIGABRT."


def test_a_worker_that_dies_once_is_replaced_and_the_job_succeeds_with_the_same_seed(start, tmp_path):
    cloud = start()
    done = cloud.end(cloud.submit("abort_once", str(tmp_path / "marker")))
    assert (done.state, done.attempt) == (JobState.SUCCEEDED, 2)
    assert cloud.storage.jobs.result(done.id)[0] == b"second"


def idle_kill() -> float:
    """The seconds that this machine takes now to wake a process that kills another one: what others do is no delay of ours."""
    script = "sleep 60 & echo ready; read word; kill -9 $!; wait $!"
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        shell.stdout.readline()
        begun = time.monotonic()
        shell.stdin.write(b"now\n")
        shell.stdin.flush()
        shell.wait(60)
        return time.monotonic() - begun


def test_cancelling_kills_the_run_within_a_tenth_of_a_second(start):
    cloud = start(workers=1)

    def kill() -> float:
        job_id = cloud.submit("nap", "60")
        cloud.until(job_id, JobState.RUNNING)
        wait_for(lambda: cloud.dispatcher.running().get(job_id))
        pid = cloud.dispatcher.running()[job_id]
        begun = time.monotonic()
        cloud.storage.jobs.cancel(job_id, ME)
        wait_for(lambda: not alive(pid))
        spent = time.monotonic() - begun
        assert cloud.end(job_id).state is JobState.CANCELLED
        return spent

    # The best of twenty, beyond what the machine itself takes: other tests use it too.
    assert any(kill() - idle_kill() < 0.1 for _ in range(20))
    assert cloud.end(cloud.submit("echo")).state is JobState.SUCCEEDED


def test_what_a_program_started_ends_with_it(start, tmp_path):
    cloud = start()
    file = tmp_path / "pid"
    job_id = cloud.submit("spawn", str(file))
    wait_for(lambda: file.exists() and file.read_text())
    cloud.storage.jobs.cancel(job_id, ME)
    wait_for(lambda: not alive(int(file.read_text())))


def test_a_run_over_its_time_is_ended_once_and_says_so(start):
    cloud = start()
    failed = cloud.end(cloud.submit("nap", "60", max_seconds=0.3), 40)
    assert (failed.failure, failed.attempt) == (Failure.TIME, 1)
    assert "0.3 seconds" in failed.reason


def test_a_run_over_its_memory_fails_with_the_figure(start):
    cloud = start()
    failed = cloud.end(cloud.submit("allocate", str(2048 * MiB)))
    assert (failed.failure, failed.attempt) == (Failure.MEMORY, 1)
    assert "0.5 GiB" in failed.reason
    assert cloud.end(cloud.submit("allocate", str(100 * MiB))).state is JobState.SUCCEEDED


def test_an_error_of_ours_is_named_but_not_its_text(start):
    cloud = start()
    failed = cloud.end(cloud.submit("raise_error"))
    assert failed.failure is Failure.INTERNAL
    assert "ZeroDivisionError" in failed.reason
    assert "secret detail" not in failed.reason


def test_an_error_of_ours_stands_in_the_servers_log(start, caplog: pytest.LogCaptureFixture) -> None:
    cloud = start()
    with caplog.at_level(logging.ERROR, "qumulus.execution"):
        failed = cloud.submit("raise_error")
        cloud.end(failed)
    assert any(failed in line and "error of ours" in line for line in caplog.messages)


def test_what_a_program_says_of_itself_is_kept(start):
    cloud = start()
    failed = cloud.end(cloud.submit("fail"))
    assert (failed.failure, failed.reason, failed.reason_code) == (Failure.PROGRAM, "Line 3 is wrong.", 1517)


def test_text_that_no_database_takes_is_mended(start):
    cloud = start(workers=1)
    failed = cloud.end(cloud.submit("odd_text"))
    assert (failed.failure, failed.reason.replace(NUL_SIGN, "\0")) == (Failure.PROGRAM, "? and \x00")
    assert failed.metadata["odd"] == "? and \N{GRINNING FACE}"
    assert [line.text for line in cloud.storage.jobs.log(failed.id)] == ["half a character: ?"]
    assert cloud.end(cloud.submit("echo")).state is JobState.SUCCEEDED


def test_a_parent_that_somebody_stopped_is_replaced(start, monkeypatch):
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.1)
    cloud = start(workers=1, lease=timedelta(seconds=0.5))
    cloud.end(cloud.submit("echo"))
    stopped = cloud.dispatcher.fork_server_pid
    os.kill(stopped, signal.SIGSTOP)
    wait_for(lambda: cloud.dispatcher.fork_server_pid not in (stopped, None) and cloud.dispatcher.ready)
    assert cloud.end(cloud.submit("echo")).state is JobState.SUCCEEDED


def test_large_results_pass_and_larger_ones_are_refused(start):
    cloud = start()
    done = cloud.end(cloud.submit("big", str(20 * MiB)))
    assert len(cloud.storage.jobs.result(done.id)[0]) == len(cloud.storage.jobs.file(done.id, "a")) == 20 * MiB
    failed = cloud.end(cloud.submit("big", str(40 * MiB)))
    assert failed.failure is Failure.REFUSED
    assert f"{80 * MiB:,} bytes" in failed.reason


def test_a_log_without_end_is_cut(start):
    cloud = start()
    done = cloud.end(cloud.submit("chatter", "12000"))
    lines = cloud.storage.jobs.log(done.id)
    assert len(lines) == 10_001
    assert "cut" in lines[-1].text


def test_least_times_make_queued_and_running_visible(start):
    cloud = start()
    cloud.storage.device_settings.set("brisbane", DeviceSettings(least_queue_seconds=0.4, least_run_seconds=0.4))
    job_id = cloud.submit("echo")
    done = cloud.end(job_id)
    assert (done.claimed_at - done.queued_at).total_seconds() >= 0.4
    assert (done.ended_at - done.running_at).total_seconds() >= 0.4


def test_a_job_that_waits_out_its_least_time_can_be_cancelled(start):
    cloud = start()
    cloud.storage.device_settings.set("brisbane", DeviceSettings(least_run_seconds=300))
    job_id = cloud.submit("echo")
    cloud.until(job_id, JobState.RUNNING)
    cloud.storage.jobs.cancel(job_id, ME)
    assert cloud.end(job_id, 20).state is JobState.CANCELLED


def test_runs_that_say_what_they_need_share_the_memory(start):
    cloud = start("careful:run", workers=3, memory_bytes=100 * MiB)
    ids = [cloud.submit("any", str(70 * MiB)) for _ in range(3)]
    spans = []
    for job_id in ids:
        assert cloud.end(job_id).state is JobState.SUCCEEDED
        spans.append(tuple(map(float, cloud.storage.jobs.result(job_id)[0].split())))
    spans.sort()
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_runs_that_need_more_later_do_not_wait_for_each_other(start):
    cloud = start("careful:run", workers=2, memory_bytes=200 * MiB)
    for job_id in [cloud.submit("any", f"{90 * MiB} {150 * MiB}") for _ in range(4)]:
        assert cloud.end(job_id).state is JobState.SUCCEEDED


def test_a_run_may_use_no_more_than_all_runs_together(start):
    cloud = start(memory_bytes=300 * MiB)
    done = cloud.end(cloud.submit("describe"))
    assert json.loads(cloud.storage.jobs.result(done.id)[0])["memory"] == 300 * MiB


def kept_memory(cloud: Cloud, until: Path, **members: object) -> str:
    """A job that waits for memory which another one has until a file is there."""
    keeping = cloud.submit("any", f"{90 * MiB} {until}")
    wait_for(lambda: cloud.storage.jobs.log(keeping))
    waiting = cloud.submit("any", str(90 * MiB), **members)
    wait_for(lambda: any("waits until other runs" in line.text for line in cloud.storage.jobs.log(waiting)))
    return waiting


def test_the_time_that_a_run_waits_for_memory_is_not_its_own_and_its_log_says_so(start, tmp_path):
    cloud = start("careful:keep", workers=2, memory_bytes=100 * MiB)
    waiting = kept_memory(cloud, tmp_path / "go on", max_seconds=1.5)
    time.sleep(1.5)
    (tmp_path / "go on").touch()
    job = cloud.end(waiting)
    assert job.state is JobState.SUCCEEDED
    assert (job.ended_at - job.running_at).total_seconds() > 1.5


def test_a_run_that_waits_for_memory_can_be_cancelled(start, tmp_path):
    cloud = start("careful:keep", workers=2, memory_bytes=100 * MiB)
    waiting = kept_memory(cloud, tmp_path / "go on")
    cloud.storage.jobs.cancel(waiting, ME)
    assert cloud.end(waiting).state is JobState.CANCELLED
    (tmp_path / "go on").touch()
    assert cloud.end(cloud.submit("any", str(90 * MiB))).state is JobState.SUCCEEDED


def test_spawned_workers_do_the_same(start, tmp_path):
    cloud = start(method="spawn", workers=1)
    assert cloud.end(cloud.submit("echo", b"x")).state is JobState.SUCCEEDED
    assert cloud.end(cloud.submit("abort_once", str(tmp_path / "marker"))).attempt == 2


def test_a_worker_has_one_thread_and_the_limits_of_its_job(start):
    cloud = start()
    done = cloud.end(cloud.submit("describe", max_seconds=7))
    described = json.loads(cloud.storage.jobs.result(done.id)[0])
    assert described == {"seconds": 7, "memory": 512 * MiB, "omp": "1"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="workers fork helpers on Linux only")
def test_a_worker_shares_the_parts_of_its_job_with_helpers(start):
    cloud = start()
    done = cloud.end(cloud.submit("share"))
    assert int(cloud.storage.jobs.result(done.id)[0]) > 1


def test_who_waits_in_another_process_is_woken_when_the_job_ends_here(start, tmp_path):
    cloud = start()
    cloud.end(cloud.submit("echo"))
    elsewhere = open_storage(cloud.storage.home)
    waiting = Waiting(elsewhere.jobs.settled, elsewhere.events, hold=300)

    async def wait() -> None:
        job_id = cloud.submit("nap", "0.3")
        assert await waiting.wait(job_id)
        assert elsewhere.jobs.get(job_id, ME).state is JobState.SUCCEEDED

    asyncio.run(asyncio.wait_for(wait(), 60))
    elsewhere.close()


def test_a_job_cancelled_by_another_process_is_killed_here(start):
    cloud = start()
    job_id = cloud.submit("nap", "60")
    cloud.until(job_id, JobState.RUNNING)
    elsewhere = open_storage(cloud.storage.home)
    elsewhere.jobs.cancel(job_id, ME)
    assert cloud.end(job_id, 40).state is JobState.CANCELLED
    elsewhere.close()


def test_a_drained_dispatcher_takes_nothing_waits_for_short_runs_and_hands_long_ones_back(start):
    cloud = start(workers=2)
    long, short, waiting = (cloud.submit("nap", seconds) for seconds in ("60", "0.5", "60"))
    cloud.until(long, JobState.RUNNING)
    cloud.until(short, JobState.RUNNING, JobState.SUCCEEDED)
    assert cloud.dispatcher.drain(2.5) is False
    with pytest.raises(Draining):
        cloud.submit("echo")
    assert cloud.get(short).state is JobState.SUCCEEDED
    assert [cloud.get(job_id).state for job_id in (long, waiting)] == [JobState.QUEUED, JobState.QUEUED]


def test_lines_of_the_log_are_there_while_the_run_goes_on(start):
    cloud = start()
    job_id = cloud.submit("nap", "60")
    wait_for(lambda: cloud.storage.jobs.log(job_id), 40)
    assert cloud.get(job_id).state is JobState.RUNNING


def test_that_a_run_begins_and_ends_is_written_at_once_where_it_is_short(start):
    cloud = start(workers=2)
    cloud.end(cloud.submit("echo"))
    written: list[str] = []

    def note(_connection, _cursor, text, *_more):
        written.append(text.split(" SET ", maxsplit=1)[0])

    def changes(*program: str) -> int:
        written.clear()
        done = cloud.end(cloud.submit(*program))
        assert done.claimed_at <= done.running_at <= done.ended_at
        return written.count("UPDATE jobs")

    event.listen(cloud.storage._database._writing, "before_cursor_execute", note)
    short = min(changes("echo") for _ in range(5))  # on a crowded machine a short run may take long
    assert min(changes("nap", "0.2") for _ in range(3)) == short + 1


def test_how_far_a_run_is_stands_in_its_record_until_it_has_an_outcome(start, tmp_path):
    cloud, go_on = start(), tmp_path / "go on"
    job_id = cloud.submit("plod", str(go_on))
    wait_for(lambda: cloud.get(job_id).progress)
    said = cloud.get(job_id).progress
    assert (said["method"], said["parts"], said["parts_done"], said["seconds_left"]) == ("steps", 2, 1, 1.5)
    assert said["text"] == "half of it"
    go_on.touch()
    done = cloud.end(job_id)
    assert done.progress is None
    assert done.metadata["method"] == "steps"


def test_a_run_that_was_handed_back_is_not_said_to_be_half_done(start, tmp_path):
    cloud = start()
    job_id = cloud.submit("plod", str(tmp_path / "never"))
    wait_for(lambda: cloud.get(job_id).progress)
    cloud.dispatcher.drain(0)
    assert (cloud.get(job_id).state, cloud.get(job_id).progress) == (JobState.QUEUED, None)


def test_no_worker_sees_a_credential_of_the_server(start, monkeypatch):
    monkeypatch.setenv("QUMULUS_ADMIN_TOKEN", "secret")
    cloud = start()
    done = cloud.end(cloud.submit("variables"))
    assert b"secret" not in cloud.storage.jobs.result(done.id)[0]


def test_what_happened_is_counted(start):
    cloud = start()
    for kind in ("echo", "fail", "abort"):
        cloud.end(cloud.submit(kind))
    wait_for(lambda: cloud.dispatcher.metrics().ended == {"succeeded": 1, "failed": 2})
    counted = cloud.dispatcher.metrics()
    assert counted.failures == {"program": 1, "crashed": 1}
    assert counted.deaths == 3
    assert cloud.storage.jobs.pending() == {}
    assert sum(counted.waited.counts) == 5  # one of them began three times
    assert sum(counted.ran.counts) == 2


def test_what_ends_without_a_run_of_ours_is_counted_too(start):
    cloud = start()
    cloud.storage.device_settings.set("brisbane", DeviceSettings(least_queue_seconds=60))
    cloud.storage.device_settings.set("foreign", DeviceSettings(provider=True))
    cloud.storage.jobs.cancel(cloud.submit("echo"), ME)
    job_id = cloud.submit("echo", device="foreign")
    (claim,) = cloud.storage.queue.fetch("foreign", 1)
    assert cloud.storage.queue.start(claim)
    assert cloud.storage.queue.finish(claim, Outcome(failure=Failure.TIME, reason="It is over.", run_seconds=7))
    assert cloud.get(job_id).state is JobState.FAILED
    counted = cloud.dispatcher.metrics()
    assert counted.ended == {"cancelled": 1, "failed": 1}
    assert counted.failures == {"time": 1}
    assert counted.ran.total == 7


def test_a_job_that_was_claimed_as_it_was_accepted_keeps_its_lease_as_any_other(start, monkeypatch):
    monkeypatch.setattr("qumulus.dispatching.leases.HEARTBEAT_SECONDS", 0.05)
    cloud = start()
    at_once = cloud.storage.queue.at_once
    wait_for(lambda: cloud.dispatcher.ready and at_once.quiet)
    job = cloud.submit("nap", "0.5")
    assert cloud.end(job).attempt == 1
