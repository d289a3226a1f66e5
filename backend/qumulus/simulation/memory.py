"""Memory is asked for before a method takes it, so that runs beside each other do not take more than the machine has."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

Admit = Callable[[int], None]
"""Called with the bytes that a run needs from now on; returns when it may take them."""


def at_once(_needed: int) -> None:
    """Who runs alone waits for nobody."""


_admit: ContextVar[Admit] = ContextVar("admit", default=at_once)


@contextmanager
def admitted_by(admit: Admit) -> Generator[None]:
    """Ask ``admit`` for all that is needed inside."""
    token = _admit.set(admit)
    try:
        yield
    finally:
        _admit.reset(token)


def need(memory_bytes: float) -> None:
    """Wait until a method may take so many bytes; those of the method before it are given back."""
    _admit.get()(int(memory_bytes))
