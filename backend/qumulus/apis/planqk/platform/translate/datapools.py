"""Data pools of the core and those of the platform."""

from __future__ import annotations

from datetime import UTC, datetime

from qumulus.apis.given import given, said
from qumulus.apis.planqk.media_types import media_type
from qumulus.apis.planqk.platform.schemas.file import DataPoolFile
from qumulus.apis.planqk.platform.schemas.pool import DataPool, DataPoolRequest, Permission
from qumulus.core.pools import About, Pool, PoolFile


def about(body: DataPoolRequest) -> About:
    """What is said of a data pool; tags in small letters, each once."""
    tags = given(body.tags) or []
    return About(
        name=body.name,
        short_description=given(body.short_description),
        description=given(body.description),
        tags=tuple(dict.fromkeys(tag.lower() for tag in tags)),
    )


def pool(known: Pool) -> DataPool:
    """A data pool of the caller's."""
    about = known.about
    return DataPool(
        id=known.id,
        name=about.name,
        short_description=said(about.short_description),
        description=said(about.description),
        tags=list(about.tags),
        created_at=_time(known.created_at),
        current_user_permission=Permission.OWNER,
    )


def file(known: PoolFile) -> DataPoolFile:
    """A file of a data pool."""
    return DataPoolFile(
        id=known.id,
        data_pool_id=known.pool,
        name=known.name,
        full_path=known.name,
        content_type=media_type(known.name),
        content_length=known.size,
        created_at=_time(known.changed_at),
    )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
