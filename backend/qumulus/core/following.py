"""Following what happens to jobs: all of them, for as long as somebody looks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from time import monotonic

from .events import Events, Queued

TOGETHER_SECONDS = 0.1  # what happens within this time is told together
MOST_JOBS = 200  # told by name at once; of more it is only told that something changed

Changes = tuple[str, ...]  # the ids of jobs; none: something changed, and it is not known what


class Following:
    """Tells the loop of each follower about the jobs that something happened to."""

    def __init__(self, events: Events) -> None:
        self._events = events

    async def changes(self, seconds: float) -> AsyncIterator[Changes]:
        """Yield nothing but an empty tuple at once, and then what changed, until ``seconds`` are over."""
        loop = asyncio.get_running_loop()
        changed: set[str] = set()
        woken = asyncio.Event()

        def note(job_id: str | None) -> None:
            changed.add(job_id or "")
            woken.set()

        def heard_of_queued(queued: Queued | None) -> None:
            heard(None if queued is None else queued.job_id)

        def heard(job_id: str | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody follows any more
                loop.call_soon_threadsafe(note, job_id)

        own = (self._events.cancelling, self._events.settled, self._events.progressed)
        for event in own:
            event.subscribe(heard)
        self._events.queued.subscribe(heard_of_queued)
        self._events.elsewhere.subscribe(heard)
        try:
            yield ()
            end = monotonic() + seconds
            while (left := end - monotonic()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), left)
                    await asyncio.sleep(min(TOGETHER_SECONDS, left))
                    woken.clear()
                    told, changed = frozenset(changed), set()
                    yield () if "" in told or len(told) > MOST_JOBS else tuple(sorted(told))
        finally:
            for event in own:
                event.unsubscribe(heard)
            self._events.queued.unsubscribe(heard_of_queued)
            self._events.elsewhere.unsubscribe(heard)
