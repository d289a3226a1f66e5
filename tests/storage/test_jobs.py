"""Jobs on disk: what is kept, what is found, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from qumulus.apis.ibm.instances import NAMING
from qumulus.core.accounts import Caller
from qumulus.core.errors import Draining, IllegalTransition, NoResult, UnknownJob, WrongState
from qumulus.core.jobs import JobState, NewJob
from qumulus.core.ports import Claim, JobQuery
from qumulus.core.results import Failure, LogLine, Outcome, Severity
from qumulus.storage import Storage, open_storage

LEASE = timedelta(seconds=10)
ME = Caller(account="local")
SOMEBODY_ELSE = Caller(account="other")


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(tmp_path / "state", credentials=[("ibm", "secret")])
    yield opened
    opened.close()


def job(**members: object) -> NewJob:
    return NewJob(**({"account": "local", "device": "brisbane", "kind": "echo", "api": "test"} | members))  # ty: ignore


def running(storage: Storage) -> Claim:
    (claim,) = storage.queue.claim("me", 1, LEASE)
    assert storage.queue.start(claim)
    return claim


@pytest.mark.parametrize("size", [0, 1500, 64 * 1024, 64 * 1024 + 1, 3_000_000])
def test_a_payload_of_any_size_comes_back_after_the_state_is_opened_again(tmp_path, size):
    payload = bytes(index % 251 for index in range(size))
    first = open_storage(tmp_path)
    kept = first.jobs.submit(job(payload=payload, tags=("a", "b"), request={"x": [1, None]}, name="n", note="o"))
    first.close()
    second = open_storage(tmp_path)
    assert second.jobs.payload(kept.id) == payload
    assert second.jobs.get(kept.id, ME) == kept
    second.close()


@pytest.mark.parametrize(("size", "files"), [(64 * 1024, 0), (256 * 1024, 0), (256 * 1024 + 1, 1)])
def test_a_result_costs_a_file_of_its_own_from_256_kib_only(storage, size, files):
    kept = storage.jobs.submit(job())
    assert storage.queue.finish(running(storage), Outcome(result=bytes(size)))
    assert storage.jobs.result(kept.id)[0] == bytes(size)
    assert len(list(storage.blobs.keys())) == files


def test_a_job_of_somebody_else_is_not_there(storage):
    kept = storage.jobs.submit(job())
    for ask in (storage.jobs.get, storage.jobs.cancel, storage.jobs.delete):
        with pytest.raises(UnknownJob):
            ask(kept.id, SOMEBODY_ELSE)


def test_the_same_key_gives_the_same_job_and_another_account_may_use_it_too(storage):
    first = storage.jobs.submit(job(idempotency_key="k", payload=b"x" * 100_000))
    again = storage.jobs.submit(job(idempotency_key="k", payload=b"y" * 100_000))
    other = storage.jobs.submit(job(idempotency_key="k", account="other"))
    assert again.id == first.id != other.id
    assert storage.jobs.payload(first.id) == b"x" * 100_000
    assert len(list(storage.blobs.keys())) == 1


def test_result_files_and_log_are_kept_with_the_final_state(storage):
    kept = storage.jobs.submit(job())
    claim = running(storage)
    with pytest.raises(NoResult, match="running"):
        storage.jobs.result(kept.id)
    line = LogLine(storage.clock.now(), "half way", Severity.WARNING)
    outcome = Outcome(
        result=b"{}", files={"big": b"1" * 300_000, "../odd name": b"2"}, metadata={"method": "dense"}, run_seconds=1.5
    )
    assert storage.queue.finish(claim, outcome, [line])
    done = storage.jobs.get(kept.id, ME)
    assert (done.state, done.metadata, done.run_seconds, done.attempt) == (
        JobState.SUCCEEDED,
        {"method": "dense"},
        1.5,
        1,
    )
    assert done.queued_at <= done.claimed_at <= done.running_at <= done.ended_at
    assert storage.jobs.result(kept.id) == (b"{}", "application/json")
    assert storage.jobs.files(kept.id) == ("../odd name", "big")
    assert storage.jobs.file(kept.id, "big") == b"1" * 300_000
    assert storage.jobs.log(kept.id) == (line,)


def test_a_stale_attempt_changes_nothing(storage):
    kept = storage.jobs.submit(job())
    stale = running(storage)
    assert storage.queue.recover(everything=True) == 1
    fresh = running(storage)
    assert (stale.attempt, fresh.attempt) == (1, 2)
    assert not storage.queue.start(stale)
    assert not storage.queue.finish(stale, Outcome(result=b"stale" * 60_000))
    storage.queue.release(stale, counted=True, reason="It died.")
    storage.queue.log(stale, [LogLine(storage.clock.now(), "stale")])
    assert storage.jobs.get(kept.id, ME).state is JobState.RUNNING
    assert storage.queue.finish(fresh, Outcome(result=b"fresh"))
    assert storage.jobs.result(kept.id)[0] == b"fresh"
    assert storage.jobs.log(kept.id) == ()
    assert list(storage.blobs.keys()) == []


def test_a_claim_that_was_put_back_is_fenced_off_and_no_attempt_for_people(storage):
    kept = storage.jobs.submit(job())
    (stale,) = storage.queue.claim("me", 1, LEASE)
    assert storage.queue.put_back(stale) is JobState.QUEUED
    assert storage.jobs.get(kept.id, ME).runs == 0
    fresh = running(storage)
    assert (fresh.attempt, fresh.run) == (2, 1)
    assert storage.queue.put_back(stale) is None
    storage.queue.release(fresh, counted=True, reason="It died.")
    again = running(storage)
    assert (again.attempt, again.run, storage.jobs.get(kept.id, ME).runs) == (3, 2, 2)


def test_a_job_whose_worker_dies_each_time_fails_with_the_reason_of_the_last(storage):
    kept = storage.jobs.submit(job(attempts=2))
    storage.queue.release(running(storage), counted=True, reason="First.")
    assert storage.jobs.get(kept.id, ME).state is JobState.QUEUED
    storage.queue.release(running(storage), counted=True, reason="Its worker died twice.")
    failed = storage.jobs.get(kept.id, ME)
    assert (failed.state, failed.failure, failed.reason) == (JobState.FAILED, Failure.CRASHED, "Its worker died twice.")


def test_handing_back_does_not_count_but_ends_after_ten_times(storage):
    kept = storage.jobs.submit(job(attempts=1))
    for _ in range(10):
        running(storage)
        storage.queue.recover(everything=True)
        assert storage.jobs.get(kept.id, ME).state is JobState.QUEUED
    storage.queue.release(running(storage), counted=False, reason="The server stopped.")
    failed = storage.jobs.get(kept.id, ME)
    assert (failed.state, failed.failure, failed.attempt) == (JobState.FAILED, Failure.LOST, 11)


@pytest.mark.parametrize(("attempts", "counted"), [(1, 1), (3, 0)])
def test_what_was_lost_while_it_ran_has_had_its_attempt_if_it_may_run_once_only(storage, attempts, counted):
    storage.jobs.submit(job(attempts=attempts))
    storage.queue.claim("a", 1, LEASE)
    storage.queue.recover(everything=True)
    assert running(storage).counted_attempts == 0  # it was taken, and did not run
    storage.queue.recover(everything=True)
    assert running(storage).counted_attempts == counted


def test_what_has_not_begun_is_put_back_any_number_of_times_and_keeps_its_turn(storage):
    first, second = storage.jobs.submit(job(attempts=1)), storage.jobs.submit(job(attempts=1))
    for attempt in range(1, 13):
        (claim,) = storage.queue.claim("me", 1, LEASE)
        assert (claim.job_id, claim.attempt) == (first.id, attempt)
        assert storage.queue.put_back(claim) is JobState.QUEUED
    assert storage.queue.put_back(claim) is None, "it is nobody's"
    taken = storage.queue.claim("me", 2, LEASE)
    assert [claim.job_id for claim in taken] == [first.id, second.id]
    storage.jobs.cancel(second.id, ME)
    assert storage.queue.put_back(taken[1]) is None, "it was cancelled"
    assert storage.jobs.get(second.id, ME).state is JobState.CANCELLED
    assert storage.queue.start(taken[0])
    assert storage.queue.finish(taken[0], Outcome(result=b"done"))


def test_a_run_that_has_begun_and_ended_is_stored_in_one_step_if_nobody_cancelled_it(storage):
    good, bad, cancelled = (storage.jobs.submit(job()) for _ in range(3))
    claims = storage.queue.claim("me", 3, LEASE)
    storage.jobs.cancel(cancelled.id, ME)
    began_at = storage.clock.now()
    outcomes = (
        Outcome(result=b"done"),
        Outcome(failure=Failure.PROGRAM, reason="It is wrong."),
        Outcome(result=b"late"),
    )
    stored = [
        storage.queue.finish(claim, outcome, began_at=began_at) for claim, outcome in zip(claims, outcomes, strict=True)
    ]
    assert stored == [True, True, False]
    jobs = [storage.jobs.get(kept.id, ME) for kept in (good, bad, cancelled)]
    assert [one.state for one in jobs] == [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED]
    assert all(one.claimed_at <= one.running_at <= one.ended_at for one in jobs[:2])
    assert storage.jobs.result(good.id)[0] == b"done"
    assert not storage.queue.finish(claims[0], outcomes[1], began_at=began_at), "it is final"


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_by_way_of_cancelling(storage):
    waiting, moving = storage.jobs.submit(job(device="a")), storage.jobs.submit(job(device="b"))
    (claim,) = storage.queue.claim("me", 1, LEASE, devices=lambda device: device == "b")
    assert storage.queue.start(claim)
    assert storage.jobs.cancel(waiting.id, ME).state is JobState.CANCELLED
    assert storage.jobs.cancel(moving.id, ME).state is JobState.CANCELLING
    with pytest.raises(IllegalTransition):
        storage.jobs.cancel(moving.id, ME)
    assert storage.queue.heartbeat("me", [claim], LEASE) == [claim]
    storage.queue.release(claim, counted=False, reason="")
    assert storage.jobs.get(moving.id, ME).state is JobState.CANCELLED


def test_only_a_final_job_is_deleted_and_nothing_of_it_is_left(storage):
    kept = storage.jobs.submit(job(payload=b"p" * 100_000))
    with pytest.raises(WrongState, match="cancel it"):
        storage.jobs.delete(kept.id, ME)
    storage.queue.finish(running(storage), Outcome(result=b"r" * 300_000), [LogLine(storage.clock.now(), "x")])
    storage.jobs.delete(kept.id, ME)
    for ask in (storage.jobs.payload, storage.jobs.result):
        with pytest.raises(UnknownJob):
            ask(kept.id)
    assert storage.jobs.log(kept.id) == ()
    assert list(storage.blobs.keys()) == []


def test_a_registered_job_waits_for_its_program_and_then_for_its_turn(storage):
    registered = storage.jobs.submit(job(registered=True))
    other = storage.jobs.submit(job())
    assert registered.state is JobState.REGISTERED
    assert storage.jobs.pending() == {"brisbane": 1}
    queued = storage.jobs.upload(registered.id, job(payload=b"later", name="named"))
    assert (queued.state, queued.name) == (JobState.QUEUED, "named")
    with pytest.raises(IllegalTransition):
        storage.jobs.upload(registered.id, job())
    assert [claim.job_id for claim in storage.queue.claim("me", 5, LEASE)] == [other.id, registered.id]


def test_a_list_is_filtered_paged_and_counted(storage):
    ids = [
        storage.jobs.submit(job(name=f"Job {n}", tags=("even",) if n % 2 == 0 else ("odd", "x"))).id for n in range(7)
    ]
    storage.jobs.submit(job(account="other"))
    mine = JobQuery(account="local")
    assert [found.id for found in storage.jobs.find(mine).jobs] == ids[::-1]
    pages = [storage.jobs.find(JobQuery(account="local", offset=at, limit=3, descending=False)) for at in (0, 3, 6)]
    assert [found.id for page in pages for found in page.jobs] == ids
    assert {page.total for page in pages} == {7}
    assert storage.jobs.find(JobQuery(tags=("odd", "x"))).total == 3
    assert storage.jobs.find(JobQuery(tags=("od",))).total == 0
    assert storage.jobs.find(JobQuery(text="jOB 3")).jobs[0].id == ids[3]
    assert storage.jobs.find(JobQuery(text="%")).total == 0
    assert storage.jobs.find(JobQuery(states=frozenset({JobState.FAILED}))).total == 0


def test_a_server_that_stops_takes_no_new_work(storage):
    registered = storage.jobs.submit(job(registered=True))
    storage.jobs.drain()
    with pytest.raises(Draining):
        storage.jobs.submit(job())
    with pytest.raises(Draining):
        storage.jobs.upload(registered.id, job())
    assert storage.jobs.get(registered.id, ME) == registered


def test_the_result_of_a_private_job_is_withdrawn_once_and_takes_the_payload_with_it(storage):
    kept = storage.jobs.submit(job(private=True, payload=b"p" * 100_000))
    storage.queue.finish(running(storage), Outcome(result=b"r" * 300_000))
    assert storage.jobs.withdraw(kept.id)[0] == b"r" * 300_000
    for ask in (storage.jobs.withdraw, storage.jobs.result):
        with pytest.raises(NoResult):
            ask(kept.id)
    assert storage.jobs.payload(kept.id) == b""
    assert storage.jobs.get(kept.id, ME).state is JobState.SUCCEEDED
    assert list(storage.blobs.keys()) == []


def test_tags_are_listed_once_by_their_beginning_and_only_one_s_own(storage):
    storage.jobs.submit(job(tags=("bell", "first")))
    storage.jobs.submit(job(tags=("bell", "b%", "Bell")))
    storage.jobs.submit(job(account="other", tags=("before",)))
    assert storage.jobs.tags("local") == ("Bell", "b%", "bell", "first")
    assert storage.jobs.tags("local", "be") == ("bell",)
    assert storage.jobs.tags("local", "b%") == ("b%",)


def test_the_seconds_of_an_instance_are_those_of_its_jobs_since_then(storage):
    for instance, seconds in (("a", 1.5), ("b", 4.0), ("a", 2.0)):
        storage.jobs.submit(job(instance=instance))
        storage.queue.finish(running(storage), Outcome(run_seconds=seconds))
    now = storage.clock.now()
    assert storage.jobs.run_seconds("a", now - timedelta(hours=1)) == 3.5
    assert storage.jobs.run_seconds("a", now) == 0.0
    assert storage.jobs.run_seconds("c", now - timedelta(hours=1)) == 0.0


def test_a_limit_is_set_and_taken_away(storage):
    storage.accounts.add_instances(NAMING.built_in)
    instance = storage.accounts.instance("test")
    storage.accounts.set_limit(instance.crn, 600)
    assert storage.accounts.instance("test").limit_seconds == 600
    assert storage.accounts.instance("local").limit_seconds is None
    storage.accounts.set_limit(instance.crn, None)
    assert storage.accounts.instance("test") == instance


def test_a_file_that_was_attached_before_is_replaced_by_the_one_that_the_run_leaves(storage):
    kept = storage.jobs.submit(job())
    claim = running(storage)
    storage.jobs.attach(kept.id, "log.zip", b"early" * 60_000)
    assert storage.queue.finish(claim, Outcome(result=b"{}", files={"log.zip": b"late"}))
    assert storage.jobs.file(kept.id, "log.zip") == b"late"
    assert list(storage.blobs.keys()) == []


def test_a_job_that_waits_is_deleted_only_if_that_is_wanted_and_never_runs(storage):
    waits = storage.jobs.submit(job())
    with pytest.raises(WrongState, match="cancel it"):
        storage.jobs.delete(waits.id, ME)
    storage.jobs.delete(waits.id, ME, waiting=True)
    with pytest.raises(UnknownJob):
        storage.jobs.get(waits.id, ME)
    assert storage.queue.claim("me", 1, LEASE) == []
    runs = storage.jobs.submit(job())
    running(storage)
    with pytest.raises(WrongState, match="is running"):
        storage.jobs.delete(runs.id, ME, waiting=True)
    storage.jobs.cancel(runs.id, ME)
    with pytest.raises(WrongState, match=f"Job {runs.id} is cancelling: .* before you delete it"):
        storage.jobs.delete(runs.id, ME, waiting=True)


def test_a_claimed_job_that_was_deleted_is_not_started(storage):
    known = storage.jobs.submit(job())
    (claim,) = storage.queue.claim("me", 1, LEASE)
    storage.jobs.delete(known.id, ME, waiting=True)
    assert not storage.queue.start(claim)
    assert not storage.queue.finish(claim, Outcome())
