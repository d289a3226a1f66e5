"""Devices that somebody added to those of the package, with their calibrations."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def word(length: int) -> sa.types.TypeEngine[str]:
    """A short text that PostgreSQL compares as its bytes."""
    return sa.String(length).with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "added_devices",
        sa.Column("name", word(255), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("configuration", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "device_calibrations",
        sa.Column("device", word(255), nullable=False),
        sa.Column("id", word(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("properties", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["added_devices.name"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device", "id"),
    )


def downgrade() -> None:
    """Drop them: an older version knows only the devices of its package."""
    op.drop_table("device_calibrations")
    op.drop_table("added_devices")
