"""The next job begins before the end of the last one is stored, and nothing is lost by that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dispatchers import Cloud, wait_for
from qumulus.core.devices import DeviceSettings
from qumulus.core.jobs import JobState
from qumulus.execution import dispatcher


@pytest.fixture
def cloud(start: Callable[..., Cloud]) -> Cloud:
    running = start(workers=1)
    wait_for(lambda: running.dispatcher.ready)
    return running


def held_back(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let nothing that succeeds be stored until the event that is returned is set."""
    go, finish = threading.Event(), cloud.storage.queue.finish

    def late(*arguments, **how):
        go.wait(60)
        return finish(*arguments, **how)

    monkeypatch.setattr(cloud.storage.queue, "finish", late)
    return go


def test_the_next_job_runs_while_the_end_of_the_last_one_is_stored_and_both_are(cloud, monkeypatch):
    go = held_back(cloud, monkeypatch)
    first, second = (cloud.submit("nap", "0.2") for _ in range(2))
    wait_for(lambda: second in cloud.dispatcher.running())
    assert first not in cloud.dispatcher.running()
    assert {claim.job_id for claim in cloud.dispatcher._claims()} == {first, second}  # whose leases are renewed
    assert cloud.get(first).state is not JobState.SUCCEEDED
    go.set()
    assert [cloud.end(job).state for job in (first, second)] == [JobState.SUCCEEDED] * 2
    assert [cloud.get(job).attempt for job in (first, second)] == [1, 1]


def test_a_dispatcher_that_drains_waits_until_the_last_end_is_stored(cloud, monkeypatch):
    go = held_back(cloud, monkeypatch)
    first, second = (cloud.submit("nap", "0.1") for _ in range(2))
    wait_for(lambda: second in cloud.dispatcher.running())
    threading.Timer(0.3, go.set).start()
    assert cloud.dispatcher.drain(60)
    assert [cloud.get(job).state for job in (first, second)] == [JobState.SUCCEEDED] * 2


def test_a_device_that_runs_one_job_at_a_time_has_its_next_one_as_soon_as_the_last_is_stored(start, monkeypatch):
    monkeypatch.setattr(dispatcher, "LOOK_SECONDS", 60)  # nobody looks by the clock alone
    cloud = start(workers=2)
    cloud.storage.device_settings.set("brisbane", DeviceSettings(one_at_a_time=True))
    jobs = [cloud.submit("nap", "0.05") for _ in range(3)]
    wait_for(lambda: cloud.dispatcher.ready)
    assert [cloud.end(job).state for job in jobs] == [JobState.SUCCEEDED] * 3


def test_a_slot_that_has_its_next_job_leaves_the_others_to_the_dispatcher(tmp_path: Path, monkeypatch):
    cloud = Cloud(tmp_path / "state")  # not started: nobody else deals
    slot: Any = SimpleNamespace(claim=None)
    dealt: list[int] = []

    def deal() -> bool:
        slot.claim = "its next job"
        dealt.append(1)
        return len(dealt) < 5  # others become idle again and again

    monkeypatch.setattr(cloud.dispatcher._dealer, "_deal_once", deal)
    cloud.dispatcher._dealer.on_idle(slot)
    assert len(dealt) == 1
    cloud.storage.close()


def test_where_no_thread_may_be_started_the_end_of_a_run_is_stored_before_the_next_one(cloud, monkeypatch):
    begin = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name.startswith("qumulus-ender"):
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    jobs = [cloud.submit("nap", "0.05") for _ in range(3)]
    assert [cloud.end(job).state for job in jobs] == [JobState.SUCCEEDED] * 3
