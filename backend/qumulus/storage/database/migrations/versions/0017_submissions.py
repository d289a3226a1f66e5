"""Indexes by which jobs of a time are counted without their rows: those of an API, and those of an instance."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

SUBMITTED = ["account", "queued_at", "number"]
OF_INSTANCES = ["instance", "created_at", "number", "account", "kind"]


def upgrade() -> None:
    """Make them with the API, and with the device."""
    _make([*SUBMITTED, "api"], [*OF_INSTANCES, "device"])


def downgrade() -> None:
    """Make them as they were."""
    _make(SUBMITTED, OF_INSTANCES)


def _make(submitted: list[str], of_instances: list[str]) -> None:
    condition = sa.text("instance IS NOT NULL")
    for name in ("ix_jobs_submitted", "ix_jobs_instance"):
        op.drop_index(name, "jobs")
    op.create_index("ix_jobs_submitted", "jobs", submitted)
    op.create_index("ix_jobs_instance", "jobs", of_instances, sqlite_where=condition, postgresql_where=condition)
