# ruff: noqa: S608  no text of anybody is in these statements
"""Which jobs have a text in their identifier, name or note: an index of every three characters that follow each other there.

On SQLite it is a table for full texts, kept by triggers in the transaction that changes a job; on PostgreSQL an index of what a function
makes of a row. Case doesn't count. A text of fewer characters is in neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import DDL, BigInteger, ColumnElement, Connection, FromClause, TextClause, column, event, table, text
from sqlalchemy.sql.selectable import TextualSelect

from .columns import NUL_SIGN, POSTGRES
from .counting import job_tags
from .tables import jobs, metadata

__all__ = ["GRAM", "candidates", "metadata", "named", "numbers"]  # all tables, and what is made with them

GRAM = 3  # characters
MOST_GRAMS = 32  # of a long text that are looked up: what has them all is compared with the text anyhow
TABLE = "job_texts"
INDEX = "ix_jobs_text"
FUNCTION = "qumulus_grams(text, text, text)"

_WRITTEN = f"INSERT INTO {TABLE} (rowid, id, name, note) VALUES (NEW.number, NEW.id, NEW.name, NEW.note);"
_GONE = (
    f"INSERT INTO {TABLE} ({TABLE}, rowid, id, name, note) VALUES ('delete', OLD.number, OLD.id, OLD.name, OLD.note);"
)

STATEMENTS: Mapping[str, Sequence[str]] = {
    "sqlite": (
        (
            f"CREATE VIRTUAL TABLE {TABLE} USING fts5 (id, name, note, content='jobs', content_rowid='number', "
            "tokenize='trigram', detail=none, columnsize=0)"
        ),
        f"INSERT INTO {TABLE} ({TABLE}) VALUES ('rebuild')",
        f"CREATE TRIGGER jobs_text_new AFTER INSERT ON jobs BEGIN {_WRITTEN} END",
        f"CREATE TRIGGER jobs_text_gone AFTER DELETE ON jobs BEGIN {_GONE} END",
        (
            "CREATE TRIGGER jobs_text_changed AFTER UPDATE OF name, note ON jobs "
            f"WHEN NEW.name IS NOT OLD.name OR NEW.note IS NOT OLD.note BEGIN {_GONE} {_WRITTEN} END"
        ),
    ),
    POSTGRES: (
        (
            f"CREATE FUNCTION {FUNCTION} RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ "
            "SELECT coalesce(array_agg(DISTINCT gram), '{}') FROM ("
            "SELECT one || lead(one) OVER its || lead(one, 2) OVER its AS gram FROM "
            "unnest(string_to_array(lower(($1 || chr(31) || coalesce($2, '') || chr(31) || coalesce($3, '')) COLLATE \"C\"), NULL)) "
            "WITH ORDINALITY AS each(one, place) WINDOW its AS (ORDER BY place)) AS grams WHERE gram IS NOT NULL $$"
        ),
        f"CREATE INDEX {INDEX} ON jobs USING gin (qumulus_grams(id, name, note))",
    ),
}
"""What makes the index, by the dialect. Whoever makes the table `jobs` anew on SQLite makes the triggers anew too."""

for _statement in STATEMENTS["sqlite"]:  # after the triggers that count; PostgreSQL's are made by the migrations
    event.listen(job_tags, "after_create", DDL(_statement.replace("%", "%%")).execute_if(dialect="sqlite"))

_LOOK = {
    "sqlite": text(f"SELECT rowid AS number FROM {TABLE} WHERE {TABLE} MATCH :grams LIMIT :most"),
    # A planner that sees the characters reads all rows for those that are frequent, and calls the function for each.
    POSTGRES: text(
        "SELECT number FROM jobs WHERE qumulus_grams(id, name, note) @> (SELECT CAST(:grams AS text[])) LIMIT :most"
    ),
}
_NAMED = {
    "sqlite": f"{TABLE} MATCH :grams",
    POSTGRES: "qumulus_grams(jobs.id, jobs.name, jobs.note) @> (SELECT CAST(:grams AS text[]))",
}


def candidates(connection: Connection, wanted: str, most: int) -> TextualSelect | None:
    """Return what selects the jobs that have every three characters of a text, of which not all have the text.

    Args:
        connection: To the database that is asked.
        wanted: The text.
        most: How many are selected at most.

    Returns:
        A selection of their numbers; None where the text is too short.
    """
    grams = _asked(connection, wanted)
    if not grams:
        return None
    return _LOOK[connection.dialect.name].bindparams(grams=grams, most=most).columns(column("number", BigInteger))


def named(connection: Connection, wanted: str) -> tuple[FromClause, TextClause, ColumnElement[int]]:
    """Return what selects all `candidates` of a text that is long enough, to be joined with a query of the jobs.

    Returns:
        Jobs with the index beside them, the condition, and a number of each job in whose order the index gives them for nothing.
    """
    condition = text(_NAMED[connection.dialect.name]).bindparams(grams=_asked(connection, wanted))
    if connection.dialect.name == POSTGRES:
        return jobs, condition, jobs.c.number
    index = table(TABLE, column("rowid", BigInteger))
    return index.join(jobs, jobs.c.number == index.c.rowid), condition, index.c.rowid


def numbers(connection: Connection, wanted: str, most: int) -> Sequence[int] | None:
    """Return the numbers of `candidates`; None where there are more than ``most``, or the text is too short."""
    listed = candidates(connection, wanted, most + 1)
    found = None if listed is None else connection.execute(listed).scalars().all()
    return None if found is None or len(found) > most else found


def _asked(connection: Connection, wanted: str) -> str | list[str]:
    """Return what asks for every three characters of a text; empty where it is too short."""
    grams = _grams(connection, wanted)
    return _postgres_array(grams) if connection.dialect.name == POSTGRES else _match(grams)


def _grams(connection: Connection, wanted: str) -> Sequence[str]:
    """Return every three characters of a text."""
    if connection.dialect.name != POSTGRES:
        wanted = wanted.partition("\0")[0]  # neither index nor comparison reads on there
    return list(dict.fromkeys(wanted[at : at + GRAM] for at in range(len(wanted) - GRAM + 1)))[:MOST_GRAMS]


def _match(grams: Sequence[str]) -> str:
    """Return what asks SQLite for all of them."""
    return " AND ".join('"' + gram.replace('"', '""') + '"' for gram in grams)


def _postgres_array(grams: Sequence[str]) -> list[str]:
    """Return them as the function has them: in small letters, of which the database knows those of ASCII."""
    return [
        "".join(each.lower() if each.isascii() else each for each in gram).replace("\0", NUL_SIGN) for gram in grams
    ]
