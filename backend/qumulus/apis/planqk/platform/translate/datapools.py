"""Data pools of the core and those of the platform."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import MISSING

from qumulus.apis.planqk.media_types import media_type
from qumulus.apis.planqk.platform.schemas.file import DataPoolFile
from qumulus.apis.planqk.platform.schemas.pool import DataPool, DataPoolRequest, Permission
from qumulus.core.pools import About, Pool, PoolFile


def about(body: DataPoolRequest) -> About:
    """What is said of a data pool; tags in small letters, each once."""
    tags = _given(body.tags) or []
    return About(
        name=body.name,
        short_description=_given(body.short_description),
        description=_given(body.description),
        tags=tuple(dict.fromkeys(tag.lower() for tag in tags)),
    )


def _given(value: Any) -> Any:
    return None if value is MISSING else value


def pool(known: Pool) -> DataPool:
    """A data pool of the caller's."""
    said = known.about
    return DataPool(
        id=known.id,
        name=said.name,
        short_description=MISSING if said.short_description is None else said.short_description,
        description=MISSING if said.description is None else said.description,
        tags=list(said.tags),
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
