# ruff: noqa: S608  no text of anybody is in these statements
"""How many jobs there are of each kind, kept by the database itself: a list says how many match without reading them all.

Triggers keep two tables true, in the transaction that changes a job. `job_counts` has a row for each set of what lists filter by; a
job counts once under `ALL_TAGS`, and once under each of its tags. `job_tags` finds the jobs of a tag. On PostgreSQL each connection
counts in rows of its own, so that writers do not wait for each other; `tidy` adds them up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Table,
    delete,
    event,
    text,
)

from .columns import POSTGRES, Number, Word
from .tables import ENDED_STATES, metadata

ALL_TAGS = ""
PENDING_STATE = "pending"  # stands for every state that is not final: counting each would cost two writes more a step

job_counts = Table(
    "job_counts",
    metadata,
    Column("tag", Word(255), primary_key=True),  # with a sign before it; `ALL_TAGS` for jobs whatever their tags
    Column("account", Word(255), primary_key=True),
    Column("api", Word(255), primary_key=True),
    Column("device", Word(255), primary_key=True),
    Column("kind", Word(255), primary_key=True),
    Column("instance", Word(255), primary_key=True),  # empty: of none
    Column("alone", Boolean, primary_key=True),  # of no session
    Column("state", Word(16), primary_key=True),
    Column("failure", Word(16), primary_key=True),  # empty: none
    Column("shard", Integer, primary_key=True, autoincrement=False),  # which connection counted
    Column("count", BigInteger, nullable=False),
)

job_tags = Table(
    "job_tags",
    metadata,
    Column("job", Number, ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("tag", Word(255), primary_key=True),
    Column("account", Word(255), nullable=False),
    Index("ix_job_tags_tag", "account", "tag", "job"),
)


def signed(tag: str) -> str:
    """Return a tag as `job_counts` has it."""
    return f"={tag}"


_KEY = "tag, account, api, device, kind, instance, alone, state, failure, shard"
_COUNTED = "device, api, kind, instance, session, state, failure, tags"
_ENDED = ", ".join(f"'{state}'" for state in ENDED_STATES)


def _class(row: str) -> str:
    """Return what a job is counted as, of what can change."""
    state = f"CASE WHEN {row}.state IN ({_ENDED}) THEN {row}.state ELSE '{PENDING_STATE}' END"
    members = (f"coalesce({row}.instance, '')", f"{row}.session IS NULL", state, f"coalesce({row}.failure, '')")
    return ", ".join((f"{row}.account", f"{row}.api", f"{row}.device", f"{row}.kind", *members))


def _changed(cast: str, differs: str) -> str:
    """Return the condition that a job is to be counted elsewhere than before."""
    old, new = (f"({_class(row)}, {row}.tags{cast})" for row in ("OLD", "NEW"))
    return f"{old} {differs} {new}"


def _sqlite() -> Sequence[str]:
    def count(row: str, step: int) -> str:
        tags = f"SELECT '{ALL_TAGS}' AS tag UNION SELECT '=' || value FROM json_each({row}.tags)"
        added = "ON CONFLICT DO UPDATE SET count = count + excluded.count"
        return f"INSERT INTO job_counts ({_KEY}, count) SELECT tag, {_class(row)}, 0, {step} FROM ({tags}) WHERE true {added};"

    tag = "INSERT INTO job_tags SELECT DISTINCT NEW.number, value, NEW.account FROM json_each(NEW.tags);"
    changed, differ = _changed("", "IS NOT"), "NEW.tags <> OLD.tags"
    return (
        f"CREATE TRIGGER jobs_count_new AFTER INSERT ON jobs BEGIN {count('NEW', 1)} END",
        f"CREATE TRIGGER jobs_count_gone AFTER DELETE ON jobs BEGIN {count('OLD', -1)} END",
        (
            f"CREATE TRIGGER jobs_count_changed AFTER UPDATE OF {_COUNTED} ON jobs WHEN {changed} "
            f"BEGIN {count('OLD', -1)} {count('NEW', 1)} END"
        ),
        f"CREATE TRIGGER jobs_tag_new AFTER INSERT ON jobs WHEN NEW.tags <> '[]' BEGIN {tag} END",
        (
            f"CREATE TRIGGER jobs_tag_changed AFTER UPDATE OF tags ON jobs WHEN {differ} "
            f"BEGIN DELETE FROM job_tags WHERE job = NEW.number; {tag} END"
        ),
    )


def _postgres() -> Sequence[str]:
    tags = f"SELECT '{ALL_TAGS}' AS tag UNION SELECT '=' || value FROM json_array_elements_text(job.tags)"
    added = f"ON CONFLICT ({_KEY}) DO UPDATE SET count = job_counts.count + excluded.count"
    tag = "INSERT INTO job_tags SELECT DISTINCT NEW.number, value, NEW.account FROM json_array_elements_text(NEW.tags);"
    changed = _changed("::text", "IS DISTINCT FROM")
    run = "FOR EACH ROW"
    return (
        (
            "CREATE FUNCTION qumulus_count_job(job jobs, step integer) RETURNS void LANGUAGE sql AS $$ "
            f"INSERT INTO job_counts ({_KEY}, count) SELECT tag, {_class('job')}, pg_backend_pid(), step FROM ({tags}) AS its "
            f"ORDER BY tag {added} $$"
        ),
        (
            "CREATE FUNCTION qumulus_count_jobs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF TG_OP <> 'INSERT' THEN PERFORM qumulus_count_job(OLD, -1); END IF; "
            "IF TG_OP <> 'DELETE' THEN PERFORM qumulus_count_job(NEW, 1); END IF; RETURN NULL; END $$"
        ),
        (
            "CREATE FUNCTION qumulus_tag_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"DELETE FROM job_tags WHERE job = NEW.number; {tag} RETURN NULL; END $$"
        ),
        f"CREATE TRIGGER jobs_count_new AFTER INSERT ON jobs {run} EXECUTE FUNCTION qumulus_count_jobs()",
        f"CREATE TRIGGER jobs_count_gone AFTER DELETE ON jobs {run} EXECUTE FUNCTION qumulus_count_jobs()",
        (
            f"CREATE TRIGGER jobs_count_changed AFTER UPDATE OF {_COUNTED} ON jobs {run} WHEN ({changed}) "
            "EXECUTE FUNCTION qumulus_count_jobs()"
        ),
        (
            f"CREATE TRIGGER jobs_tag_new AFTER INSERT ON jobs {run} WHEN (NEW.tags::text <> '[]') "
            "EXECUTE FUNCTION qumulus_tag_job()"
        ),
        (
            f"CREATE TRIGGER jobs_tag_changed AFTER UPDATE OF tags ON jobs {run} WHEN (NEW.tags::text <> OLD.tags::text) "
            "EXECUTE FUNCTION qumulus_tag_job()"
        ),
    )


TRIGGERS: Mapping[str, Sequence[str]] = {"sqlite": _sqlite(), POSTGRES: _postgres()}
"""What keeps the counts, by the dialect. Whoever makes the table `jobs` anew makes these anew too."""

for _statement in TRIGGERS["sqlite"]:  # PostgreSQL's tables are made by the migrations
    event.listen(job_tags, "after_create", DDL(_statement.replace("%", "%%")).execute_if(dialect="sqlite"))

_FOLD = text(
    f"""
    WITH gone AS (
        DELETE FROM job_counts WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM job_counts WHERE shard <> 0 FOR UPDATE SKIP LOCKED
        )) RETURNING *
    )
    INSERT INTO job_counts ({_KEY}, count)
    SELECT tag, account, api, device, kind, instance, alone, state, failure, 0, sum(count) FROM gone
    GROUP BY tag, account, api, device, kind, instance, alone, state, failure
    ON CONFLICT ({_KEY}) DO UPDATE SET count = job_counts.count + excluded.count
    """
)


def tidy(connection: Connection) -> None:
    """Add up what several connections have counted, and remove what there are none of any more."""
    if connection.dialect.name == POSTGRES:
        if not connection.execute(text("SELECT pg_try_advisory_xact_lock(hashtext('qumulus job counts'))")).scalar():
            return
        connection.execute(_FOLD)
    connection.execute(delete(job_counts).where(job_counts.c["count"] == 0, job_counts.c.shard == 0))
