"""The types of columns: times, texts and numbers that are alike on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

POSTGRES = "postgresql"
NUL_SIGN = "\N{SYMBOL FOR NULL}"


class Moment(TypeDecorator[datetime]):
    """An aware time, kept as microseconds since 1970 in UTC: sorts, compares and rounds alike everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        """To the database."""
        del dialect
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        """From the database."""
        del dialect
        return None if value is None else EPOCH + value * MICROSECOND


class Word(TypeDecorator[str]):
    """A short text. PostgreSQL compares it as its bytes, as SQLite does, and holds it to no length, as SQLite does."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """Return the type in the database."""
        return dialect.type_descriptor(String(collation="C") if dialect.name == POSTGRES else self.impl_instance)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """To the database. PostgreSQL can't keep a NUL: the sign that stands for it takes its place."""
        return value.replace("\0", NUL_SIGN) if value is not None and dialect.name == POSTGRES else value


class Prose(Word):
    """A text of any length."""

    impl = Text
    cache_ok = True


Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only in an INTEGER key
