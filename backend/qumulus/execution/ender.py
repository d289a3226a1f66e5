"""The end of a slot's last run, stored while the slot has the next one begin: a worker has nothing to do until a disk has synced."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from qumulus.core.tracing import TRACE

from .job_run import JobRun

END_SECONDS = 5.0  # that the last end is waited for

log = logging.getLogger("qumulus.execution")


def stored(run: JobRun, store: Callable[[], None]) -> None:
    """Store how a run ended, or log why that can't be."""
    try:
        store()
    except Exception:  # a mistake of ours must not cost the slot: the lease runs out, and the job is handed back
        log.exception("How job %s ended can't be stored because of an error of ours.", run.claim.job_id)


class Ender:
    """That of one slot. It has one run at a time: the slot waits where the one before is not stored yet."""

    def __init__(self, name: str) -> None:
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._run: JobRun | None = None
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)  # begun when it is first needed

    @property
    def run(self) -> JobRun | None:
        """Return the run whose end is not stored yet."""
        return self._run

    def keep(self, run: JobRun) -> bool:
        """Have a run from here on, whose end `store` brings; False where that can't be: no thread may be started for it now."""
        with self._changed:
            self._changed.wait_for(lambda: self._run is None)
            if self._thread.ident is None:
                try:
                    self._thread.start()
                except RuntimeError:
                    return False
            self._run = run
        return True

    def store(self, store: Callable[[], None]) -> None:
        """Store the end of the run that is kept, and keep it no longer. ``store`` does not raise."""
        self._inbox.put(store)

    def wait(self, within: float) -> bool:
        """Wait until nothing is left to store; False where that takes longer than so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._run is None, within)

    def close(self, within: float = END_SECONDS) -> None:
        """Store what is left to be stored, and end."""
        self._inbox.put(None)
        if self._thread.is_alive():
            self._thread.join(within)

    def _loop(self) -> None:
        while (store := self._inbox.get()) is not None:
            if (run := self._run) is not None:
                TRACE.set(run.claim.trace)
                store()
            with self._changed:
                self._run = None
                self._changed.notify_all()
