"""When credentials were last used."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the column."""
    op.add_column("tokens", sa.Column("used_at", sa.BigInteger()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("tokens", "used_at")
