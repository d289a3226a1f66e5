"""What the slots of one dispatcher share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from qumulus.core.ports import Clock, DeviceRules, JobQueue
from qumulus.core.programs import Limits

from .admission import Budget
from .lingering import Lingering
from .metrics import Tally
from .worker_pool import WorkerPool


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotContext:
    """What all slots share."""

    queue: JobQueue
    device_settings: DeviceRules
    clock: Clock
    worker_pool: WorkerPool
    budget: Budget
    tally: Tally
    lingering: Lingering
    limits: Limits
    noise: str
    service_limits: bool
    repeatable: bool
    stopping: threading.Event
    spare: Callable[[], int]  # how many slots of this machine have nothing to do
    more: Callable[[], bool]  # whether another job waits for a slot, as far as is known
    look: Callable[[], None]  # has the dispatcher look for jobs that wait, if it has slots for them
    ran: Callable[[float], None]  # is told how many seconds a run took; infinitely many where it came to nothing
