"""What people call the credentials that they make."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column."""
    op.add_column("tokens", sa.Column("name", sa.Text().with_variant(sa.String(collation="C"), "postgresql")))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("tokens", "name")
