"""What processes on several machines share: secrets that are drawn once, and the count of what each has committed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BYTES = sa.String(collation="C")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(255).with_variant(BYTES, "postgresql"), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "writers",
        sa.Column("id", sa.String(64).with_variant(BYTES, "postgresql"), nullable=False),
        sa.Column("commits", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("writers")
    op.drop_table("secrets")
