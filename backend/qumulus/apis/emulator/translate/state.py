"""What is stored, and what a reset forgets."""

from __future__ import annotations

from pydantic import MISSING

from qumulus.apis.emulator.schemas.state import Forgotten, Held, Storage
from qumulus.core import keeping, ports


def forgotten(known: ports.Forgotten) -> Forgotten:
    """How much a reset removed."""
    return Forgotten(jobs=known.jobs, sessions=known.sessions, tokens=known.tokens)


def storage(known: keeping.Keeping) -> Storage:
    """Who has what, and the rules."""
    return Storage(held=[_held(each) for each in known.held()], keep=known.kept.text, quota=known.quota.text)


def _held(each: keeping.Held) -> Held:
    return Held(
        account=each.account,
        kind=each.kind,
        count=each.jobs,
        pending=each.pending,
        bytes=each.bytes,
        oldest=each.oldest or MISSING,
    )
