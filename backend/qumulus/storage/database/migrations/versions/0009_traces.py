"""The id that a job shares with the request that made it, and why its last run was lost."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

BYTES = sa.String(collation="C")


def upgrade() -> None:
    """Add the columns."""
    op.add_column("jobs", sa.Column("trace", sa.String(64).with_variant(BYTES, "postgresql")))
    op.add_column("jobs", sa.Column("lost_because", sa.Text().with_variant(BYTES, "postgresql")))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("jobs", "lost_because")
    op.drop_column("jobs", "trace")
