"""An index by which the jobs of an API and a time of submission are counted."""

from collections.abc import Sequence

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make it with the API."""
    _of_submissions(["account", "queued_at", "number", "api"])


def downgrade() -> None:
    """Make it as it was."""
    _of_submissions(["account", "queued_at", "number"])


def _of_submissions(columns: Sequence[str]) -> None:
    op.drop_index("ix_jobs_submitted", "jobs")
    op.create_index("ix_jobs_submitted", "jobs", columns)
