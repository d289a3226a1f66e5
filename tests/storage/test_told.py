"""Jobs that wait for a device are told by what it was taken off."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import databases
from qumulus.core.errors import Unavailable
from qumulus.core.faults import FaultKind, FaultRule
from qumulus.core.jobs import NewJob
from qumulus.emulation.clock import set_clock
from qumulus.storage import open_storage

LEASE = timedelta(seconds=10)


def test_they_are_told_as_soon_as_the_database_can_be_written_again(tmp_path: Path, monkeypatch):
    storage = open_storage(tmp_path, url=databases.url(tmp_path))
    try:
        set_clock(storage.clock, rate=0)
        begins_at = storage.clock.now() + timedelta(hours=1)
        storage.faults.add(FaultRule(kind=FaultKind.DEVICE_PAUSED, device="brisbane", begins_at=begins_at))
        storage.queue.claim("us", 1, LEASE)
        job = storage.jobs.submit(NewJob(account="local", device="brisbane", api="test", kind="echo", payload=b""))
        set_clock(storage.clock, rate=0, now=begins_at)

        def refuse(*_arguments: object, **_how: object) -> None:
            raise Unavailable("It is away.")

        with monkeypatch.context() as away:
            away.setattr(type(storage._database.writer), "run", refuse)
            with pytest.raises(Unavailable, match="away"):
                storage.queue.claim("us", 1, LEASE)
        assert storage.queue.claim("us", 1, LEASE) == []
        assert [line.text for line in storage.jobs.log(job.id)] != []
    finally:
        storage.close()
