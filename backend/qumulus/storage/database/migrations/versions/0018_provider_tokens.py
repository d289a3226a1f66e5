"""Tokens of providers, and when the packages of a service were there."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

BYTES = sa.String(collation="C")


def upgrade() -> None:
    """Make the table and the column."""
    op.create_table(
        "provider_tokens",
        sa.Column("account", sa.String(255).with_variant(BYTES, "postgresql"), nullable=False),
        sa.Column("provider", sa.String(32).with_variant(BYTES, "postgresql"), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account", "provider"),
    )
    op.add_column("services", sa.Column("built_at", sa.BigInteger()))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("services", "built_at")
    op.drop_table("provider_tokens")
