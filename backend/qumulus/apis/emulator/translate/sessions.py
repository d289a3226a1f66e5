"""Sessions and batches."""

from __future__ import annotations

from datetime import datetime

from qumulus.apis.emulator.schemas.sessions import Mode, Session, State
from qumulus.core import sessions


def session(known: sessions.Session, now: datetime) -> Session:
    """A session, as it is at ``now``."""
    return Session(
        id=known.id,
        account=known.account,
        device=known.device,
        mode=Mode(known.mode),
        state=State(known.state(now)),
        instance=known.instance,
        created_at=known.created_at,
        activated_at=known.activated_at,
        expires_at=known.expires_at(),
        closed_at=known.closed_at(now),
        pending_jobs=known.pending_jobs,
        run_seconds=known.run_seconds,
    )
