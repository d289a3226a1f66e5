"""What happened to every job, as a PostgreSQL saw it: triggers note each step, so that nothing can end twice unseen."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import psycopg

from qumulus.core.jobs import FINAL, TRANSITIONS, JobState

BACK_SECONDS = 20  # in which a database that is restarted answers again
LEGAL = {(before.value, state.value) for (before, _), state in TRANSITIONS.items()}
LEGAL.add((JobState.CLAIMED.value, JobState.SUCCEEDED.value))  # start and end of a short run are stored at once

TRIGGERS = """
CREATE TABLE steps (
  number bigserial PRIMARY KEY, at float8 NOT NULL DEFAULT extract(epoch FROM clock_timestamp()),
  tx text NOT NULL DEFAULT pg_current_xact_id()::text,
  job text, before text, after text, attempt int, counted int, returned int, owner text
);
CREATE TABLE kept (tx text NOT NULL DEFAULT pg_current_xact_id()::text, what text, job text, name text);
CREATE TABLE fruitless (at float8 NOT NULL DEFAULT extract(epoch FROM clock_timestamp()), statement text);

CREATE FUNCTION note_step() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO steps (job, before, after, attempt, counted, returned, owner)
  VALUES (NEW.id, OLD.state, NEW.state, NEW.attempt, NEW.counted, NEW.returned, coalesce(OLD.owner, NEW.owner));
  RETURN NULL;
END $$;
CREATE TRIGGER created AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION note_step();
CREATE TRIGGER changed AFTER UPDATE ON jobs FOR EACH ROW
  WHEN (OLD.state <> NEW.state OR OLD.attempt <> NEW.attempt OR OLD.state IN ('succeeded', 'failed', 'cancelled'))
  EXECUTE FUNCTION note_step();

CREATE FUNCTION note_result() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO kept (what, job, name) VALUES (TG_OP, coalesce(NEW.job, OLD.job), coalesce(NEW.name, OLD.name));
  RETURN NULL;
END $$;
CREATE TRIGGER kept AFTER INSERT OR UPDATE OR DELETE ON results FOR EACH ROW EXECUTE FUNCTION note_result();

CREATE FUNCTION note_fruitless() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT FROM touched) THEN INSERT INTO fruitless (statement) VALUES (current_query()); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER fruitless AFTER UPDATE ON jobs REFERENCING NEW TABLE AS touched FOR EACH STATEMENT
  EXECUTE FUNCTION note_fruitless();
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A job went from one state to another; ``at`` is in seconds since 1970, ``tx`` the transaction.

    ``owner`` is who took it, or who had held it until then.
    """

    at: float
    tx: str
    job: str
    before: str | None
    after: str
    attempt: int
    counted: int
    returned: int
    owner: str | None


class Audit:
    """The notes of one database."""

    def __init__(self, url: str) -> None:
        """The tables must be there."""
        self._url = url
        with psycopg.connect(url) as connection:
            connection.execute(TRIGGERS)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds, also while the database is restarted."""
        deadline = time.monotonic() + BACK_SECONDS
        while True:
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    return connection.execute(query, values).fetchall()  # ty: ignore[no-matching-overload]
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def ended(self) -> int:
        """How many jobs are in a final state."""
        return self.rows("SELECT count(*) FROM jobs WHERE state IN ('succeeded', 'failed', 'cancelled')")[0][0]

    def held(self, pid: int) -> list[tuple[str, int]]:
        """The jobs that a dispatcher holds, each with its attempt."""
        query = "SELECT id, attempt FROM jobs WHERE state IN ('claimed', 'running') AND split_part(owner, ':', 2) = %s"
        return self.rows(query, str(pid))

    def steps(self, job: str | None = None) -> list[Step]:
        """All steps of a job, or of all jobs, in the order in which they were made."""
        names = ", ".join(Step.__slots__)
        query = f"SELECT {names} FROM steps WHERE job = coalesce(%s, job) ORDER BY number"
        return [Step(*row) for row in self.rows(query, job)]

    def late(self, since: float) -> int:
        """How many ends of runs were told since then that changed nothing."""
        query = "SELECT count(*) FROM fruitless WHERE at > %s AND statement LIKE '%%run_seconds%%'"
        return self.rows(query, since)[0][0]

    def check(self, accepted: Iterable[str]) -> list[Step]:
        """Every accepted job, and no other, has succeeded, once, by its last attempt, with one result; the last steps of all."""
        jobs: dict[str, list[Step]] = defaultdict(list)
        for step in self.steps():
            jobs[step.job].append(step)
        results: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for job, *what in self.rows("SELECT job, what, name, tx FROM kept"):
            results[job].append(tuple(what))
        assert sorted(jobs) == sorted(accepted)
        for job, steps in jobs.items():
            end = steps[-1]
            assert [step.after for step in steps if step.after in FINAL] == ["succeeded"], steps
            assert end.after == "succeeded", steps
            assert all(one.after == two.before for one, two in pairwise(steps)), steps
            assert all((step.before, step.after) in LEGAL for step in steps[1:]), steps
            assert [step.attempt for step in steps if step.after == "claimed"] == list(range(1, end.attempt + 1)), steps
            assert all(two.attempt == one.attempt + (two.after == "claimed") for one, two in pairwise(steps)), steps
            put_back = sum(_put_back(one, two) for one, two in pairwise(steps))
            assert end.attempt == 1 + end.counted + end.returned + put_back, steps
            assert results[job] == [("INSERT", "", end.tx)], results[job]
        return [steps[-1] for steps in jobs.values()]


def _put_back(one: Step, two: Step) -> bool:
    """Whether an attempt ended without having begun, which counts as nothing: no worker could be had for it."""
    same = (one.counted, one.returned) == (two.counted, two.returned)
    return (one.after, two.after) == ("claimed", "queued") and same
