"""The dispatcher of one process: takes jobs from the queue and has them run, if it is the one that owns the state folder.

Threads: one that waits for the folder and then deals claims to slots, one that keeps the fork server, one that renews leases,
and one a slot. Each job is on disk in every state; whatever ends here, at any moment, the next owner hands the jobs back that
were on their way.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from qumulus.core.events import Queued
from qumulus.core.owners import owner_name
from qumulus.core.ports import Claim
from qumulus.core.programs import DEVICE_NOISE, Limits
from qumulus.core.services import is_device
from qumulus.dispatching.attempts import Attempt
from qumulus.dispatching.leases import LEASE, Leases
from qumulus.dispatching.loops import until_done

from . import process
from .admission import Budget, machine_bytes
from .ahead import ClaimsAhead
from .dealing import Dealer
from .idle import IdleSlots
from .job_run import Ending
from .lingering import Lingering
from .metrics import Snapshot, Tally
from .ownership import Ownership, SharedOwnership
from .slot import Slot
from .slot_context import SlotContext
from .stopped import Stopped
from .stores import Stores
from .worker_pool import HERE, Method, WorkerPool

log = logging.getLogger("qumulus.execution")

ENTRY = "qumulus.simulation.worker:run"
LOOK_SECONDS = 0.1  # how often jobs are looked for that became ripe by time alone
ACQUIRE_SECONDS = 0.25  # how often a process that joined looks whether the owner is gone
HAND_BACK_SECONDS = 1.5
JOIN_SECONDS = 5.0


class Dispatcher:
    """Runs the jobs of a state folder.

    `start` returns at once: the fork server gets ready in the background while jobs are accepted. `drain` ends taking jobs and
    waits for those that run; `stop` ends everything. Both are safe to call whether this process owns the folder or not.
    """

    def __init__(
        self,
        storage: Stores,
        entry: str = ENTRY,
        *,
        workers: int | None = None,
        limits: Limits | None = None,
        noise: str = DEVICE_NOISE,
        service_limits: bool = True,
        repeatable: bool = False,
        memory_bytes: int | None = None,
        devices: Sequence[str] = (),
        method: Method | None = None,
        command: Sequence[str] = HERE,
        lease: timedelta = LEASE,
        on_taken_over: Callable[[], None] = lambda: None,
        beside: Dispatcher | None = None,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            storage: where the jobs are.
            entry: what workers run, `module:function`.
            workers: how many run at once; as many as there are cores if None, unless the fork server has its own number of places.
            limits: of each run.
            noise: one of `core.programs.NOISES`, of programs that ask for none themselves.
            service_limits: whether the limits of the emulated services hold beside ``limits``.
            repeatable: that of `core.programs.Program`.
            memory_bytes: what all runs may use together; 0.8 of this machine's memory if None. A fork server that finds places
                elsewhere sees to the memory of each.
            devices: prepared in the fork server.
            method: how workers begin; forked on Linux, spawned elsewhere.
            command: starts the fork server. Another one than `HERE` is another way of running: see `cluster`.
            lease: how long a claim holds without a heartbeat.
            on_taken_over: called when this process runs the jobs of the folder from now on, and those of the last owner
                have been handed back.
            beside: another dispatcher of this process, for another folder, whose fork server and memory this one uses.
        """
        self._storage = storage
        self._workers = workers or os.cpu_count() or 1
        self._lease = lease
        self._owner = owner_name()
        self._on_taken_over = on_taken_over
        self._ownership = SharedOwnership() if storage.shared else Ownership(storage.home)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._draining = threading.Event()
        # Slots beyond the number of workers: only for accounts that others' long jobs would keep waiting. Elsewhere places are found.
        besides = max(1, self._workers // 2) if command is HERE else 0
        self._idle = IdleSlots(lambda: self.workers + self._worker_pool.ahead, besides=besides)
        self._stopped = Stopped(lease)
        # Elsewhere places are found; other dispatchers of the same jobs may have slots that are free; and whose turn it is then depends
        # on how long others run.
        ahead = command is HERE and not storage.shared and not repeatable
        self._ahead = ClaimsAhead(
            lambda: self.workers if ahead and not storage.queue.at_once.faulty else 0,
            lambda: max((slot.seconds for slot in self._idle.all), default=0.0),
        )
        self._tally = Tally()
        storage.events.ended.subscribe(self._tally.ended)  # what others run can be cancelled here
        self._beside = beside
        most = memory_bytes or (machine_bytes() if command is HERE else sys.maxsize)
        self._budget = beside._budget if beside else Budget(most)
        method = method or ("fork" if process.LINUX else "spawn")
        limits = limits or Limits()
        self._worker_pool = (
            beside._worker_pool
            if beside
            else WorkerPool(entry, devices=devices, method=method, most_bytes=limits.result_bytes, command=command)
        )
        self._lingering = Lingering(storage.clock, storage.events)
        self._context = SlotContext(
            queue=storage.queue,
            device_settings=storage.device_settings,
            clock=storage.clock,
            worker_pool=self._worker_pool,
            budget=self._budget,
            tally=self._tally,
            lingering=self._lingering,
            limits=limits,
            noise=noise,
            service_limits=service_limits,
            repeatable=repeatable,
            stopping=self._stopping,
            spare=(lambda: self._idle.free) if command is HERE else (lambda: 0),
            more=lambda: self._dealer.more,
            look=lambda: self._dealer.look(),
            ran=self._ahead.ran,
        )
        self._leases = Leases(
            storage.queue,
            owner=self._owner,
            log=log,
            devices=is_device,
            held=self._claims,
            on_lost=self._on_lost,
            besides=self._look_after,
            active=lambda: self._ownership.held,
            lease=lease,
        )
        self._dealer = Dealer(
            storage.queue,
            storage.clock,
            self._idle,
            self._ahead,
            self._tally,
            claim=self._leases.claim,
            gives=self._gives,
            wake=self._wake,
        )
        self._thread = threading.Thread(target=self._deal, name="qumulus-dispatcher", daemon=True)

    def start(self) -> None:
        """Take the folder if nobody has it, and begin; else wait in the background until its owner is gone."""
        events = self._storage.events
        events.queued.subscribe(self._on_queued)
        events.cancelling.subscribe(self._on_cancelling)
        events.settled.subscribe(self._ahead.forget)
        events.elsewhere.subscribe(self._on_elsewhere)
        self._storage.queue.at_once.offer(self._owner, self._lease, self._dealer.keep, is_device)
        if not self._ownership.acquire():
            log.info(
                "Process %s runs the jobs of this folder: this one joins, and takes over if that one ends.",
                self._ownership.holder(),
            )
        self._thread.start()
        self._lingering.start()
        self._leases.start()

    @property
    def owner(self) -> bool:
        """Say whether this process runs the jobs of the folder."""
        return self._ownership.held

    @property
    def ready(self) -> bool:
        """Say whether jobs are run now: here, or by the process that this one has joined."""
        return not self._ownership.held or self._worker_pool.ready

    @property
    def failing(self) -> bool:
        """Say whether jobs can't be run here because workers can't be started; it is tried again and again."""
        return self._worker_pool.failing

    @property
    def workers(self) -> int:
        """Return how many jobs may run at once, now."""
        places = self._worker_pool.places
        return self._workers if places is None else places

    @property
    def fork_server_pid(self) -> int | None:
        """Return the process id of the fork server."""
        return self._worker_pool.pid

    def running(self) -> dict[str, int | None]:
        """Return the jobs that run here and the process ids of their workers."""
        running = {claim.job_id: slot.pid for slot in self._idle.all if (claim := slot.running) is not None}
        return running | {claim.job_id: None for claim in self._lingering.claims() if claim.job_id not in running}

    def metrics(self) -> Snapshot:
        """Return the figures now; `execution.metrics.Jobs` collects them for Prometheus."""
        return self._tally.snapshot(busy=len(self.running()), workers=self.workers if self._worker_pool.ready else 0)

    @property
    def draining(self) -> bool:
        """Say whether no job is taken any more."""
        return self._draining.is_set()

    def drain(self, within: float) -> bool:
        """Take no new jobs, wait up to ``within`` seconds for those that run, and hand the others back. True: all had ended."""
        self._storage.jobs.drain()
        self._draining.set()
        self._wake.set()
        if count := len(self.running()):
            log.info("Stopping: %d jobs run, and have %g seconds to end before they are handed back.", count, within)
        ended = self._all_idle(within)
        if not ended:
            self._hand_back()
        return ended

    def _all_idle(self, within: float) -> bool:
        until = time.monotonic() + within
        stored = (slot.stored(max(0.0, until - time.monotonic())) for slot in self._idle.all)
        ended = self._idle.wait(within) and all(stored) and self._lingering.emptied(max(0.0, until - time.monotonic()))
        return ended and self._ahead.emptied(max(0.0, until - time.monotonic()))

    def _hand_back(self) -> None:
        """End all runs. One that was claimed a moment ago may reach its slot only now: so again and again, for a short time."""
        deadline = time.monotonic() + HAND_BACK_SECONDS
        while not self._all_idle(0.05) and time.monotonic() < deadline:
            for claim in self._claims():
                self._end(claim.job_id, Ending.STOPPED)

    def stop(self) -> None:
        """End everything; what still runs is handed back."""
        self._draining.set()
        self._hand_back()
        self._stopping.set()
        self._wake.set()
        if self._beside is None:
            self._budget.close()
        events = self._storage.events
        events.queued.unsubscribe(self._on_queued)
        events.cancelling.unsubscribe(self._on_cancelling)
        events.settled.unsubscribe(self._ahead.forget)
        events.elsewhere.unsubscribe(self._on_elsewhere)
        events.ended.unsubscribe(self._tally.ended)
        if self._thread.is_alive():
            self._thread.join(JOIN_SECONDS)
        self._leases.stop(JOIN_SECONDS)
        self._lingering.stop(JOIN_SECONDS)
        for slot in self._idle.all:
            slot.close()
        for slot in self._idle.all:
            slot.join(JOIN_SECONDS)
        self._worker_pool.leave(self._prepare)
        if self._beside is None:
            self._worker_pool.stop()
        self._ownership.release()

    # -- dealing ---------------------------------------------------------------------------------------------------

    def _deal(self) -> None:
        taken = until_done(self._acquire, self._stopping, log, "The jobs of this folder can't be taken over")
        if taken and until_done(self._recover, self._stopping, log, "Jobs of the last process can't be handed back"):
            self._on_taken_over()
            self._worker_pool.join(self._prepare)
            self._worker_pool.start()
            until_done(self._deal_all, self._stopping, log, "Jobs can't be claimed")

    def _acquire(self) -> bool:
        return self._ownership.acquire() or self._stopping.wait(ACQUIRE_SECONDS)

    def _recover(self) -> bool:
        """Hand back what the last owner had on its way."""
        if count := self._storage.queue.recover(everything=not self._storage.shared):
            log.info("%d jobs that were on their way are run again.", count)
        return True

    def _deal_all(self) -> bool:
        """Give jobs to slots whenever there may be some; never return True, so that the loop goes on."""
        self._wake.wait(LOOK_SECONDS)
        self._wake.clear()
        self._dealer.put_back(self._put_back, everything=self._draining.is_set())
        self._dealer.deal()
        return False

    def _put_back(self, claim: Claim) -> None:
        Attempt(self._storage.queue, claim, self._stopping, log).put_back()

    def _gives(self) -> bool:
        """Say whether jobs may begin now."""
        return self._ownership.held and not self._draining.is_set() and self._worker_pool.ready

    def _prepare(self) -> None:
        """Give every slot its worker before the first job comes: the fork server is warm, or has other places."""
        self._idle.grow(lambda number: Slot(number, self._context, self._dealer.on_idle))
        self._wake.set()

    def _on_queued(self, queued: Queued | None) -> None:
        if queued is None:
            self._wake.set()
        elif not queued.claimed:
            self._dealer.queued()

    def _on_cancelling(self, job_id: str) -> None:
        self._end(job_id, Ending.CANCELLED)

    def _on_elsewhere(self, _: None) -> None:
        self._wake.set()
        self._leases.look()

    def _claims(self) -> list[Claim]:
        slots = [claim for slot in self._idle.all for claim in slot.claims]
        return slots + self._ahead.claims + self._lingering.claims()

    def _end(self, job_id: str, ending: Ending, attempt: int | None = None) -> None:
        for slot in self._idle.all:
            slot.end(job_id, ending, attempt)
        self._lingering.end(job_id, ending, attempt)
        if self._ahead.end(job_id, attempt):
            self._wake.set()

    def _on_lost(self, claim: Claim) -> None:
        self._end(claim.job_id, Ending.CANCELLED, claim.attempt)

    def _look_after(self) -> None:
        """End what somebody stopped, and hand back what somebody else holds and does not renew."""
        for slot in self._idle.all:
            if (claim := slot.claim) is not None and self._stopped.too_long(slot.pid):
                slot.end(claim.job_id, Ending.HUNG, claim.attempt)
        if self._stopped.too_long(self._worker_pool.pid):
            self._worker_pool.renew()
        self._storage.queue.recover()
