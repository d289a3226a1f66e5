"""The first tables."""

from alembic import op

from qumulus.storage.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing was released before these tables: they are made as they stand."""
    metadata.create_all(op.get_bind(), checkfirst=False)
