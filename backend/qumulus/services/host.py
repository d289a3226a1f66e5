"""Everything that keeps and runs services, in one place for whoever composes the server."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

from qumulus.core.events import Events
from qumulus.core.ports import Claim, Clock, JobQueue, PoolStore, SealedStore, ServiceStore
from qumulus.core.results import LogLine, Outcome
from qumulus.core.services import BESIDE

from .device_programs import Family, Packages, Programs
from .environments import Environments
from .execution import Input, Package, Program
from .pool_folder import PoolFolder
from .pool_mounts import PoolCopies
from .pools import DataPools
from .registry import ServiceRegistry
from .resources import Resources
from .sandbox import probe
from .slots import Deployed, Elsewhere, Slots
from .upgrade import take_over

OWN_SECONDS = 0.5  # how often a process looks whether the one that runs the executions of its folder is gone
AGAIN_SECONDS = 2.0  # after an error

log = logging.getLogger("qumulus.services")


class Stores(Protocol):
    """What services need of a storage."""

    @property
    def home(self) -> Path: ...
    @property
    def shared(self) -> bool: ...
    @property
    def services(self) -> ServiceStore: ...
    @property
    def sealed(self) -> SealedStore: ...
    @property
    def pools(self) -> PoolStore: ...
    @property
    def queue(self) -> JobQueue: ...
    @property
    def events(self) -> Events: ...
    @property
    def clock(self) -> Clock: ...


class AllQueues:
    """`slots.Deployed` for the queues of services and for those beside devices."""

    def __init__(self, services: Deployed, programs: Deployed) -> None:
        self._services = services
        self._programs = programs

    def _of(self, device: str) -> Deployed:
        return self._programs if device.startswith(BESIDE) else self._services

    def served(self, device: str) -> bool:
        """See `Deployed.served`."""
        return self._of(device).served(device)

    def program(self, device: str) -> AbstractContextManager[Program]:
        """See `Deployed.program`."""
        return self._of(device).program(device)

    def package(self, device: str) -> Package | None:
        """See `Deployed.package`."""
        return self._of(device).package(device)

    def given(self, claim: Claim) -> AbstractContextManager[Input]:
        """See `Deployed.given`."""
        return self._of(claim.program.device).given(claim)

    def outcome(self, claim: Claim, outcome: Outcome, rest: Sequence[LogLine]) -> Outcome:
        """See `Deployed.outcome`."""
        return self._of(claim.program.device).outcome(claim, outcome, rest)

    def done(self, claim: Claim) -> None:
        """See `Deployed.done`."""
        self._of(claim.program.device).done(claim)


def registry_of(
    storage: Stores,
    *,
    resources: Resources,
    secret: Callable[[], bytes],
    key: bytes | None = None,
    elsewhere: Elsewhere | None = None,
    public_url: str | None = None,
) -> tuple[ServiceRegistry, DataPools]:
    """The deployed services and the data pools of a storage, with what an older version has left in its folder.

    Data pools stand in the folder, where programs see them as they are, unless processes share a database and no folder.
    """
    folder = storage.home / "services"
    take_over(folder, storage.services, storage.sealed, storage.pools if storage.shared else None)
    in_folder = PoolFolder(folder / "pools")
    store: PoolStore = storage.pools if storage.shared else in_folder
    pools = DataPools(store, clock=storage.clock, secret=secret)
    registry = ServiceRegistry(
        folder,
        storage.services,
        clock=storage.clock,
        events=storage.events,
        resources=resources,
        pools=pools,
        mounts=PoolCopies(store) if storage.shared else in_folder,
        sealed=storage.sealed,
        key=key,
        elsewhere=elsewhere.ready if elsewhere else None,
        public_url=public_url,
    )
    return registry, pools


class Host:
    """The services of a state folder. `begin` is called in the processes that run jobs, `end` in every one."""

    def __init__(
        self,
        storage: Stores,
        *,
        slots: int,
        resources: Resources,
        family: Family,
        packages: Packages,
        network: bool,
        allow_unsandboxed: bool,
        secret: Callable[[], bytes],
        key: bytes | None = None,
        own: Callable[[], bool] = lambda: True,
        elsewhere: Elsewhere | None = None,
        public_url: str | None = None,
    ) -> None:
        """``family`` is whose programs come with jobs, and ``packages`` what they can import.

        ``own`` takes the folder of the services if no other process runs executions in it, and says whether it is ours;
        ``secret`` is what grants of data pools are signed with; ``key`` seals secrets on their way between processes;
        ``elsewhere`` are the machines that run the programs of services, if not this one; ``public_url``: see `ServiceRegistry`.
        """
        folder = storage.home / "services"
        self.sandbox = cache(probe)
        self.registry, self.pools = registry_of(
            storage, resources=resources, secret=secret, key=key, elsewhere=elsewhere, public_url=public_url
        )
        programs = Programs(
            family,
            packages=packages,
            environments=Environments((folder / "environments").absolute()),
            resources=resources,
            events=storage.events,
        )
        self.slots = Slots(
            count=slots,
            queue=storage.queue,
            deployed=AllQueues(self.registry, programs),
            events=storage.events,
            clock=storage.clock,
            sandbox=self.sandbox,
            folder=(folder / "runs").absolute(),
            hidden=storage.home.absolute(),
            owner=f"services:{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            network=network,
            allow_unsandboxed=allow_unsandboxed,
            elsewhere=elsewhere,
        )
        self._elsewhere = elsewhere
        self._own = own
        self._runs = False
        self._ending = threading.Event()
        self._beginning = threading.Thread(target=self._begin, name="services-begin", daemon=True)

    def begin(self) -> None:
        """Run executions from now on; returns at once."""
        self._beginning.start()

    def _begin(self) -> None:
        while not self._ending.is_set():
            try:
                if self._own():
                    self.registry.own()
                    self.slots.start()
                    self._runs = True
                    return
            except Exception as error:  # whatever it is, such as a full disk or no process more: later it may be over
                log.error("Programs of users can't be run now, trying again in %g s: %s", AGAIN_SECONDS, error)
                log.debug("Where that was.", exc_info=error)
                self._ending.wait(AGAIN_SECONDS)
            else:
                self._ending.wait(OWN_SECONDS)

    def end(self, within: timedelta) -> None:
        """Take nothing more, and end what runs after ``within``."""
        self._ending.set()
        if self._beginning.is_alive():  # one that is only being started sees by itself that it is to end
            self._beginning.join()
        if self._runs:
            self.slots.stop(within)
            if self._elsewhere is not None:
                self._elsewhere.stop()
