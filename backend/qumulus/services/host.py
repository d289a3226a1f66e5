"""Everything that keeps and runs services, in one place for whoever composes the server."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

from qumulus.core.bells import Bells
from qumulus.core.ports import Clock, JobQueue

from .pools import PoolFolder
from .resources import Resources
from .sandbox import probe
from .shelf import Shelf
from .slots import Slots

OWN_SECONDS = 0.5  # how often a process looks whether the one that runs the executions of its folder is gone


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
    """The services of a state folder. `begin` is called in the processes that run jobs, `end` in every one."""

    def __init__(
        self,
        storage: Stores,
        *,
        slots: int,
        resources: Resources,
        network: bool,
        allow_unsandboxed: bool,
        secret: Callable[[], bytes],
        own: Callable[[], bool] = lambda: True,
    ) -> None:
        """``own`` takes the folder of the services if no other process runs executions in it, and says whether it is ours;
        ``secret`` is what grants of data pools are signed with."""
        folder = storage.home / "services"
        self.sandbox = cache(probe)
        self.pools = PoolFolder(folder / "pools", clock=storage.clock, secret=secret)
        self.shelf = Shelf(folder, clock=storage.clock, bells=storage.bells, resources=resources, pools=self.pools)
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
        self._own = own
        self._runs = False
        self._ending = threading.Event()
        self._beginning: threading.Thread | None = None

    def begin(self) -> None:
        """Run executions from now on; returns at once."""
        self._beginning = threading.Thread(target=self._begin, name="services-begin", daemon=True)
        self._beginning.start()

    def _begin(self) -> None:
        while not self._own():
            if self._ending.wait(OWN_SECONDS):
                return
        self.shelf.own()
        self.slots.start()
        self._runs = True

    def end(self, within: timedelta) -> None:
        """Take nothing more, and end what runs after ``within``."""
        self._ending.set()
        if self._beginning is not None:
            self._beginning.join()
        if self._runs:
            self.slots.stop(within)
