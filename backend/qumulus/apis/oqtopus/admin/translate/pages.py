"""Lists as administrators ask for them: filtered, sorted, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from qumulus.apis.given import given

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are wanted, by member; None and an empty text ask for nothing."""

    containing: Mapping[str, str | None]  # in any case
    equal: Mapping[str, str | None]


def page(entries: Sequence[T], offset: str | None, limit: str) -> Sequence[T]:
    """Return as many entries as ``limit`` says, behind those to pass over."""
    first = int(offset or 0)
    return entries[first : first + int(limit)]


def chosen(entries: Sequence[M], wanted: Wanted, sort: str | None) -> Sequence[M]:
    """Return the entries that are wanted, sorted as ``MEMBER,asc`` or ``MEMBER,desc`` says; those without the member come first."""
    found = [each for each in entries if _fits(each, wanted)]
    if not sort:
        return found
    member, _, how = sort.partition(",")
    return sorted(found, key=lambda each: _key(_member(each, member)), reverse=how == "desc")


def _fits(entry: BaseModel, wanted: Wanted) -> bool:
    containing = all(
        part.lower() in str(_member(entry, name) or "").lower() for name, part in wanted.containing.items() if part
    )
    return containing and all(_member(entry, name) == value for name, value in wanted.equal.items() if value)


def _member(entry: BaseModel, name: str) -> Any:
    return given(getattr(entry, name))


def _key(value: Any) -> tuple[bool, Any]:
    return value is not None, ",".join(value) if isinstance(value, list) else value or ""
