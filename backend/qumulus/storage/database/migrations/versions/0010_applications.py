"""Applications, and the services that they have subscribed to."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BYTES = sa.String(collation="C")


def word(length: int) -> sa.types.TypeEngine[str]:
    """A short text, which PostgreSQL compares as its bytes."""
    return sa.String(length).with_variant(BYTES, "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "applications",
        sa.Column("id", word(64), nullable=False),
        sa.Column("account", word(255), nullable=False),
        sa.Column("name", sa.Text().with_variant(BYTES, "postgresql"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", word(64), nullable=False),
        sa.Column("application", word(64), nullable=False),
        sa.Column("service", word(255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_subscriptions_application", "subscriptions", ["application", "service"], unique=True)


def downgrade() -> None:
    """Drop them: in an older version access keys of applications are unknown."""
    op.drop_table("subscriptions")
    op.drop_table("applications")
