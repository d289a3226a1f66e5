"""Everything that keeps and runs services, in one place for whoever composes the server."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Protocol

from qumulus.core.events import Events
from qumulus.core.kinds import Runners
from qumulus.core.owners import owner_name
from qumulus.core.ports import Clock, Identifiers, JobQueue, PoolStore, SealedStore, ServiceStore
from qumulus.core.services import BESIDE
from qumulus.dispatching.loops import until_done
from qumulus.payloads import SENT_PROGRAM, SERVICE, USER_PROGRAMS

from .device_programs import Family, Packages, SentPrograms
from .dispatcher import UNSAFE, ProgramDispatcher
from .environments import Environments
from .pool_folder import PoolFolder
from .pool_mounts import PoolCopies
from .pools import DataPools
from .registry import ServiceRegistry
from .resources import Resources
from .runs import OtherMachines, ProgramSource
from .sandbox import probe
from .upgrade import take_over

OWN_SECONDS = 0.5  # how often a process looks whether the one that runs the executions of its folder is gone

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
    @property
    def ids(self) -> Identifiers: ...
    def admit(self, account: str, size: int) -> None: ...


def registry_of(
    storage: Stores,
    *,
    resources: Resources,
    secret: Callable[[], bytes],
    key: bytes | None = None,
    elsewhere: OtherMachines | None = None,
    public_url: str | None = None,
) -> tuple[ServiceRegistry, DataPools]:
    """Return the deployed services and the data pools of a storage, with what an older version has left in its folder.

    Data pools stand in the folder, where programs see them as they are, unless processes share a database and no folder.
    """
    folder = storage.home / "services"
    take_over(folder, storage.services, storage.sealed, storage.pools if storage.shared else None)
    in_folder = PoolFolder(folder / "pools")
    store: PoolStore = storage.pools if storage.shared else in_folder
    pools = DataPools(
        store, clock=storage.clock, secret=secret, admit=storage.admit, new_id=partial(storage.ids.new, "pool")
    )
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


def environments_in(home: Path) -> Environments:
    """Return the environments of programs that come with jobs, which the state in ``home`` keeps."""
    return Environments((home / "services" / "environments").absolute())


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
        prepare: bool = False,
        network: bool,
        own_apis: bool = False,
        allow_unsandboxed: bool,
        secret: Callable[[], bytes],
        key: bytes | None = None,
        own: Callable[[], bool] = lambda: True,
        elsewhere: OtherMachines | None = None,
        public_url: str | None = None,
    ) -> None:
        """``family`` is whose programs come with jobs, and ``packages`` what they can import;
        with ``prepare`` it is installed from the start on, and not when the first program comes.

        ``own`` takes the folder of the services if no other process runs executions in it, and says whether it is ours;
        ``secret`` is what grants of data pools are signed with; ``key`` seals secrets on their way between processes;
        ``elsewhere`` are the machines that run the programs of services, if not this one; ``public_url``: see `ServiceRegistry`.
        """
        folder = storage.home / "services"
        self.sandbox = cache(probe)
        self.registry, self.pools = registry_of(
            storage, resources=resources, secret=secret, key=key, elsewhere=elsewhere, public_url=public_url
        )
        programs = SentPrograms(
            family,
            packages=packages,
            environments=environments_in(storage.home),
            resources=resources,
            events=storage.events,
            explain=lambda text: storage.queue.explain(BESIDE, text),
        )
        sources: Runners[ProgramSource] = Runners(
            "The host of user programs", {SERVICE: self.registry, SENT_PROGRAM: programs}
        )
        sources.check(USER_PROGRAMS)
        self.dispatcher = ProgramDispatcher(
            count=slots,
            queue=storage.queue,
            sources=sources,
            events=storage.events,
            clock=storage.clock,
            sandbox=self.sandbox,
            folder=(folder / "runs").absolute(),
            hidden=storage.home.absolute(),
            owner=f"services:{owner_name()}",
            network=network,
            own_apis=own_apis,
            allow_unsandboxed=allow_unsandboxed,
            elsewhere=elsewhere,
        )
        self._prepare = programs.prepare if prepare else None
        self._elsewhere = elsewhere
        self._allow_unsandboxed = allow_unsandboxed
        self._own = own
        self._runs = False
        self._ending = threading.Event()
        self._beginning = threading.Thread(target=self._begin, name="services-begin", daemon=True)

    def begin(self) -> None:
        """Run executions from now on; returns at once."""
        self._beginning.start()

    def _begin(self) -> None:
        until_done(self._begun, self._ending, log, "Programs of users can't be run now")

    def _begun(self) -> bool:
        """Begin if no other process runs the executions of the folder; else wait for a moment."""
        if not self._own():
            self._ending.wait(OWN_SECONDS)
            return False
        self.registry.own()
        self.dispatcher.start()
        self._runs = True
        if self._prepare is not None:
            self._prepare()
        return True

    def refuses(self) -> str | None:
        """Why a program would not be run here, in a sentence; None when it would, or on another machine."""
        if self._elsewhere is not None or self._allow_unsandboxed:
            return None
        try:
            return None if self.sandbox().holds else UNSAFE
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            return f"What keeps a program from other files could not be tried: {error}"

    def end(self, within: timedelta) -> None:
        """Take nothing more, and end what runs after ``within``."""
        self._ending.set()
        if self._beginning.is_alive():  # one that is only being started sees by itself that it is to end
            self._beginning.join()
        if self._runs:
            self.dispatcher.stop(within)
            if self._elsewhere is not None:
                self._elsewhere.stop()
