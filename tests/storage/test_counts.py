"""Lists of many jobs: how many match is known without reading them, and a page is found without reading the others."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, literal_column, select, update

from qumulus.core.accounts import Caller
from qumulus.core.jobs import FINAL, PENDING, JobState, NewJob
from qumulus.core.ports import JobQuery
from qumulus.core.results import Failure, Outcome
from qumulus.storage import Storage, open_storage
from qumulus.storage.database.columns import EPOCH
from qumulus.storage.database.counting import job_counts, tidy
from qumulus.storage.database.tables import jobs
from qumulus.storage.jobs import conditions, lists, rows

MEMBERS = {"account": "a", "device": "d", "kind": "k", "api": "x"}
LEASE = timedelta(minutes=1)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    with closing(open_storage(tmp_path / "state")) as opened:
        yield opened


def some_jobs(storage: Storage) -> None:
    """Submit, change, run, cancel and delete jobs by chance."""
    draw, ids = random.Random(3), []
    for number in range(60):
        new = NewJob(
            account=draw.choice("ab"),
            device=draw.choice("de"),
            kind=draw.choice("kl"),
            api=draw.choice("xy"),
            name=f"number {number}",
            instance=draw.choice((None, "crn")),
            tags=draw.choice(((), ("t",), ("t", "u"), ("t", "t"))),
            registered=draw.random() < 0.2,
        )
        ids.append((storage.jobs.submit(new).id, Caller(account=new.account)))
    for claim in storage.queue.claim("me", 30, LEASE):
        storage.queue.start(claim)
        outcome = draw.choice((Outcome(result=b"1"), Outcome(failure=Failure.PROGRAM, reason="It is wrong.")))
        if draw.random() < 0.8:
            storage.queue.finish(claim, outcome)
    for job_id, owner in ids:
        job = storage.jobs.get(job_id, owner)
        if job.final and draw.random() < 0.3:
            storage.jobs.delete(job_id, owner)
        elif not job.final and draw.random() < 0.3:
            storage.jobs.cancel(job_id, owner)
        elif draw.random() < 0.3:
            storage.jobs.set_tags(job_id, owner, draw.choice(((), ("u",), ("v", "t"))))


QUERIES = [
    JobQuery(),
    JobQuery(account="a"),
    JobQuery(account="c"),
    JobQuery(account="a", device="d"),
    JobQuery(api="x", kinds=frozenset("k")),
    JobQuery(kinds=frozenset("kl")),
    JobQuery(without_devices=frozenset("d")),
    JobQuery(account="b", instance="crn", alone=True),
    JobQuery(states=PENDING),
    JobQuery(states=FINAL, account="a"),
    JobQuery(states=frozenset({JobState.FAILED}), device="e"),
    JobQuery(states=frozenset({JobState.QUEUED})),
    JobQuery(states=frozenset({JobState.QUEUED, JobState.SUCCEEDED})),
    JobQuery(account="a", tags=("t",)),
    JobQuery(account="a", tags=("t", "u")),
    JobQuery(account="b", tags=("v",), states=PENDING),
    JobQuery(account="b", tags=("nothing",)),
    JobQuery(text="number 1"),
    JobQuery(account="a", text="1"),
    JobQuery(account="a", text="NUMBER 4"),
    JobQuery(text="nothing"),
    JobQuery(text='"; DROP'),
    JobQuery(text="number 1", states=FINAL),
    JobQuery(account="b", text="mber 2", queued_after=EPOCH),
    JobQuery(account="a", without_devices=frozenset("f"), created_after=EPOCH),
    JobQuery(account="a", kinds=frozenset("kl"), states=frozenset({JobState.RUNNING}), created_after=EPOCH),
    JobQuery(account="a", states=PENDING, kinds=frozenset("klm"), created_after=EPOCH),
    JobQuery(account="a", api="x", tags=("t",), created_after=EPOCH),
    JobQuery(instance="crn", alone=True, created_after=EPOCH),
    JobQuery(states=frozenset({JobState.RUNNING})),
    JobQuery(account="a", states=frozenset({JobState.RUNNING, JobState.CANCELLING}), text="number 1"),
    JobQuery(account="b", states=frozenset({JobState.RUNNING}), queued_after=EPOCH),
    JobQuery(states=frozenset({JobState.REGISTERED})),
    JobQuery(account="a", states=frozenset({JobState.REGISTERED}), text="number"),
    JobQuery(text="100%_/"),
    JobQuery(account="a", states=FINAL, created_after=EPOCH),
    JobQuery(account="b", states=frozenset({JobState.FAILED, JobState.CANCELLED}), kinds=frozenset("kl")),
]


WAYS = {  # in which jobs with a text are found; no page shows which it was
    "each is compared": {},
    "by the index": {"FEW": 0, "OFTEN": 1000},
    "among the first": {"FEW": 0, "SAMPLE": 5, "OFTEN": 0, "MOST_COUNTED": 3},
    "not all among the first": {"FEW": 0, "SAMPLE": 5, "OFTEN": 1, "LOOKED_THROUGH": 9, "MOST_COUNTED": 5},
    "listed, in a list of few": {"FEW": 0, "OFTEN": 1000, "LOOKED_UP": 3},
    "too many to be listed": {"FEW": 0, "OFTEN": 1000, "LOOKED_UP": 3, "LISTED": 4},
    "by the index, though they are many": {"FEW": 0, "OFTEN": 1000, "LOOKED_UP": 3, "LOOKED_THROUGH": 0},
    "in order, where most have it": {
        "FEW": 0,
        "OFTEN": 1000,
        "LOOKED_UP": 3,
        "LOOKED_THROUGH": 0,
        "LOOKED_AT_PERCENT": 100,
    },
    "as many as are counted": {"FEW": 0, "OFTEN": 1000, "LOOKED_UP": 3, "LOOKED_THROUGH": 0, "MOST_COUNTED": 2},
}


def set_clock_back(storage: Storage) -> None:
    """Have some jobs made earlier than those before them."""
    earlier = jobs.c.created_at - literal_column(str(10**9))  # microseconds
    changed = update(jobs).where(jobs.c.number % 7 < 2).values(created_at=earlier)
    storage._database.writer.run(lambda connection: connection.execute(changed))


@pytest.mark.parametrize("descending", [True, False], ids=["newest first", "oldest first"])
def test_pages_and_totals_are_those_that_reading_everything_gives(storage, descending, monkeypatch):
    some_jobs(storage)
    compared_in_all_ways(storage, QUERIES, descending, monkeypatch)


@pytest.mark.parametrize("descending", [True, False], ids=["newest first", "oldest first"])
def test_jobs_with_a_text_are_in_order_after_a_clock_was_set_back(storage, descending, monkeypatch):
    some_jobs(storage)
    set_clock_back(storage)
    compared_in_all_ways(storage, [query for query in QUERIES if query.text], descending, monkeypatch)


def compared_in_all_ways(storage: Storage, queries: Sequence[JobQuery], descending: bool, monkeypatch) -> None:
    for query in queries:
        with storage._database.read() as connection:
            at = jobs.c.created_at if query.queued_after is None else jobs.c.queued_at
            wanted = select(jobs.c.id).where(*conditions.of(query)).order_by(at, jobs.c.number)
            expected = connection.execute(wanted).scalars().all()[:: -1 if descending else 1]
        for way in WAYS.values() if query.text else ({},):
            with monkeypatch.context() as patched:
                for name, value in way.items():
                    patched.setattr(lists, name, value)
                are_listed(storage, replace(query, descending=descending), expected)


def are_listed(storage: Storage, query: JobQuery, expected: Sequence[str]) -> None:
    """Ask for all jobs at once, and page by page."""
    whole = storage.jobs.find(replace(query, limit=1000))
    assert [job.id for job in whole.jobs] == expected, query
    assert whole.total == len(expected), query
    paged = {at: storage.jobs.find(replace(query, limit=7, offset=at)) for at in range(0, len(expected), 7)}
    assert [job.id for page in paged.values() for job in page.jobs] == expected, query
    most = len(expected) if query.text is None else min(len(expected), lists.MOST_COUNTED)
    assert {at: page.total for at, page in paged.items()} == {
        at: max(most, at + len(page.jobs)) for at, page in paged.items()
    }, query


def test_jobs_of_a_time_of_submission_are_in_that_order_on_every_database(storage):
    first, second = (storage.jobs.submit(NewJob(**MEMBERS, registered=True)).id for _ in range(2))
    for job_id in (second, first):
        storage.jobs.upload(job_id, NewJob(**MEMBERS))
    since = storage.clock.now() - timedelta(hours=1)
    found = storage.jobs.find(JobQuery(account="a", queued_after=since, descending=False)).jobs
    assert [job.id for job in found] == [second, first]


def test_what_there_is_no_more_of_is_forgotten_and_the_rest_stays_true(storage):
    some_jobs(storage)
    before = {query: storage.jobs.find(query).total for query in QUERIES}
    storage._database.writer.run(tidy)
    assert {query: storage.jobs.find(query).total for query in QUERIES} == before
    with storage._database.read() as connection:
        empty = select(func.count()).where(job_counts.c["count"] == 0)
        assert connection.execute(empty).scalar() == 0
    storage.state.reset()
    assert storage.jobs.find(JobQuery()).total == 0


def stored(storage: Storage, count: int, ancient: int = 0) -> None:
    """Store jobs that have ended, of which the first have a name of their own."""
    now, values = storage.clock.now(), []
    for number in range(count):
        rare = number % (count // 3) == 0
        new = NewJob(
            account="a",
            device="seldom" if rare else "d",
            kind="seldom" if rare else "k",
            api="seldom" if rare else "x",
            instance="crn",
            tags=("seldom",) if rare else ("often",),
            name="a seldom name" if rare else f"ancient {number}" if number < ancient else f"run {number}",
        )
        at = now - timedelta(seconds=count - number)
        row = rows.job_values(new, rows.new_id(at), at) | {"state": "failed" if rare else "succeeded", "payload": b""}
        values.append(row)
    storage._database.writer.run(lambda connection: connection.execute(insert(jobs), values))


def work(storage: Storage, query: JobQuery) -> int:
    """How much SQLite does for a list, in thousands of its steps."""
    steps = []
    with storage._database.read() as connection:
        raw = connection.connection.driver_connection
        raw.set_progress_handler(lambda: steps.append(1), 100)
        lists.page(connection, query)
        raw.set_progress_handler(None, 0)
    return len(steps)


FILTERS = {
    "all": JobQuery(limit=10),
    "an account": JobQuery(account="a", limit=10),
    "an account that has none": JobQuery(account="b", limit=10),
    "a device of few": JobQuery(account="a", device="seldom", limit=10),
    "a device of many": JobQuery(account="a", device="d", limit=10),
    "a kind of few": JobQuery(account="a", instance="crn", kinds=frozenset({"seldom"}), limit=10),
    "an API of few": JobQuery(account="a", api="seldom", limit=10),
    "a state of few": JobQuery(account="a", states=frozenset({JobState.FAILED}), limit=10),
    "a state of none": JobQuery(account="a", states=frozenset({JobState.RUNNING}), limit=10),
    "a state of many": JobQuery(account="a", states=frozenset({JobState.SUCCEEDED}), limit=10),
    "pending": JobQuery(account="a", instance="crn", states=PENDING, limit=10),
    "a tag of few": JobQuery(account="a", instance="crn", tags=("seldom",), limit=10),
    "a tag of many": JobQuery(account="a", instance="crn", tags=("often",), limit=10),
    "a session of none": JobQuery(account="a", session="s", limit=10),
    "the last page": JobQuery(account="a", limit=10, offset=2985),
    "a text of few": JobQuery(account="a", text="seldom", limit=10),
    "a text of none": JobQuery(text="nothing", limit=10),
    "an identifier that none has": JobQuery(text="fedcba98", limit=10),
}


def found(storage: Storage, text: str) -> set[str | None]:
    return {job.name for job in storage.jobs.find(JobQuery(text=text)).jobs}


def test_a_text_is_found_where_it_is_now_in_whatever_case_and_alphabet(storage, monkeypatch):
    monkeypatch.setattr(lists, "FEW", 1)
    first = storage.jobs.submit(NewJob(**MEMBERS, registered=True)).id
    names = ('say "Bell"', "Grüße an Ωmega", "per%cent_age", "x", "no text at all")
    others = [storage.jobs.submit(NewJob(**MEMBERS, name=name, note="of a series")).id for name in names]
    storage.jobs.upload(first, NewJob(**MEMBERS, name="renamed afterwards"))
    assert found(storage, 'Y "BELL"') == {names[0]}
    assert found(storage, "ße an Ωm") == {names[1]}
    assert found(storage, "r%cent_") == {names[2]}
    assert found(storage, "r_cent_") == set()
    assert found(storage, "x") == {"x", "no text at all"}
    assert found(storage, "RENAMED") == {"renamed afterwards"}
    assert found(storage, others[2].upper()) == {names[2]}
    assert found(storage, "of a series") == set(names)
    storage.jobs.cancel(others[0], Caller(account="a"))
    storage.jobs.delete(others[0], Caller(account="a"))
    assert found(storage, "bell") == set()


def test_a_text_that_more_jobs_have_than_are_counted_has_a_total_that_says_so_many(storage, monkeypatch):
    monkeypatch.setattr(lists, "MOST_COUNTED", 10)
    monkeypatch.setattr(lists, "FEW", 5)
    monkeypatch.setattr(lists, "NEWEST", 7)
    stored(storage, 30)
    page = storage.jobs.find(JobQuery(text="run", limit=3))
    assert (len(page.jobs), page.total) == (3, 10)
    assert storage.jobs.find(JobQuery(text="run", limit=8, offset=12)).total == 20
    assert storage.jobs.find(JobQuery(text="ru")).total == 7  # too short for the index: of the newest


@pytest.mark.only("sqlite")
def test_a_list_of_many_jobs_is_as_little_work_as_one_of_few(tmp_path):
    with closing(open_storage(tmp_path / "few")) as few, closing(open_storage(tmp_path / "many")) as many:
        stored(few, 120)
        stored(many, 3000)
        much = {
            name: (work(few, replace(query, offset=min(query.offset, 45))), work(many, query))
            for name, query in FILTERS.items()
        }
    assert {name: both for name, both in much.items() if both[1] > 3 * both[0] + 3} == {}


@pytest.mark.only("sqlite")
def test_a_text_that_many_of_the_oldest_jobs_have_is_found_without_reading_all_others(storage, monkeypatch):
    stored(storage, 3000, ancient=100)
    monkeypatch.setattr(lists, "LOOKED_UP", 50)
    monkeypatch.setattr(lists, "MOST_COUNTED", 20)
    query = JobQuery(account="a", text="ancient", limit=10)
    with monkeypatch.context() as patched:
        patched.setattr(lists, "LISTED", 60)
        each_compared = work(storage, query)
    assert work(storage, query) * 1.5 < each_compared
    monkeypatch.setattr(lists, "LOOKED_THROUGH", 200)
    assert work(storage, query) * 2 < each_compared
    assert storage.jobs.find(query).total == 20


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.REGISTERED])
def test_jobs_that_run_or_were_never_queued_are_found_without_reading_those_that_wait(storage, state):
    stored(storage, 3000)
    waiting = {"state": "queued", "queued_at": jobs.c.created_at}
    storage._database.writer.run(lambda connection: connection.execute(update(jobs).values(waiting)))
    query = JobQuery(states=frozenset({state}), limit=10)
    few = max(work(storage, query), work(storage, replace(query, account="a")))
    storage.jobs.submit(NewJob(**MEMBERS, registered=True))
    if state is JobState.RUNNING:
        (claim,) = storage.queue.claim("me", 1, LEASE)
        storage.queue.start(claim)
    assert few < 20  # three thousand wait
    assert work(storage, JobQuery(states=frozenset({JobState.QUEUED}), device="d", limit=10)) < 20
    assert [job.state for job in storage.jobs.find(query).jobs] == [state]


@pytest.mark.only("sqlite")
def test_jobs_that_ended_are_found_without_reading_those_that_wait(storage):
    stored(storage, 3000)
    newest = update(jobs).where(jobs.c.number > 1000).values({"state": "queued"})
    storage._database.writer.run(lambda connection: connection.execute(newest))
    query = JobQuery(account="a", states=FINAL, limit=10)
    assert work(storage, query) < 20  # two thousand wait
    assert storage.jobs.find(query).jobs[0].name == "run 999"
    assert storage.jobs.find(query).total == 1000


@pytest.mark.only("sqlite")
def test_what_all_jobs_of_an_index_have_is_not_asked_of_each_to_count_them(storage):
    stored(storage, 3000)
    since = storage.clock.now() - timedelta(days=1)
    few_conditions = JobQuery(instance="crn", created_after=since, limit=10)
    many = replace(few_conditions, account="a", kinds=frozenset({"k", "seldom"}), without_devices=frozenset("e"))
    assert work(storage, many) < 1.5 * work(storage, few_conditions)
    assert storage.jobs.find(many).total == 3000


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    ("query", "driver", "index"),
    [
        (JobQuery(account="a", api="x", queued_after=EPOCH), "submitted", "ix_jobs_submitted"),
        (
            JobQuery(
                account="a", instance="crn", kinds=frozenset("k"), without_devices=frozenset("e"), created_after=EPOCH
            ),
            "instance",
            "ix_jobs_instance",
        ),
    ],
    ids=["of an API", "of an instance, without some devices"],
)
def test_jobs_of_a_time_are_counted_without_their_rows(storage, query, driver, index):
    counted = select(func.count()).where(*conditions.of(query, driver))
    with storage._database.read() as connection:
        compiled = counted.compile(connection, compile_kwargs={"literal_binds": True})
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all()
    assert f"USING COVERING INDEX {index}" in str(plan)
