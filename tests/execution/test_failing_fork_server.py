"""A parent that can't get warm, can't be started, or can't start a worker."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dispatchers import PROGRAMS, wait_for
from process_trees import kill
from qumulus.core.jobs import JobState
from qumulus.execution.worker_pool import Method, WorkerPool

ENDS_BY_ITSELF = "import os, sys, time; os.close(int(sys.argv[2])); time.sleep(0.2); os._exit(3)"
NO_PROCESS_MORE = """
import os
from programs import run

really = os.fork

def fork():
    if os.path.exists(os.environ["NO_PROCESS_MORE"]):
        raise BlockingIOError(11, "Resource temporarily unavailable")
    return really()

os.fork = fork
"""


def test_a_parent_that_ends_before_it_is_warm_is_said_to_fail() -> None:
    pool = WorkerPool("qumulus.no_such_module:run")
    pool.start()
    try:
        wait_for(lambda: pool.failing)
        assert not pool.ready
    finally:
        pool.stop()


def test_of_a_parent_that_ended_by_itself_its_own_status_is_told(caplog: pytest.LogCaptureFixture) -> None:
    pool = WorkerPool("", command=(sys.executable, "-c", ENDS_BY_ITSELF))
    with caplog.at_level(logging.WARNING, "qumulus.execution"):
        pool.start()
        try:
            wait_for(lambda: caplog.messages)
        finally:
            pool.stop()
    assert "The fork server ended (status 3)" in caplog.messages[0]


def test_a_parent_that_cannot_be_started_now_is_started_later(start, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = start(workers=1)
    assert cloud.end(cloud.submit("echo")).state is JobState.SUCCEEDED
    really, refused = subprocess.Popen, []

    def popen(*arguments, **options):
        if len(refused) < 2:
            refused.append(arguments)
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return really(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    kill(cloud.dispatcher.fork_server_pid)
    wait_for(lambda: len(refused) == 2)
    assert cloud.end(cloud.submit("echo")).state is JobState.SUCCEEDED


def test_a_temporary_folder_without_room_costs_what_a_worker_prints_and_no_run(
    start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    cloud = start(workers=2)
    assert cloud.end(cloud.submit("echo")).state is JobState.SUCCEEDED
    parent = cloud.dispatcher.fork_server_pid
    temporary.rmdir()  # nothing can be written there, as if it were full
    other = cloud.submit("hold", str(tmp_path / "go on"))
    cloud.until(other, JobState.RUNNING)
    assert cloud.end(cloud.submit("abort")).attempt == 3
    assert cloud.end(cloud.submit("echo")).state is JobState.SUCCEEDED
    (tmp_path / "go on").touch()
    assert cloud.end(other).attempt == 1
    assert cloud.dispatcher.fork_server_pid == parent


def test_where_no_worker_can_be_started_jobs_wait_and_those_that_run_go_on(
    start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "entry.py").write_text(NO_PROCESS_MORE)
    full = tmp_path / "full"
    monkeypatch.setenv("NO_PROCESS_MORE", str(full))
    monkeypatch.setattr("qumulus.execution.slot.NO_WORKER_SECONDS", 0.02)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(PROGRAMS)]))
    cloud = start("entry:run", workers=2)
    first = cloud.end(cloud.submit("echo"))
    other = cloud.submit("hold", str(tmp_path / "go on"))
    cloud.until(other, JobState.RUNNING)
    full.touch()
    aborted = cloud.submit("abort", attempts=1)
    assert cloud.end(aborted).state is JobState.FAILED  # and its slot gets no other worker
    waiting = cloud.submit("echo")
    wait_for(lambda: cloud.get(waiting).attempt > 15)  # a job may be handed back ten times, and this is none of them
    (tmp_path / "go on").touch()
    assert cloud.end(other).attempt == 1
    full.unlink()
    assert cloud.end(waiting).state is JobState.SUCCEEDED
    assert first.state is JobState.SUCCEEDED


LACKS_A_RUNNER = """
from programs import run
from qumulus.core.kinds import Kind, Kinds, Runners
from qumulus.payloads.archive import Archive

def check():
    Runners("The test", {}).check(Kinds(Kind("one", Archive), Kind("other", Archive)))
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_that_lack_a_runner_are_not_started_and_it_is_said_in_sentences(
    method: Method, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lacking.py").write_text(LACKS_A_RUNNER)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{PROGRAMS}")
    pool = WorkerPool("lacking:run", method=method)
    pool.start()
    try:
        wait_for(lambda: pool.failing)
    finally:
        pool.stop()
    told = capfd.readouterr().err
    assert (
        "The workers do not run what jobs ask for:\n"
        "The test has no runner for jobs of the kind 'one'.\n"
        "The test has no runner for jobs of the kind 'other'.\n"
    ) in told
    assert "Traceback" not in told
