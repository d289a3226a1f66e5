"""Calls that must not wait: a quick question is answered sooner where nobody hands it to another thread, as long as it is quick."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

_AT_ONCE: ContextVar[bool] = ContextVar("qumulus_at_once", default=False)


class MustWait(Exception):
    """What was called has to wait for something: call it in a thread that may."""


def at_once(call: Callable[..., T], *arguments: object) -> T:
    """Return what ``call`` returns, if it need not wait for a disk, a network or a lock that is held for long.

    Raises:
        MustWait: it has to, and has done nothing yet but to read.
    """
    token = _AT_ONCE.set(True)
    try:
        return call(*arguments)
    finally:
        _AT_ONCE.reset(token)


def waits() -> None:
    """Say that from here on somebody waits.

    Raises:
        MustWait: nobody may, here.
    """
    if _AT_ONCE.get():
        raise MustWait
