"""Engines in this process, on a state folder of their own, with the programs of `tests/execution`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from qumulus.core.accounts import Caller
from qumulus.core.jobs import Job, JobState, NewJob
from qumulus.core.programs import Limits
from qumulus.execution import Dispatcher
from qumulus.storage import Storage, open_storage

PROGRAMS = Path(__file__).parent / "execution"
ME = Caller(account="local")
MiB = 1 << 20
PATIENCE_SECONDS = 60.0  # for what comes at once where nothing else runs: no test asserts how soon


class Cloud:
    """A storage and a dispatcher on it."""

    def __init__(self, home: Path, entry: str = "programs:run", **options: object) -> None:
        self.storage: Storage = open_storage(home)
        settings = {"workers": 2, "limits": Limits(seconds=30, memory_bytes=512 * MiB, result_bytes=64 * MiB)} | options
        self.dispatcher = Dispatcher(self.storage, entry, **settings)  # ty: ignore[invalid-argument-type]

    def start(self) -> Cloud:
        self.dispatcher.start()
        return self

    def submit(self, kind: str, payload: bytes | str = b"", **members: object) -> str:
        data = payload.encode() if isinstance(payload, str) else payload
        fields = {"account": "local", "device": "brisbane", "api": "test", "kind": kind, "payload": data} | members
        return self.storage.jobs.submit(NewJob(**fields)).id  # ty: ignore[invalid-argument-type]

    def get(self, job_id: str) -> Job:
        return self.storage.jobs.get(job_id, ME)

    def until(self, job_id: str, *states: JobState, seconds: float = PATIENCE_SECONDS) -> Job:
        wait_for(lambda: self.get(job_id).state in states, seconds, lambda: f"{states} but {self.get(job_id)}")
        return self.get(job_id)

    def end(self, job_id: str, seconds: float = PATIENCE_SECONDS) -> Job:
        return self.until(job_id, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, seconds=seconds)

    def stop(self) -> None:
        self.dispatcher.stop()
        self.storage.close()


def wait_for(
    condition: Callable[[], object], seconds: float = PATIENCE_SECONDS, told: Callable[[], str] = lambda: ""
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {told()}"
        time.sleep(0.005)


def alive(pid: int) -> bool:
    """Whether a process is there and not just waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
