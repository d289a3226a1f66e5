"""Everything that keeps and runs services, in one place for whoever composes the server."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

from qumulus.core.bells import Bells
from qumulus.core.ports import Clock, JobQueue

from .resources import Resources
from .sandbox import probe
from .shelf import Shelf
from .slots import Slots


class Stores(Protocol):
    """What services need of a storage."""

    @property
    def home(self) -> Path: ...
    @property
    def queue(self) -> JobQueue: ...
    @property
    def bells(self) -> Bells: ...
    @property
    def clock(self) -> Clock: ...


class Host:
    """The services of a state folder. `begin` is called in the one process that runs its jobs, `end` in every one."""

    def __init__(
        self,
        storage: Stores,
        *,
        slots: int,
        resources: Resources,
        network: bool,
        allow_unsandboxed: bool,
    ) -> None:
        folder = storage.home / "services"
        self.sandbox = cache(probe)
        self.shelf = Shelf(folder, clock=storage.clock, bells=storage.bells, resources=resources)
        self.slots = Slots(
            count=slots,
            queue=storage.queue,
            deployed=self.shelf,
            bells=storage.bells,
            clock=storage.clock,
            sandbox=self.sandbox,
            folder=(folder / "runs").absolute(),
            owner=f"services:{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            network=network,
            allow_unsandboxed=allow_unsandboxed,
        )
        self._beginning: threading.Thread | None = None

    def begin(self) -> None:
        """Run executions from now on; returns at once."""
        self._beginning = threading.Thread(target=self._begin, name="services-begin", daemon=True)
        self._beginning.start()

    def _begin(self) -> None:
        self.shelf.own()
        self.slots.start()

    def end(self, within: timedelta) -> None:
        """Take nothing more, and end what runs after ``within``."""
        if self._beginning is not None:
            self._beginning.join()
            self.slots.stop(within)
