"""What administrators say of accounts, who is expected, and what is announced."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

BYTES = sa.String(collation="C")


def word(length: int) -> sa.types.TypeEngine[str]:
    """A short text, which PostgreSQL compares as its bytes."""
    return sa.String(length).with_variant(BYTES, "postgresql")


def number() -> sa.types.TypeEngine[int]:
    """A key that counts up by itself."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def moment(year: int, month: int, day: int) -> int:
    """A time as it is kept: microseconds since 1970."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1_000_000


def upgrade() -> None:
    """Add the columns and make the tables, with the announcement that there was before."""
    op.add_column("accounts", sa.Column("organization", word(255)))
    op.add_column("accounts", sa.Column("group_id", word(255)))
    op.add_column("accounts", sa.Column("status", word(16), nullable=False, server_default="approved"))
    op.add_column("accounts", sa.Column("devices", sa.JSON()))
    op.create_table(
        "whitelist",
        sa.Column("number", number(), nullable=False),
        sa.Column("email", word(255), nullable=False),
        sa.Column("group_id", word(255), nullable=False),
        sa.Column("name", word(255)),
        sa.Column("organization", word(255)),
        sa.Column("devices", sa.JSON()),
        sa.Column("signed_up", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("email"),
    )
    text = sa.Text().with_variant(BYTES, "postgresql")
    announcements = op.create_table(
        "announcements",
        sa.Column("number", number(), nullable=False),
        sa.Column("title", text, nullable=False),
        sa.Column("content", text, nullable=False),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("end_time", sa.BigInteger(), nullable=False),
        sa.Column("publishable", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    welcome = {
        "title": "Welcome",
        "content": "Everything here runs on your own machine: the devices are simulated with the noise of real calibrations.",
        "start_time": moment(2026, 1, 1),
        "end_time": moment(2099, 12, 31),
        "publishable": True,
        "updated_at": moment(2026, 1, 1),
    }
    op.bulk_insert(announcements, [welcome])


def downgrade() -> None:
    """Drop them: in an older version every account can be used, on all devices."""
    op.drop_table("announcements")
    op.drop_table("whitelist")
    for name in ("devices", "status", "group_id", "organization"):
        op.drop_column("accounts", name)
