"""Members of a body that may be left out: the generated models hold `MISSING` for them, the core None."""

from __future__ import annotations

from typing import TypeVar, overload

from pydantic import MISSING

T = TypeVar("T")
D = TypeVar("D")


@overload
def given(value: T | MISSING) -> T | None: ...
@overload
def given(value: T | MISSING, otherwise: D) -> T | D: ...
def given(value: T | MISSING, otherwise: D | None = None) -> T | D | None:
    """The ``value`` of a member, or ``otherwise`` where it was left out. A null that was sent is a value."""
    return otherwise if value is MISSING else value


def said(value: T | None) -> T | MISSING:
    """The member of an answer that says ``value``; it is left out where that is None."""
    return MISSING if value is None else value
