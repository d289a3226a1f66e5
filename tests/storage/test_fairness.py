"""Whose job is next: accounts take turns, sessions keep their device, and nothing waits for a queue that is long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, String, cast, event, insert, literal, select, true

from qumulus.core.accounts import Caller
from qumulus.core.devices import DeviceSettings
from qumulus.core.errors import InvalidRequest, UnknownSession, WrongState
from qumulus.core.jobs import JobState, NewJob
from qumulus.core.owners import owner_name
from qumulus.core.ports import JobQuery
from qumulus.core.results import Failure, Outcome
from qumulus.core.sessions import NewSession, SessionMode, SessionState
from qumulus.storage import Storage, open_storage
from qumulus.storage.database.tables import jobs
from qumulus.storage.jobs import rows

LEASE = timedelta(seconds=10)
ME = Caller(account="a")


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)
        self.leapt = 0.0

    def wall(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp() - self.leapt

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self.at += timedelta(seconds=seconds)
        self.leapt += seconds


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def storage(tmp_path: Path, clock: Hand) -> Iterator[Storage]:
    opened = open_storage(tmp_path, machine=clock, workers=2)
    yield opened
    opened.close()


def submit(storage: Storage, account: str = "a", device: str = "d", **members: object) -> str:
    return storage.jobs.submit(NewJob(account=account, device=device, kind="echo", api="test", **members)).id  # ty: ignore


def next_one(storage: Storage, *, end: bool = True) -> str | None:
    """The job that is claimed next; it is run to its end, or left claimed."""
    claims = storage.queue.claim("me", 1, LEASE)
    if not claims:
        return None
    if end:
        storage.queue.start(claims[0])
        storage.queue.finish(claims[0], Outcome())
    return claims[0].job_id


def test_an_account_with_many_jobs_does_not_keep_another_waiting(storage):
    many = [submit(storage, "a") for _ in range(50)]
    few = [submit(storage, "b") for _ in range(2)]
    order = [next_one(storage) for _ in range(5)]
    assert order == [many[0], few[0], many[1], few[1], many[2]]


def test_who_holds_fewest_is_served_first(storage):
    a = [submit(storage, "a") for _ in range(4)]
    b = [submit(storage, "b") for _ in range(4)]
    taken = [claim.job_id for claim in storage.queue.claim("me", 4, LEASE)]
    assert sorted(taken) == sorted([a[0], a[1], b[0], b[1]])


def test_inside_an_account_the_oldest_is_first_whatever_its_device(storage):
    ids = [submit(storage, device=f"d{number % 3}") for number in range(9)]
    assert [next_one(storage) for _ in range(9)] == ids


def test_a_job_that_is_handed_back_keeps_its_place(storage):
    first, second = submit(storage), submit(storage)
    (claim,) = storage.queue.claim("me", 1, LEASE)
    storage.queue.release(claim, counted=True, reason="It died.")
    assert [next_one(storage), next_one(storage)] == [first, second]


def test_jobs_of_one_lane_that_are_claimed_together_cost_a_statement_each(storage):
    ids = [submit(storage) for _ in range(8)]
    said: list[str] = []
    event.listen(storage._database.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    claimed = storage.queue.claim("one", 8, LEASE)
    assert [claim.job_id for claim in claimed] == ids
    assert sum(statement.startswith("UPDATE jobs") for statement in said) == 8
    assert len(said) <= 8 + 2  # the heads of all lanes, and the settings of devices


def test_a_least_queue_time_lets_nothing_by(storage, clock):
    storage.device_settings.set("d", DeviceSettings(least_queue_seconds=5))
    slow, other = submit(storage), submit(storage, device="e")
    assert next_one(storage) == other
    assert next_one(storage) is None
    clock.move(5)
    assert next_one(storage) == slow


def test_a_paused_device_runs_nothing_and_one_with_an_engine_of_its_own_waits_to_be_fetched(storage):
    storage.device_settings.set("paused", DeviceSettings(online=False))
    storage.device_settings.set("foreign", DeviceSettings(provider=True))
    submit(storage, device="paused")
    ids = [submit(storage, account, "foreign") for account in ("a", "b", "a")]
    assert next_one(storage) is None
    fetched = storage.queue.fetch("foreign", 2)
    assert [claim.job_id for claim in fetched] == ids[:2]
    assert storage.queue.recover(everything=True) == 0
    held = storage.queue.held(ids[0])
    assert held == fetched[0]
    assert storage.queue.start(held)
    assert storage.queue.finish(storage.queue.held(ids[0]), Outcome(result=b"1"))
    assert storage.jobs.settled(ids) == frozenset(ids)


def test_a_device_that_runs_one_job_at_a_time_does(storage):
    storage.device_settings.set("d", DeviceSettings(one_at_a_time=True))
    first, second = submit(storage, "a"), submit(storage, "b")
    assert [claim.job_id for claim in storage.queue.claim("me", 5, LEASE)] == [first]
    assert next_one(storage) is None
    storage.queue.recover(everything=True)
    assert {next_one(storage), next_one(storage)} == {first, second}


def session_on_single_device(storage: Storage, mode: SessionMode = SessionMode.DEDICATED, **members: float) -> str:
    storage.device_settings.set("d", DeviceSettings(one_at_a_time=True))
    return storage.sessions.open(NewSession(account="a", device="d", mode=mode, **members)).id


def test_a_session_keeps_its_device_until_it_is_closed(storage, clock):
    session = session_on_single_device(storage)
    mine = submit(storage, session=session)
    others = submit(storage, "b")
    assert next_one(storage) == mine
    assert next_one(storage) is None
    again = submit(storage, session=session)
    assert next_one(storage) == again
    storage.sessions.close(session, ME)
    assert next_one(storage) == others
    with pytest.raises(WrongState, match="closed"):
        submit(storage, session=session)


def test_an_idle_session_lets_go_of_its_device(storage, clock):
    session = session_on_single_device(storage, interactive_seconds=60)
    submit(storage, session=session)
    next_one(storage)
    others = submit(storage, "b")
    clock.move(59)
    assert next_one(storage) is None
    assert storage.sessions.get(session, ME).state(clock.wall()) is SessionState.ACTIVE
    clock.move(1)
    assert storage.sessions.get(session, ME).state(clock.wall()) is SessionState.INACTIVE
    assert next_one(storage) == others


def test_a_batch_shares_its_device(storage):
    session = session_on_single_device(storage, SessionMode.BATCH)
    mine = [submit(storage, session=session) for _ in range(2)]
    others = submit(storage, "b")
    assert [next_one(storage) for _ in range(3)] == [mine[0], others, mine[1]]


def test_jobs_of_a_session_whose_time_is_over_fail_with_the_reason(storage, clock):
    session = session_on_single_device(storage, max_seconds=100)
    submit(storage, session=session)
    next_one(storage)
    late = submit(storage, session=session)
    clock.move(100)
    assert next_one(storage) is None
    failed = storage.jobs.get(late, ME)
    assert failed.state is JobState.FAILED
    assert "time of its session" in failed.reason
    assert storage.sessions.get(session, ME).state(clock.wall()) is SessionState.CLOSED
    with pytest.raises(WrongState):
        submit(storage, session=session)


def test_cancelling_a_session_cancels_its_jobs(storage, clock):
    session = storage.sessions.open(NewSession(account="a", device="d")).id
    running, waiting = submit(storage, session=session), submit(storage, session=session)
    (claim,) = storage.queue.claim("me", 1, LEASE)
    storage.queue.start(claim)
    cancelled = storage.sessions.cancel(session, ME)
    assert storage.jobs.get(waiting, ME).state is JobState.CANCELLED
    assert storage.jobs.get(running, ME).state is JobState.CANCELLING
    assert cancelled.pending_jobs == 1
    storage.queue.release(claim, counted=False, reason="")
    assert storage.sessions.get(session, ME).state(clock.wall()) is SessionState.CLOSED


def test_a_session_takes_jobs_of_its_account_and_device_only(storage):
    session = storage.sessions.open(NewSession(account="a", device="d")).id
    with pytest.raises(UnknownSession):
        submit(storage, "b", session=session)
    with pytest.raises(UnknownSession):
        storage.sessions.get(session, Caller(account="b"))
    with pytest.raises(InvalidRequest, match="on device d"):
        submit(storage, device="e", session=session)


def test_a_position_counts_the_turns_of_the_other_accounts(storage):
    a = [submit(storage, "a") for _ in range(5)]
    b = [submit(storage, "b") for _ in range(2)]
    submit(storage, "c", device="d2")
    assert [storage.jobs.position(job_id) for job_id in a] == [1, 3, 4, 5, 6]
    assert storage.jobs.position(b[1]) == 3
    expected = storage.jobs.expected_start(a[1])
    assert expected == storage.clock.now() + timedelta(seconds=1)  # two run at once: it is in the second wave
    next_one(storage)
    assert storage.jobs.position(a[0]) is None
    assert storage.jobs.expected_start(a[0]) is None


def test_an_expected_start_counts_what_runs_and_the_last_runs_of_the_device(storage, clock):
    for seconds in (4.0, 6.0):
        submit(storage)
        (claim,) = storage.queue.claim("me", 1, LEASE)
        storage.queue.start(claim)
        storage.queue.finish(claim, Outcome(run_seconds=seconds))
    storage.device_settings.set("d", DeviceSettings(one_at_a_time=True))
    ids = [submit(storage) for _ in range(3)]
    submit(storage, device="e")
    assert storage.jobs.expected_start(ids[0]) == clock.wall()
    assert next_one(storage, end=False) == ids[0]
    assert storage.jobs.expected_start(ids[1]) == clock.wall() + timedelta(seconds=5)
    assert storage.jobs.expected_start(ids[2]) == clock.wall() + timedelta(seconds=10)
    storage.device_settings.set("d", DeviceSettings(one_at_a_time=True, least_queue_seconds=60))
    assert storage.jobs.expected_start(ids[1]) == clock.wall() + timedelta(seconds=60)
    storage.device_settings.set("d", DeviceSettings(online=False))
    assert storage.jobs.expected_start(ids[1]) is None
    assert storage.jobs.pending("d") == {"d": 3}


@pytest.mark.only("sqlite")
def test_a_claim_costs_the_same_whether_a_hundred_jobs_wait_or_a_hundred_thousand(storage):
    def fill(count: int) -> None:
        now = storage.clock.now()
        values = []
        for number in range(count):
            new = NewJob(account=f"account {number % 7}", device=f"d{number % 5}", kind="echo", api="test")
            values.append(rows.job_values(new, rows.new_id(now), now) | {"ticket": number + 1})
        storage._database.writer.run(lambda connection: connection.execute(insert(jobs), values))

    def multiply(times: int) -> None:
        """Add copies of each job that waits, by the database itself: it takes a tenth of the time."""
        numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
        numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < times))
        own = {"id": jobs.c.id + "-" + cast(numbers.c.n, String), "ticket": jobs.c.ticket + 1000 * numbers.c.n}
        columns = [column for column in jobs.c if column is not jobs.c.number]
        copies = select(*(own.get(column.name, column) for column in columns)).join_from(jobs, numbers, true())
        copying = insert(jobs).from_select(columns, copies.where(jobs.c.state == "queued"))
        storage._database.writer.run(lambda connection: connection.execute(copying))

    ticks = 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    def cost() -> int:
        """What the database does for a claim, in steps of its virtual machine: a clock would measure our neighbours too."""
        nonlocal ticks
        before = ticks
        for _ in range(10):
            (claim,) = storage.queue.claim("me", 1, LEASE)
            storage.queue.finish(claim, Outcome(failure=Failure.PROGRAM, reason="x"))
        return ticks - before

    def listen(connection: Connection) -> None:
        connection.connection.driver_connection.set_progress_handler(tick, 10)  # ty: ignore[unresolved-attribute]

    fill(100)
    storage._database.writer.run(listen)
    few = cost()
    multiply(1_200)
    assert storage.jobs.find(JobQuery(states=frozenset({JobState.QUEUED}), limit=1)).total > 100_000
    assert 0 < cost() < 1.2 * few


def test_a_lease_that_is_over_hands_the_job_back(storage, clock):
    submit(storage)
    (claim,) = storage.queue.claim("me", 1, LEASE)
    clock.move(9)
    assert storage.queue.recover() == 0
    assert storage.queue.heartbeat("me", [claim], LEASE) == []
    clock.move(9)
    assert storage.queue.recover() == 0
    clock.move(2)
    assert storage.queue.recover() == 1


@pytest.mark.parametrize(
    ("owner", "cause"),
    [
        (owner_name(), "It has not ended."),
        ("elsewhere:17:abc", "(elsewhere:17) ended, or could not be reached"),
        ("provider:kawasaki", "The engine of its device did not report in time."),
    ],
    ids=["here", "elsewhere", "provider"],  # the name of this process is another one in each
)
def test_whoever_takes_a_job_again_is_told_why_its_last_run_was_lost(storage, clock, owner, cause):
    submit(storage, attempts=1)
    (claim,) = storage.queue.claim(owner, 1, LEASE)
    storage.queue.start(claim)
    clock.move(11)
    assert storage.queue.recover() == 1
    (again,) = storage.queue.claim("me", 1, LEASE)
    assert again.counted_attempts == 1
    assert cause in (again.lost_because or "")


def test_a_wall_clock_that_is_set_back_makes_no_lease_longer(storage, clock):
    """Else the jobs of a dispatcher that ends soon after would wait until the clock has caught up."""
    submit(storage)
    (claim,) = storage.queue.claim("me", 1, LEASE)
    clock.jump(-3600)
    assert storage.queue.recover() == 0
    assert storage.queue.heartbeat("me", [claim], LEASE) == []
    clock.move(61)
    assert storage.queue.recover() == 1


@pytest.mark.parametrize("hours", [1, -1])
def test_a_wall_clock_that_is_set_takes_no_running_job_away(storage, clock, hours):
    ids = [submit(storage) for _ in range(3)]
    claims = storage.queue.claim("me", 3, LEASE)
    clock.jump(hours * 3600)
    assert storage.queue.recover() == 0
    clock.move(5)
    assert storage.queue.heartbeat("me", claims, LEASE) == []
    for _ in range(20):
        clock.move(5)
        assert storage.queue.recover() == 0
        assert storage.queue.heartbeat("me", claims, LEASE) == []
    assert {storage.jobs.get(job_id, ME).state for job_id in ids} == {JobState.CLAIMED}
