"""Executions while the disk refuses to write: a program runs once only, so nothing of it may be lost by that."""

from __future__ import annotations

import contextlib
import sys
import textwrap
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatchers import ME, wait_for
from qumulus.core.errors import StorageFull, Unavailable
from qumulus.core.jobs import Job, JobState, NewJob
from qumulus.core.kinds import Runners
from qumulus.core.ports import Claim
from qumulus.core.results import Failure, LogLine, Outcome
from qumulus.core.services import device_of
from qumulus.payloads import SERVICE
from qumulus.services import dispatcher as dispatcher_module
from qumulus.services.dispatcher import ProgramDispatcher
from qumulus.services.execution import Executable, Input
from qumulus.services.resources import Resources
from qumulus.services.sandbox import Sandbox
from qumulus.storage import Storage, open_storage

SOURCE = """
    import time
    def run(seconds: float):
        print("begun", flush=True)
        time.sleep(seconds)
        print("done", flush=True)
        return {"ok": True}
"""


class Disk:
    """The queue on a disk that may be full."""

    def __init__(self, storage: Storage) -> None:
        self._queue = storage.queue
        self.full = threading.Event()
        self.refused: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._queue, name)

        def call(*arguments: Any, **options: Any) -> Any:
            if self.full.is_set() and name != "claim":
                self.refused.append(name)
                raise StorageFull
            return method(*arguments, **options)

        return call


class OneProgram:
    """`runs.ProgramSource` with one program."""

    def __init__(self, program: Executable) -> None:
        self._program = program

    def served(self, device: str) -> bool:
        return device == device_of("once")

    @contextlib.contextmanager
    def program(self, device: str) -> Iterator[Executable]:
        del device
        yield self._program

    def package(self, device: str) -> None:
        del device

    @contextlib.contextmanager
    def given(self, claim: Claim) -> Iterator[Input]:
        yield Input(body=claim.program.payload)

    def outcome(self, claim: Claim, outcome: Outcome, rest: Sequence[LogLine]) -> Outcome:
        del claim, rest
        return outcome

    def done(self, claim: Claim) -> None:
        del claim


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(tmp_path / "state")
    yield opened
    opened.close()


@pytest.fixture
def disk(storage: Storage) -> Disk:
    return Disk(storage)


@pytest.fixture(autouse=True)
def slots(tmp_path: Path, storage: Storage, disk: Disk, here: Sandbox) -> Iterator[ProgramDispatcher]:
    service = tmp_path / "service"
    (service / "src").mkdir(parents=True)
    (service / "src" / "program.py").write_text(textwrap.dedent(SOURCE))
    program = Executable(
        folder=service,
        python=Path(sys.executable),
        prefixes=(Path(sys.base_prefix), Path(sys.executable).parents[1]),
        resources=Resources(seconds=20.0),
    )
    running = ProgramDispatcher(
        count=1,
        queue=disk,  # ty: ignore[invalid-argument-type]
        sources=Runners("The test", {SERVICE: OneProgram(program)}),
        events=storage.events,
        clock=storage.clock,
        sandbox=lambda: here,
        folder=tmp_path / "runs",
        hidden=tmp_path / "state",
        owner="services",
        network=False,
        allow_unsandboxed=True,
    )
    running.start()
    yield running
    disk.full.clear()
    running.stop(timedelta())


def begin(storage: Storage, body: str) -> str:
    new: Mapping[str, Any] = {"account": "local", "device": device_of("once"), "kind": SERVICE.name, "api": "test"}
    job_id = storage.jobs.submit(NewJob(**new, payload=body.encode(), attempts=1)).id
    wait_for(lambda: any(line.text == "begun" for line in storage.jobs.log(job_id)))
    return job_id


def end(storage: Storage, job_id: str) -> Job:
    final = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
    wait_for(lambda: storage.jobs.get(job_id, ME).state in final, told=lambda: str(storage.jobs.get(job_id, ME)))
    return storage.jobs.get(job_id, ME)


def test_a_line_of_the_log_that_the_disk_refuses_costs_neither_the_run_nor_the_line(storage: Storage, disk: Disk):
    job_id = begin(storage, '{"seconds": 1}')
    disk.full.set()
    wait_for(lambda: "finish" in disk.refused or storage.jobs.get(job_id, ME).state is not JobState.RUNNING)
    disk.full.clear()
    done = end(storage, job_id)
    assert done.state is JobState.SUCCEEDED, done.reason
    assert [line.text for line in storage.jobs.log(job_id)] == ["begun", "done"]


def test_a_run_that_was_cancelled_while_the_disk_was_full_is_cancelled_once_there_is_room(storage: Storage, disk: Disk):
    job_id = begin(storage, '{"seconds": 60}')
    disk.full.set()
    storage.jobs.cancel(job_id, ME)
    wait_for(lambda: "release" in disk.refused)
    disk.full.clear()
    assert end(storage, job_id).state is JobState.CANCELLED


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("The folder x can't be removed."), "The server could not run it: The folder x can't be removed."),
        (OSError(28, "No space left on device"), "The server could not run it: No space left on device."),
    ],
)
def test_an_error_of_the_system_is_told_whether_it_has_a_number_or_not(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, error: OSError, told: str
):
    @contextlib.contextmanager
    def given(_self: OneProgram, _claim: Claim) -> Iterator[Input]:
        raise error
        yield

    monkeypatch.setattr(OneProgram, "given", given)
    new = NewJob(account="local", device=device_of("once"), kind=SERVICE.name, api="test", payload=b"{}", attempts=1)
    done = end(storage, storage.jobs.submit(new).id)
    assert done.reason == f"Not started: {told}"


def test_an_execution_that_cannot_begin_while_the_database_is_away_begins_later(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dispatcher_module, "PAUSE_SECONDS", 0.05)
    refused: list[str] = []
    really = OneProgram.program

    def program(one: OneProgram, device: str) -> Any:
        if not refused:
            refused.append(device)
            raise Unavailable("The database can't be used now.")
        return really(one, device)

    monkeypatch.setattr(OneProgram, "program", program)
    new = NewJob(
        account="local", device=device_of("once"), kind=SERVICE.name, api="test", payload=b'{"seconds": 0}', attempts=1
    )
    done = end(storage, storage.jobs.submit(new).id)
    assert refused
    assert done.state is JobState.SUCCEEDED, done.reason


def test_an_execution_of_a_kind_that_nothing_runs_is_an_error_of_ours(
    storage: Storage, caplog: pytest.LogCaptureFixture
):
    new = NewJob(account="local", device=device_of("once"), kind="newthing", api="test", payload=b"{}", attempts=1)
    done = end(storage, storage.jobs.submit(new).id)
    assert done.failure is Failure.INTERNAL
    assert "an error of Qumulus, not of the program" in str(done.reason)
    assert any(done.id in line and "error of ours" in line for line in caplog.messages)
