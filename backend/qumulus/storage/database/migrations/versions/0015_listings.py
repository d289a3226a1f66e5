"""How services are offered to people."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the column."""
    op.add_column("services", sa.Column("listing", sa.JSON()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("services", "listing")
