"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# PostgreSQL compares texts as their bytes, as SQLite does, and holds none of them to a length.
BYTES = sa.String(collation="C")
TEXT = sa.Text().with_variant(BYTES, "postgresql")


def word(length: int) -> sa.types.TypeEngine[str]:
    """A short text."""
    return sa.String(length).with_variant(BYTES, "postgresql")


def upgrade() -> None:
    """Make them all."""
    op.create_table(
        "accounts",
        sa.Column("id", word(255), nullable=False),
        sa.Column("name", word(255), nullable=False),
        sa.Column("email", word(255), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "device_reports",
        sa.Column("device", word(255), nullable=False),
        sa.Column("n_qubits", sa.Integer(), nullable=True),
        sa.Column("information", sa.LargeBinary(), nullable=True),
        sa.Column("calibrated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("device"),
    )
    op.create_table(
        "device_settings",
        sa.Column("device", word(255), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("one_at_a_time", sa.Boolean(), nullable=False),
        sa.Column("least_queue_seconds", sa.Float(), nullable=False),
        sa.Column("least_run_seconds", sa.Float(), nullable=False),
        sa.Column("provider", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("device"),
    )
    op.create_table(
        "jobs",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", word(64), nullable=False),
        sa.Column("account", word(255), nullable=False),
        sa.Column("device", word(255), nullable=False),
        sa.Column("kind", word(255), nullable=False),
        sa.Column("api", word(255), nullable=False),
        sa.Column("state", word(16), nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("note", TEXT, nullable=True),
        sa.Column("shots", sa.BigInteger(), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("session", word(64), nullable=True),
        sa.Column("instance", word(255), nullable=True),
        sa.Column("calibration", word(255), nullable=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("max_seconds", sa.Float(), nullable=True),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("running_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("reason_code", sa.Integer(), nullable=True),
        sa.Column("failure", word(16), nullable=True),
        sa.Column("run_seconds", sa.Float(), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("lane", word(511), nullable=False),
        sa.Column("ticket", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.Column("owner", word(255), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("idempotency_key", word(255), nullable=True),
        sa.Column("payload_blob", word(255), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_jobs_account", "jobs", ["account", "created_at", "number"], unique=False)
    op.create_index("ix_jobs_created", "jobs", ["created_at", "number"], unique=False)
    op.create_index(
        "ix_jobs_held",
        "jobs",
        ["device", "account"],
        unique=False,
        sqlite_where=sa.text("state IN ('claimed', 'running', 'cancelling')"),
        postgresql_where=sa.text("state IN ('claimed', 'running', 'cancelling')"),
    )
    op.create_index(
        "ix_jobs_queued",
        "jobs",
        ["lane", "ticket", "number"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_jobs_instance",
        "jobs",
        ["instance", "created_at"],
        unique=False,
        sqlite_where=sa.text("instance IS NOT NULL"),
        postgresql_where=sa.text("instance IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_session",
        "jobs",
        ["session", "ticket", "number"],
        unique=False,
        sqlite_where=sa.text("session IS NOT NULL"),
        postgresql_where=sa.text("session IS NOT NULL"),
    )
    op.create_index(
        "ux_jobs_key",
        "jobs",
        ["account", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", word(64), nullable=False),
        sa.Column("account", word(255), nullable=False),
        sa.Column("device", word(255), nullable=False),
        sa.Column("mode", word(16), nullable=False),
        sa.Column("instance", word(255), nullable=True),
        sa.Column("max_seconds", sa.Float(), nullable=False),
        sa.Column("interactive_seconds", sa.Float(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("closing_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_sessions_device"), "sessions", ["device"], unique=False)
    op.create_table(
        "instances",
        sa.Column("crn", word(255), nullable=False),
        sa.Column("name", word(255), nullable=False),
        sa.Column("account", word(255), nullable=False),
        sa.Column("plan", word(255), nullable=False),
        sa.Column("region", word(255), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("limit_seconds", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("crn"),
    )
    op.create_table(
        "log_lines",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job", word(64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("severity", word(16), nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index(op.f("ix_log_lines_job"), "log_lines", ["job"], unique=False)
    op.create_table(
        "results",
        sa.Column("job", word(64), nullable=False),
        sa.Column("name", word(1024), nullable=False),
        sa.Column("media_type", word(255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("blob", word(255), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "name"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", word(64), nullable=False),
        sa.Column("account", word(255), nullable=False),
        sa.Column("scheme", word(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("built_in", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_tokens_account"), "tokens", ["account"], unique=False)
    op.create_index("ux_tokens_digest", "tokens", ["scheme", "digest"], unique=True)


def downgrade() -> None:
    """Drop them all."""
    tables = ("tokens", "results", "log_lines", "instances", "sessions", "jobs", "device_settings", "device_reports")
    for table in (*tables, "accounts"):
        op.drop_table(table)
