"""The limit of an instance that an administrator has set, which its account can't raise, and the sizes of programs.

What is set by then counts as the administrator's, but for the instances that are always there: those no administrator could limit.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("jobs", sa.Column("payload_size", sa.BigInteger()))
    op.add_column("instances", sa.Column("granted_seconds", sa.Float()))
    op.execute("UPDATE instances SET granted_seconds = limit_seconds WHERE name NOT IN ('local', 'test')")


def downgrade() -> None:
    """Drop them: the lower limit stays, as the only one that an older version knows."""
    op.execute(
        "UPDATE instances SET limit_seconds = granted_seconds "
        "WHERE granted_seconds IS NOT NULL AND (limit_seconds IS NULL OR limit_seconds > granted_seconds)"
    )
    op.drop_column("instances", "granted_seconds")
    op.drop_column("jobs", "payload_size")
