"""Services, their packages, the sealed secrets of executions, and data pools, for processes that share no folder.

What stands in the folder of an older version is taken over when the services are next opened; it stays there, and an older
version finds it again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BYTES = sa.String(collation="C")


def word(length: int) -> sa.types.TypeEngine[str]:
    """A short text that PostgreSQL compares as its bytes."""
    return sa.String(length).with_variant(BYTES, "postgresql")


def prose() -> sa.types.TypeEngine[str]:
    """A text of any length."""
    return sa.Text().with_variant(BYTES, "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "services",
        sa.Column("name", word(64), nullable=False),
        sa.Column("version", word(64), nullable=False),
        sa.Column("title", prose(), nullable=False),
        sa.Column("description", prose(), nullable=False),
        sa.Column("state", word(16), nullable=False),
        sa.Column("reason", prose()),
        sa.Column("api_version", sa.Integer(), nullable=False),
        sa.Column("entrypoint", prose(), nullable=False),
        sa.Column("deployed_at", sa.BigInteger(), nullable=False),
        sa.Column("deployment", sa.JSON(), nullable=False),
        sa.Column("package_blob", word(255)),
        sa.Column("package", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "sealed_secrets",
        sa.Column("job", word(64), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_table(
        "data_pools",
        sa.Column("id", word(64), nullable=False),
        sa.Column("account", word(255), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "pool_files",
        sa.Column("pool", word(64), nullable=False),
        sa.Column("name", word(255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("blob", word(255)),
        sa.Column("value", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["pool"], ["data_pools.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pool", "name"),
    )


def downgrade() -> None:
    """Drop them, and what was deployed and put into data pools since: an older version looks for it in its folder."""
    op.drop_table("pool_files")
    op.drop_table("data_pools")
    op.drop_table("sealed_secrets")
    op.drop_table("services")
