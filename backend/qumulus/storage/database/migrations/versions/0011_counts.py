# ruff: noqa: S608  no text of anybody is in these statements
"""Indexes for what lists filter by, and how many jobs there are of each kind."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from qumulus.storage.database.counting import TRIGGERS

revision = "0011"
down_revision = "0010"

BYTES = sa.String(collation="C")
ORDERED = ("created_at", "number")
PLAIN = {
    "ix_jobs_device": ["device", *ORDERED],
    "ix_jobs_api": ["api", *ORDERED],
    "ix_jobs_kind": ["kind", *ORDERED],
    "ix_jobs_submitted": ["account", "queued_at", "number"],
}
PARTIAL = {
    "ix_jobs_pending": ([*ORDERED], "state IN ('registered', 'queued', 'claimed', 'running', 'cancelling')"),
    "ix_jobs_ended": (["state", *ORDERED], "state IN ('cancelled', 'failed', 'succeeded')"),
}
TRIGGER_NAMES = ("jobs_count_new", "jobs_count_gone", "jobs_count_changed", "jobs_tag_new", "jobs_tag_changed")
FUNCTIONS = ("qumulus_count_jobs()", "qumulus_count_job(jobs, integer)", "qumulus_tag_job()")


def word(length: int) -> sa.types.TypeEngine[str]:
    """A short text, which PostgreSQL compares as its bytes."""
    return sa.String(length).with_variant(BYTES, "postgresql")


def upgrade() -> None:
    """Make the tables, count what there is, and let the database go on counting."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    dialect = op.get_bind().dialect.name
    for name, columns in PLAIN.items():
        op.create_index(name, "jobs", columns)
    for name, (columns, where) in PARTIAL.items():
        condition = sa.text(where)
        op.create_index(name, "jobs", columns, sqlite_where=condition, postgresql_where=condition)
    key: list[sa.Column[Any]] = [
        sa.Column(name, word(255), nullable=False) for name in ("tag", "account", "api", "device", "kind", "instance")
    ]
    key += [sa.Column("alone", sa.Boolean(), nullable=False)]
    key += [sa.Column(name, word(16), nullable=False) for name in ("state", "failure")]
    key += [sa.Column("shard", sa.Integer(), nullable=False)]
    count = sa.Column("count", sa.BigInteger(), nullable=False)
    op.create_table("job_counts", *key, count, sa.PrimaryKeyConstraint(*(column.name for column in key)))
    op.create_table(
        "job_tags",
        sa.Column("job", number, nullable=False),
        sa.Column("tag", word(255), nullable=False),
        sa.Column("account", word(255), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "tag"),
    )
    op.create_index("ix_job_tags_tag", "job_tags", ["account", "tag", "job"])
    each = "json_each" if dialect == "sqlite" else "json_array_elements_text"
    value = f"{each}(jobs.tags)" if dialect == "sqlite" else f"{each}(jobs.tags) AS its(value)"
    op.execute(f"INSERT INTO job_tags SELECT DISTINCT number, value, account FROM jobs, {value}")
    ended = "state IN ('cancelled', 'failed', 'succeeded')"
    what = f"account, api, device, kind, coalesce(instance, ''), session IS NULL, CASE WHEN {ended} THEN state ELSE 'pending' END"
    what += ", coalesce(failure, '')"
    group = "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
    op.execute(f"INSERT INTO job_counts SELECT '', {what}, 0, count(*) FROM jobs {group}")
    of_tags = f"SELECT '=' || tag, jobs.{what}, 0, count(*) FROM job_tags JOIN jobs ON jobs.number = job {group}"
    op.execute(f"INSERT INTO job_counts {of_tags}")
    for statement in TRIGGERS[dialect]:
        op.execute(statement)


def downgrade() -> None:
    """Drop all of it: an older version counts each time."""
    postgres = op.get_bind().dialect.name == "postgresql"
    for name in TRIGGER_NAMES:
        op.execute(f"DROP TRIGGER {name}" + (" ON jobs" if postgres else ""))
    for name in FUNCTIONS if postgres else ():
        op.execute(f"DROP FUNCTION {name}")
    op.drop_table("job_tags")
    op.drop_table("job_counts")
    for name in (*PLAIN, *PARTIAL):
        op.drop_index(name, "jobs")
