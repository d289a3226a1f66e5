"""The tables of what administrators of OQTOPUS keep: who is expected, and what is announced."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Table

from .columns import Moment, Number, Prose, Word
from .tables import metadata

whitelist = Table(  # who is expected, and what their accounts are to be like
    "whitelist",
    metadata,
    Column("number", Number, primary_key=True),
    Column("email", Word(255), nullable=False, unique=True),
    Column("group_id", Word(255), nullable=False),
    Column("name", Word(255)),
    Column("organization", Word(255)),
    Column("devices", JSON(none_as_null=True)),
    Column("signed_up", Boolean, nullable=False),
)

announcements = Table(  # what administrators tell the users
    "announcements",
    metadata,
    Column("number", Number, primary_key=True),
    Column("title", Prose, nullable=False),
    Column("content", Prose, nullable=False),
    Column("start_time", Moment, nullable=False),
    Column("end_time", Moment, nullable=False),
    Column("publishable", Boolean, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
