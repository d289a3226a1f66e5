"""Large values, where processes share a database and no disk."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "large_values",
        sa.Column("key", sa.String(64).with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )


def downgrade() -> None:
    """Drop it, and what is in it: an older version looks for large values on its disk."""
    op.drop_table("large_values")
