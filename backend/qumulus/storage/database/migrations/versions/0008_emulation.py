"""What somebody has set of what the cloud does by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table."""
    word = {length: sa.String(length).with_variant(sa.String(collation="C"), "postgresql") for length in (32, 255)}
    op.create_table(
        "emulation",
        sa.Column("kind", word[32], nullable=False),
        sa.Column("name", word[255], nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name"),
    )
    op.add_column("jobs", sa.Column("due_at", sa.BigInteger()))


def downgrade() -> None:
    """Drop it: an older version has the clock of the machine, and no queues but its own."""
    op.drop_column("jobs", "due_at")
    op.drop_table("emulation")
