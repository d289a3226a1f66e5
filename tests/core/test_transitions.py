"""The transition table, and that nobody ever sees a step that is not in it."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from qumulus.core.accounts import Caller
from qumulus.core.errors import IllegalTransition, WrongState
from qumulus.core.jobs import FINAL, PENDING, TRANSITIONS, JobEvent, JobState, NewJob, after, states_before
from qumulus.core.ports import Claim
from qumulus.core.results import Failure, Outcome
from qumulus.storage import open_storage

ME = Caller(account="local")
LEASE = timedelta(seconds=10)
S, E = JobState, JobEvent


@pytest.mark.parametrize(("state", "event"), list(itertools.product(JobState, JobEvent)))
def test_each_pair_of_state_and_event_is_in_the_table_or_refused_with_a_sentence(state, event):
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
        assert state in states_before(event)
        return
    assert state not in states_before(event)
    with pytest.raises(IllegalTransition) as refused:
        after(state, event, "job-1")
    assert refused.value.message == f"Job job-1 is {state}: it cannot {event}."


def test_nothing_happens_to_a_final_job():
    assert not [pair for pair in TRANSITIONS if pair[0] in FINAL]
    assert FINAL.isdisjoint(PENDING)


def test_every_state_can_be_reached_and_every_pending_one_can_end():
    following = {state: {after for (before, _), after in TRANSITIONS.items() if before is state} for state in JobState}

    def reach(start: JobState) -> set[JobState]:
        seen, left = {start}, [start]
        while left:
            new = following[left.pop()] - seen
            seen |= new
            left += new
        return seen

    assert reach(S.REGISTERED) == set(JobState)
    for state in PENDING:
        assert reach(state) & FINAL == FINAL


def test_only_a_running_job_succeeds():
    assert states_before(E.SUCCEED) == {S.RUNNING, S.CANCELLING}


STEPS = {(before, after) for (before, _), after in TRANSITIONS.items()}


def closure(steps: set[tuple[JobState, JobState]]) -> set[tuple[JobState, JobState]]:
    """What somebody who looks now and then may see: one legal step, or several at once."""
    found = set(steps)
    while True:
        more = {(a, d) for (a, b), (c, d) in itertools.product(found, steps) if b is c} - found
        if not more:
            return found
        found |= more


SEEN_STEPS = closure(STEPS)


class Life(RuleBasedStateMachine):
    """Everything that can be done to jobs, in any order, by people and by dispatchers that may be late or dead."""

    jobs = Bundle("jobs")
    claims = Bundle("claims")

    @initialize()
    def begin(self) -> None:
        self.home = Path(tempfile.mkdtemp())
        self.storage = open_storage(self.home)
        self.seen: dict[str, JobState] = {}
        self.owners: dict[str, str] = {}
        self.results: dict[str, bytes] = {}
        self.attempts: dict[str, int] = {}

    def teardown(self) -> None:
        self.storage.close()
        shutil.rmtree(self.home)

    @rule(
        target=jobs, registered=st.booleans(), attempts=st.integers(1, 3), account=st.sampled_from(["local", "other"])
    )
    def submit(self, registered: bool, attempts: int, account: str) -> tuple[str, str]:
        new = NewJob(account=account, device="d", kind="echo", api="t", registered=registered, attempts=attempts)
        job = self.storage.jobs.submit(new)
        self.seen[job.id] = job.state
        self.owners[job.id] = account
        return job.id, account

    @rule(job=jobs)
    def upload(self, job: tuple[str, str]) -> None:
        self.legal(
            job,
            E.SUBMIT,
            lambda: self.storage.jobs.upload(job[0], NewJob(account=job[1], device="d", kind="echo", api="t")),
        )

    @rule(job=jobs)
    def cancel(self, job: tuple[str, str]) -> None:
        self.legal(job, E.CANCEL, lambda: self.storage.jobs.cancel(job[0], Caller(account=job[1])))

    def legal(self, job: tuple[str, str], event: JobEvent, act: Callable[[], object]) -> None:
        state = self.storage.jobs.get(job[0], Caller(account=job[1])).state
        if (state, event) in TRANSITIONS:
            act()
            assert self.storage.jobs.get(job[0], Caller(account=job[1])).state is TRANSITIONS[state, event]
        else:
            with pytest.raises(WrongState):
                act()

    @rule(target=claims, count=st.integers(1, 3))
    def claim(self, count: int) -> object:
        claims = self.storage.queue.claim("me", count, LEASE)
        for claim in claims:
            assert claim.attempt == self.attempts.get(claim.job_id, 0) + 1
            self.attempts[claim.job_id] = claim.attempt
        return multiple(*claims)

    @rule(claim=claims)
    def start(self, claim: Claim) -> None:
        assert self.storage.queue.start(claim) is (self.newest(claim) is S.CLAIMED)

    def newest(self, claim: Claim) -> JobState | None:
        """The state of a claim's job, if no newer claim of it was made."""
        return self.seen[claim.job_id] if self.attempts[claim.job_id] == claim.attempt else None

    @rule(claim=claims, good=st.booleans(), at_once=st.booleans())
    def finish(self, claim: Claim, good: bool, at_once: bool) -> None:
        legal = self.newest(claim) in states_before(E.SUCCEED if good else E.FAIL) - {S.QUEUED, S.REGISTERED}
        if at_once:
            legal = self.newest(claim) is S.CLAIMED
        began_at = self.storage.clock.now() if at_once else None
        value = f"{claim.job_id} {claim.attempt}".encode()
        outcome = Outcome(result=value) if good else Outcome(failure=Failure.PROGRAM, reason="It is wrong.")
        assert self.storage.queue.finish(claim, outcome, began_at=began_at) is legal
        if legal and good:
            assert claim.job_id not in self.results
            self.results[claim.job_id] = value

    @rule(claim=consumes(claims), counted=st.booleans())
    def release(self, claim: Claim, counted: bool) -> None:
        self.storage.queue.release(claim, counted=counted, reason="It died.")

    @rule(claim=consumes(claims))
    def put_back(self, claim: Claim) -> None:
        self.storage.queue.put_back(claim)

    @rule(claim=claims)
    def beat(self, claim: Claim) -> None:
        lost = self.storage.queue.heartbeat("me", [claim], LEASE)
        assert (claim in lost) is (self.newest(claim) not in (S.CLAIMED, S.RUNNING))

    @rule()
    def recover(self) -> None:
        held = sum(state in (S.CLAIMED, S.RUNNING, S.CANCELLING) for state in self.seen.values())
        assert self.storage.queue.recover(everything=True) == held

    @rule()
    def begin_again(self) -> None:
        self.storage.close()
        self.storage = open_storage(self.home)

    @invariant()
    def every_step_is_legal_and_every_result_is_of_one_attempt(self) -> None:
        for job_id, before in self.seen.items():
            job = self.storage.jobs.get(job_id, Caller(account=self.owners[job_id]))
            assert job.state is before or (before, job.state) in SEEN_STEPS
            self.seen[job_id] = job.state
            assert (job.ended_at is not None) is job.final
            if job.state is S.FAILED:
                assert job.reason
            if job.state is S.SUCCEEDED:
                assert self.storage.jobs.result(job_id)[0] == self.results[job_id]
            else:
                assert job_id not in self.results


Life.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestNoIllegalStepIsEverSeen = Life.TestCase
