"""Installs what programs that come with jobs can import, before a server runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .server import read_settings


class NotPrepared(Exception):
    """The packages are not there; the text says why."""


def prepare(say: Callable[[str], None]) -> Path:
    """Return the interpreter that has them; ``say`` hears how far it is.

    Raises:
        NotPrepared
    """
    from qumulus.services.installing import NotInstalled  # with all that runs jobs, which only this command needs

    from . import runners

    try:
        return runners.prepare(read_settings(()), say)
    except NotInstalled as error:
        raise NotPrepared(str(error)) from error
