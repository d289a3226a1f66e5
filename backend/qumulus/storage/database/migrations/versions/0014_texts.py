"""An index of the texts in jobs, and one by which the jobs of an instance and a time are counted."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from qumulus.storage.database.texts import FUNCTION, INDEX, STATEMENTS, TABLE

revision = "0014"
down_revision = "0013"

TRIGGER_NAMES = ("jobs_text_new", "jobs_text_gone", "jobs_text_changed")


def upgrade() -> None:
    """Make the index of what there is, and let the database keep it."""
    _of_instances(["instance", "created_at", "number", "account", "kind"])
    for statement in STATEMENTS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Drop it: an older version reads all jobs."""
    _of_instances(["instance", "created_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index(INDEX, "jobs")
        op.execute(f"DROP FUNCTION {FUNCTION}")
        return
    for name in TRIGGER_NAMES:
        op.execute(f"DROP TRIGGER {name}")
    op.execute(f"DROP TABLE {TABLE}")


def _of_instances(columns: Sequence[str]) -> None:
    condition = sa.text("instance IS NOT NULL")
    op.drop_index("ix_jobs_instance", "jobs")
    op.create_index("ix_jobs_instance", "jobs", columns, sqlite_where=condition, postgresql_where=condition)
