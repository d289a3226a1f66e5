"""Waiting for jobs to be final, without polling and without a thread each.

A job that this process settles emits an event after its commit; where another process may have settled jobs, one query
answers for all that are waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Collection

from .errors import Unavailable
from .events import Events, Queued

AGAIN_SECONDS = 0.2  # until a question that could not be answered is asked again
RECENT = 200  # jobs that were settled a moment ago
REST = 4  # times as long as the last question took, before the next one

Finals = Callable[[Collection[str]], Collection[str]]


class Waiting:
    """`core.ports.Settled` for one event loop."""

    def __init__(
        self, finals: Finals, events: Events, *, hold: float, ours: Callable[[str], bool] = lambda _device: False
    ) -> None:
        """``finals`` says which of some jobs are final or gone; ``hold`` is how many seconds a request is held at most. ``ours`` says
        whether the jobs of a device are run by runners of our own: of those that are queued here it is known that they are not final."""
        self._finals = finals
        self._ours = ours
        self._moving: set[str] = set()  # queued by this process, and not settled since
        self._settled: deque[str] = deque(maxlen=RECENT)
        self._hold = hold
        self._waiters: dict[str, set[asyncio.Future[bool]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asking: asyncio.Task[None] | None = None
        self._ask_again = False
        events.queued.subscribe(self._queued)
        events.settled.subscribe(self._rung)
        events.elsewhere.subscribe(self._elsewhere)

    async def wait(self, job_id: str, seconds: float | None = None) -> bool:
        """Return when the job is final or gone (True), or after ``seconds`` (False); None means the setting."""
        hold = self._hold if seconds is None else seconds
        if hold <= 0:
            return False
        self._loop = asyncio.get_running_loop()
        ended: asyncio.Future[bool] = self._loop.create_future()
        waiters = self._waiters.setdefault(job_id, set())
        waiters.add(ended)
        late: asyncio.TimerHandle | None = None
        try:
            # Listening came first, so that what is settled from here on emits; the question finds what was before.
            if job_id in self._settled:
                return True
            if job_id not in self._moving and job_id in await asyncio.to_thread(self._finals, (job_id,)):
                return True
            late = self._loop.call_later(hold, _settle, ended, False)
            return await ended
        finally:
            if late is not None:
                late.cancel()
            waiters.discard(ended)
            if not waiters:
                self._waiters.pop(job_id, None)

    @property
    def waited_for(self) -> int:
        """Return how many jobs are waited for now."""
        return len(self._waiters)

    def _queued(self, queued: Queued | None) -> None:
        if queued is not None and self._ours(queued.device):
            self._moving.add(queued.job_id)
            if queued.job_id in self._settled:  # it was faster than its own event
                self._moving.discard(queued.job_id)

    def _rung(self, job_id: str) -> None:
        self._settled.append(job_id)
        self._moving.discard(job_id)
        if job_id in self._waiters:
            self._in_loop(self._wake, job_id)

    def _elsewhere(self, _nothing: None) -> None:
        self._moving.clear()  # another process may have settled any of them
        if self._waiters:
            self._in_loop(self._ask)

    def _in_loop(self, call: Callable[..., None], *arguments: str) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
                self._loop.call_soon_threadsafe(call, *arguments)

    def _wake(self, job_id: str) -> None:
        for ended in self._waiters.get(job_id, ()):
            _settle(ended, True)

    def _ask(self) -> None:
        if self._asking is not None and not self._asking.done():
            self._ask_again = True
            return
        self._asking = asyncio.get_running_loop().create_task(self._ask_for_all())

    async def _ask_for_all(self) -> None:
        while True:
            self._ask_again = False
            begun = time.monotonic()
            try:
                for job_id in await asyncio.to_thread(self._finals, tuple(self._waiters)):
                    self._wake(job_id)
                await asyncio.sleep(REST * (time.monotonic() - begun))
            except Unavailable:
                self._ask_again = bool(self._waiters)
                await asyncio.sleep(AGAIN_SECONDS)
            if not self._ask_again:
                return


def _settle(ended: asyncio.Future[bool], settled: bool) -> None:
    if not ended.done():
        ended.set_result(settled)
