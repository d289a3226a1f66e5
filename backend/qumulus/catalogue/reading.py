"""Reads documents that somebody sends: every member is looked at, what is not known is left out, and sizes are limited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, TypeVar

from qumulus.core.errors import InvalidRequest, TooLarge

T = TypeVar("T")
Reader = Callable[[object, str], T]

MOST_QUBITS = 1200
MOST_ENTRIES = 200_000  # of one list
MOST_LETTERS = 2000


def wrong(where: str, wanted: str) -> InvalidRequest:
    """The error for a member that is something else."""
    return InvalidRequest(f"{where} has to be {wanted}: mend the file, or print it anew from the device.")


def mapping(value: object, where: str) -> Mapping[str, Any]:
    """Return an object."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise wrong(where, "an object")
    return value


def text(value: object, where: str) -> str:
    """Return a text of limited length."""
    if not isinstance(value, str) or len(value) > MOST_LETTERS or not value.isprintable():
        raise wrong(where, f"a text of at most {MOST_LETTERS} letters")
    return value


def number(value: object, where: str) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise wrong(where, "a number")
    return value


def share(value: object, where: str) -> float:
    """Return a probability."""
    result = number(value, where)
    if not 0 <= result <= 1:
        raise wrong(where, "between 0 and 1")
    return result


def positive(value: object, where: str) -> float:
    """Return a number above zero."""
    result = number(value, where)
    if result <= 0:
        raise wrong(where, "above zero")
    return result


def whole(value: object, where: str) -> int:
    """Return a whole number, not below zero."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong(where, "a whole number, not below zero")
    return value


def flag(value: object, where: str) -> bool:
    """Return yes or no."""
    if not isinstance(value, bool):
        raise wrong(where, "true or false")
    return value


def moment(value: object, where: str) -> datetime:
    """Return a time; UTC where no zone is named."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(text(value, where))
    except ValueError:
        raise wrong(where, "a time in ISO 8601") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def date(value: object, where: str) -> str:
    """Return a time as text."""
    return moment(value, where).isoformat()


def listed(read: Reader[T], most: int = MOST_ENTRIES) -> Reader[list[T]]:
    """Return what reads a list of limited length."""

    def of(value: object, where: str) -> list[T]:
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
            raise wrong(where, "a list")
        if len(value) > most:
            raise TooLarge(f"{where} has {len(value):,} entries, and may have {most:,}.")
        return [read(each, f"{where}[{index}]") for index, each in enumerate(value)]

    return of


def either(*readers: Reader[Any]) -> Reader[Any]:
    """Return what reads a value by the first of several readers that can."""

    def of(value: object, where: str) -> Any:
        for read in readers[:-1]:
            try:
                return read(value, where)
            except InvalidRequest:
                continue
        return readers[-1](value, where)

    return of


def members(table: Mapping[str, Reader[Any]], required: Iterable[str] = ()) -> Reader[dict[str, Any]]:
    """Return what reads an object: the members of a table, without those that are null or not in it."""

    def of(value: object, where: str) -> dict[str, Any]:
        given = mapping(value, where)
        if lacking := [name for name in required if given.get(name) is None]:
            raise InvalidRequest(f"{where} has no {', '.join(lacking)}: print it anew from the device.")
        return {
            name: read(given[name], f"{where}.{name}")
            for name, read in table.items()
            if given.get(name) not in (None, "None")
        }

    return of


def anything(read_key: Reader[str], read: Reader[T]) -> Reader[dict[str, T]]:
    """Return what reads an object with any members."""

    def of(value: object, where: str) -> dict[str, T]:
        return {read_key(name, where): read(each, f"{where}.{name}") for name, each in mapping(value, where).items()}

    return of
