"""What people say of themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

BYTES = sa.String(collation="C")


def upgrade() -> None:
    """Make the table."""
    prose = sa.Text().with_variant(BYTES, "postgresql")
    op.create_table(
        "profiles",
        sa.Column("account", sa.String(255).with_variant(BYTES, "postgresql"), nullable=False),
        *(sa.Column(name, prose) for name in ("position", "homepage", "about")),
        sa.Column("picture_type", sa.String(64).with_variant(BYTES, "postgresql")),
        sa.Column("picture", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("account"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("profiles")
