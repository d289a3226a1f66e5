"""What a reset forgets."""

from __future__ import annotations

from qumulus.apis.emulator.schemas.state import Forgotten
from qumulus.core import ports


def forgotten(known: ports.Forgotten) -> Forgotten:
    """How much a reset removed."""
    return Forgotten(jobs=known.jobs, sessions=known.sessions, tokens=known.tokens)
