"""Leases that could not be renewed."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from qumulus.core.errors import StorageFull
from qumulus.core.jobs import NewJob
from qumulus.storage import open_storage


def test_a_lease_that_the_disk_refused_to_renew_is_not_over_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    storage = open_storage(tmp_path)
    storage.jobs.submit(NewJob(account="a", device="d", kind="echo", api="test"))
    (claim,) = storage.queue.claim("me", 1, timedelta(milliseconds=50))
    assert storage.queue.start(claim)

    def full(*_: object, **__: object) -> None:
        raise StorageFull

    with monkeypatch.context() as disk:
        disk.setattr(type(storage.queue._database.writer), "run", full)
        with pytest.raises(StorageFull):
            storage.queue.heartbeat("me", [claim], timedelta(seconds=10))
    time.sleep(0.1)
    assert storage.queue.recover() == 0  # whoever lives renews his first
    assert storage.queue.heartbeat("me", [claim], timedelta(seconds=10)) == []
    storage.close()
