"""Claims that wait in memory for the next slot, while runs are short."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

import pytest

from dispatchers import Cloud, wait_for
from qumulus.core.accounts import Caller
from qumulus.core.faults import FaultKind, FaultRule
from qumulus.core.jobs import JobState
from qumulus.core.ports import Claim
from qumulus.execution.ahead import A_WORKER, ClaimsAhead
from qumulus.execution.slot import Slot

pytestmark = pytest.mark.only("sqlite")  # elsewhere nothing is claimed ahead: others may have free slots
ME = Caller(account="local")


@pytest.fixture
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is a short run on a machine that others use, too."""
    monkeypatch.setattr("qumulus.execution.ahead.SHORT_SECONDS", 30)


def short_runs(cloud: Cloud) -> None:
    """Have it known that runs are short."""
    wait_for(lambda: cloud.dispatcher.ready)
    for _ in range(8):
        cloud.end(cloud.submit("echo"))


def held(start: Callable[..., Cloud], until: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A cloud whose runs are known to be short, and whose one worker is busy until there is a file; nothing is put back."""
    monkeypatch.setattr("qumulus.execution.ahead.MOST_SECONDS", 60)
    cloud = start(workers=1)
    short_runs(cloud)
    cloud.submit("hold", str(until))
    return cloud


@pytest.mark.usefixtures("slow_machine")
def test_many_short_jobs_all_run_once_and_in_their_order(start, monkeypatch):
    monkeypatch.setattr("qumulus.execution.ahead.MOST_SECONDS", 60)  # nothing is put back
    cloud = start(workers=1)
    short_runs(cloud)
    jobs = [cloud.submit("echo") for _ in range(40)]
    ended = [cloud.end(job) for job in jobs]
    assert [job.state for job in ended] == [JobState.SUCCEEDED] * 40
    begun = [job.running_at for job in ended if job.running_at is not None]
    assert begun == sorted(begun)


@pytest.mark.usefixtures("slow_machine")
def test_no_job_is_claimed_ahead_where_a_seed_makes_all_repeat(start, tmp_path):
    cloud = start(workers=1, repeatable=True)
    short_runs(cloud)
    cloud.submit("hold", str(tmp_path / "go on"))
    behind = [cloud.submit("echo") for _ in range(5)]
    assert {cloud.get(job).state for job in behind} == {JobState.QUEUED}
    (tmp_path / "go on").touch()
    assert {cloud.end(job).attempt for job in behind} == {1}


@pytest.mark.usefixtures("slow_machine")
def test_a_job_that_was_claimed_behind_a_long_one_is_queued_again_and_shown_one_attempt(start, tmp_path, monkeypatch):
    cloud = held(start, tmp_path / "go on", monkeypatch)
    behind = cloud.submit("echo")
    wait_for(lambda: cloud.get(behind).state is JobState.CLAIMED)
    monkeypatch.setattr("qumulus.execution.ahead.MOST_SECONDS", 0.0)
    wait_for(lambda: cloud.get(behind).state is JobState.QUEUED and cloud.dispatcher._ahead.emptied(0))
    assert (cloud.get(behind).attempt, cloud.get(behind).runs) == (1, 0)
    (tmp_path / "go on").touch()
    ended = cloud.end(behind)
    assert (ended.attempt, ended.runs, ended.metadata["attempt"]) == (2, 1, 1)


@pytest.mark.usefixtures("slow_machine")
def test_a_job_that_waits_for_the_next_slot_can_be_cancelled(start, monkeypatch):
    monkeypatch.setattr("qumulus.execution.ahead.MOST_SECONDS", 60)
    cloud = start(workers=1)
    short_runs(cloud)
    cloud.submit("nap", "60")
    behind = cloud.submit("echo")
    wait_for(lambda: cloud.get(behind).state is JobState.CLAIMED)
    cloud.storage.jobs.cancel(behind, ME)
    assert cloud.end(behind).state is JobState.CANCELLED
    assert not cloud.dispatcher._ahead.any, "no slot is to have it"


@pytest.mark.usefixtures("slow_machine")
def test_a_dispatcher_that_drains_queues_again_what_waits_for_a_slot(start, tmp_path, monkeypatch):
    cloud = held(start, tmp_path / "go on", monkeypatch)
    behind = cloud.submit("echo")

    def let_go() -> None:
        wait_for(lambda: cloud.dispatcher.draining)
        (tmp_path / "go on").touch()

    threading.Thread(target=let_go).start()
    assert cloud.dispatcher.drain(60)
    assert cloud.get(behind).state is JobState.QUEUED


def test_no_more_wait_than_there_are_places_and_none_where_runs_are_long():
    ahead = ClaimsAhead(lambda: 2, lambda: 0.0)
    assert ahead.reserve() == 0  # nobody knows yet how long runs are
    ahead.ran(0.001)
    assert ahead.reserve(1) == 1
    assert ahead.reserve() == 2 * A_WORKER - 1
    ahead.fill(2 * A_WORKER)
    ahead.ran(1.0)
    assert ahead.reserve() == 0


def test_none_wait_beside_a_run_that_is_long():
    ahead = ClaimsAhead(lambda: 2, lambda: 1.0)
    ahead.ran(0.001)
    assert not ahead.reserve()
    assert not ahead.low


@pytest.mark.usefixtures("slow_machine")
def test_a_slot_that_others_find_idle_first_runs_what_has_waited_longest(start, tmp_path, monkeypatch):
    cloud = held(start, tmp_path / "go on", monkeypatch)
    jobs = [cloud.submit("echo") for _ in range(A_WORKER + 1)]
    claimed = [JobState.CLAIMED] * A_WORKER + [JobState.QUEUED]
    wait_for(lambda: [cloud.get(job).state for job in jobs] == claimed)
    idle, dealer = cloud.dispatcher._idle, cloud.dispatcher._dealer
    put = idle.put

    def put_and_deal(slots: Iterable[Slot]) -> None:
        monkeypatch.setattr(idle, "put", put)
        put(slots)
        dealer.deal()  # as the dispatcher's thread may, at this moment

    monkeypatch.setattr(idle, "put", put_and_deal)
    (tmp_path / "go on").touch()
    begun = [cloud.end(job).running_at for job in jobs]
    assert begun == sorted(begun, key=str)


@pytest.mark.usefixtures("slow_machine")
def test_a_job_that_comes_while_others_are_claimed_runs_after_them(start, tmp_path, monkeypatch):
    cloud = held(start, tmp_path / "go on", monkeypatch)
    jobs = [cloud.submit("echo") for _ in range(A_WORKER + 1)]
    dealer = cloud.dispatcher._dealer
    take, late = dealer._take, []

    def take_and_submit(count: int, **how: object) -> list[Claim]:
        claims = take(count, **how)
        if claims and not late:  # nothing waits now, as far as is known, and a place has become free
            monkeypatch.setattr("qumulus.execution.ahead.A_WORKER", 2 * A_WORKER)
            late.append(cloud.submit("echo"))
        return claims

    monkeypatch.setattr(dealer, "_take", take_and_submit)
    (tmp_path / "go on").touch()
    wait_for(lambda: late)
    begun = [cloud.end(job).running_at for job in (*jobs, *late)]
    assert begun == sorted(begun, key=str)


@pytest.mark.usefixtures("slow_machine")
def test_a_job_that_comes_as_a_slot_becomes_idle_does_not_begin_before_those_that_wait_for_it(
    start, tmp_path, monkeypatch
):
    cloud = held(start, tmp_path / "go on", monkeypatch)
    jobs = [cloud.submit("echo")]
    idle = cloud.dispatcher._idle
    put = idle.put

    def put_and_submit(slots: Iterable[Slot]) -> None:
        monkeypatch.setattr(idle, "put", put)
        put(slots)
        jobs.append(cloud.submit("echo"))

    monkeypatch.setattr(idle, "put", put_and_submit)
    (tmp_path / "go on").touch()
    wait_for(lambda: len(jobs) == 2)
    begun = [cloud.end(job).running_at for job in jobs]
    assert begun == sorted(begun, key=str)


def test_what_waits_behind_a_claim_that_is_put_back_goes_with_it(monkeypatch):
    ahead = ClaimsAhead(lambda: 1, lambda: 0.0)
    ahead.ran(0.001)
    first, second = (cast("Claim", name) for name in ("first", "second"))
    ahead.fill(ahead.reserve(1), first)
    monkeypatch.setattr("qumulus.execution.ahead.MOST_SECONDS", 0.0)
    time.sleep(0.001)  # it has waited for too long now
    late = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: late)
    ahead.fill(ahead.reserve(1), second)
    back: list[Claim] = []
    ahead.put_back(back.append, everything=False)
    assert back == [first, second]


def test_what_is_on_its_way_behind_a_claim_that_is_put_back_goes_with_it(monkeypatch):
    ahead = ClaimsAhead(lambda: 1, lambda: 0.0)
    ahead.ran(0.001)
    first, second = (cast("Claim", name) for name in ("first", "second"))
    ahead.fill(ahead.reserve(1), first)
    place = ahead.reserve(1)
    monkeypatch.setattr("qumulus.execution.ahead.MOST_SECONDS", -1.0)  # it has waited for too long now
    monkeypatch.setattr("qumulus.execution.ahead.STORED_SECONDS", 60.0)
    back: list[Claim] = []
    putting = threading.Thread(target=lambda: ahead.put_back(back.append, everything=False))
    putting.start()
    putting.join(0.1)
    ahead.fill(place, second)
    putting.join(60)
    assert back == [first, second]


@pytest.mark.usefixtures("slow_machine")
def test_a_job_that_comes_while_a_claim_is_put_back_runs_after_it(start, tmp_path, monkeypatch):
    cloud = held(start, tmp_path / "go on", monkeypatch)
    jobs = [cloud.submit("echo")]
    wait_for(lambda: cloud.get(jobs[0]).state is JobState.CLAIMED)
    put_back = cloud.dispatcher._put_back

    def submit_and_put_back(claim: Claim) -> None:
        if len(jobs) == 1:
            (tmp_path / "go on").touch()
            wait_for(lambda: cloud.dispatcher._idle.free)
            cloud.storage.queue.at_once._waiting.look()  # so that it is known that none waits in the queue
            jobs.append(cloud.submit("echo"))
        put_back(claim)

    monkeypatch.setattr(cloud.dispatcher, "_put_back", submit_and_put_back)
    monkeypatch.setattr("qumulus.execution.ahead.MOST_SECONDS", 0.0)
    wait_for(lambda: len(jobs) == 2)
    begun = [cloud.end(job).running_at for job in jobs]
    assert begun == sorted(begun, key=str)


@pytest.mark.usefixtures("slow_machine")
def test_no_slot_is_kept_for_a_job_before_which_one_was_put_back_meanwhile(start, monkeypatch):
    cloud = start(workers=1)
    short_runs(cloud)
    idle, dealer = cloud.dispatcher._idle, cloud.dispatcher._dealer
    wait_for(lambda: idle.free)
    cloud.storage.queue.at_once._waiting.look()
    take = idle.take

    def take_and_put_back(most: int | None = None) -> list[Slot]:
        taken = take(most)
        cloud.storage.events.queued.emit(None)
        return taken

    monkeypatch.setattr(idle, "take", take_and_put_back)
    assert dealer.keep() is None
    monkeypatch.setattr(idle, "take", take)
    wait_for(lambda: idle.free)


def test_what_is_being_claimed_counts_as_claimed():
    ahead = ClaimsAhead(lambda: 1, lambda: 0.0)
    ahead.ran(0.001)
    places = ahead.reserve(1)
    assert not ahead.emptied(0)
    ahead.fill(places)
    assert ahead.emptied(0)


def test_no_fault_is_spent_on_a_claim_that_is_put_back(start):
    cloud = start(workers=1)
    short_runs(cloud)
    cloud.submit("nap", "0.5")
    fault = cloud.storage.faults.add(FaultRule(kind=FaultKind.JOB_FAILS, tag="marked", times=1))
    marked = cloud.submit("echo", tags=("marked",))
    assert cloud.end(marked).state is JobState.FAILED
    assert cloud.storage.faults.fault(fault.id).seen == 1


@pytest.mark.usefixtures("slow_machine")
def test_a_job_that_comes_when_a_slot_gets_idle_runs_behind_those_that_wait_for_it(start, tmp_path, monkeypatch):
    cloud = held(start, tmp_path / "go on", monkeypatch)
    jobs = [cloud.submit("echo")]
    wait_for(lambda: cloud.get(jobs[0]).state is JobState.CLAIMED)
    idle, put = cloud.dispatcher._idle, cloud.dispatcher._idle.put
    came = threading.Event()

    def put_and_submit(slots: Iterable[Slot]) -> None:
        monkeypatch.setattr(idle, "put", put)
        put(slots)
        cloud.storage.queue.at_once._waiting.look()  # so that it is known that none waits in the queue
        jobs.append(cloud.submit("echo"))
        came.set()

    monkeypatch.setattr(idle, "put", put_and_submit)
    (tmp_path / "go on").touch()
    wait_for(came.is_set)
    begun = [cloud.end(job).running_at for job in jobs]
    assert begun == sorted(begun, key=str)
