"""The state, and what runs the jobs in it: for the server, and for `qumulus worker`, which has no HTTP."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from pydantic import SecretStr

from qumulus import cluster
from qumulus.apis import families
from qumulus.apis.family import loaded
from qumulus.core.errors import InvalidRequest, Unavailable
from qumulus.core.keeping import Rules
from qumulus.core.programs import Limits
from qumulus.execution import HERE, Dispatcher
from qumulus.execution.ownership import Ownership
from qumulus.services.device_programs import Packages
from qumulus.services.host import Host, environments_in
from qumulus.services.installing import uv
from qumulus.services.resources import Resources
from qumulus.services.runs import OtherMachines
from qumulus.settings import Settings
from qumulus.storage import StateUnusable, Storage, open_storage

from .start_error import StartError


def opened(settings: Settings, *, accepts: bool = True) -> Storage:
    """Return the state that the settings name. Only who ``accepts`` requests decides on the built-in credentials.

    Raises:
        StartError: it can't be opened.
    """
    if settings.runner != "here" and (reason := cluster.missing()):
        raise StartError(reason)
    naming = families.naming()
    try:
        return open_storage(
            settings.home,
            credentials=credentials(settings) if accepts else None,
            built_in=naming.built_in,
            instances=[naming.called(name) for name in settings.instance_names],
            open_to_all=settings.auth == "open",
            workers=settings.simulation_count,
            url=settings.database,
            seed=settings.seed,
            blobs_url=settings.blobs,
            kept=Rules(settings.keep),
            quota=Rules(settings.quota),
        )
    except (StateUnusable, InvalidRequest, Unavailable) as error:
        raise StartError(str(error)) from error


def credentials(settings: Settings) -> list[tuple[str, str]]:
    """Return the (scheme, secret) pairs that the default account's clients send."""
    let_in = []
    for scheme, credential in families.credentials().items():
        own: SecretStr = getattr(settings, credential.setting)
        more = credential.more if credential.setting in settings.default_credentials else ()
        let_in += [(scheme, secret) for secret in (credential.of(own.get_secret_value()), *more)]
    return let_in


def secret(storage: Storage) -> bytes:
    """Return the secret that addresses and grants are signed with: all processes on one state have the same."""
    return storage.signing_secret()


def packages(settings: Settings) -> Packages:
    """Return what programs that come with jobs can import: what the server's own interpreter has need not be installed."""
    wanted = settings.sse_packages
    if settings.sse_python is None and wanted and all(_here(name) for name in wanted):
        return Packages()
    named = loaded(families.programs()).packages
    return Packages(settings.sse_python, tuple(line for name in wanted for line in named.get(name, (name,))))


def _here(name: str) -> bool:
    try:
        return bool(distribution(name))
    except (PackageNotFoundError, ValueError):  # or it is no plain name
        return False


def prepare(settings: Settings, say: Callable[[str], None]) -> Path:
    """Install what programs that come with jobs can import, if that is not there; return their interpreter.

    Raises:
        NotInstalled
    """
    wanted = packages(settings)
    environments = environments_in(settings.home)
    if wanted.python is None:
        environments.make(wanted.requirements, progress=say)
    return wanted.python or environments.python(wanted.requirements)


def prepares(settings: Settings) -> bool:
    """Say whether that is installed from the start on: pip would keep a processor busy for a minute that nobody has asked for."""
    return settings.sse_prepare == "on" or (settings.sse_prepare == "auto" and uv() is not None)


def runner(settings: Settings) -> Sequence[str]:
    """Return the command of the process that sees to the workers."""
    return HERE if settings.runner == "here" else cluster.command(settings.runner, settings.simulations)


def elsewhere(settings: Settings, storage: Storage) -> OtherMachines | None:
    """Return the machines that run the programs of services; None where that is this one."""
    if settings.runner in ("here", cluster.LOCAL):
        return None
    from qumulus.cluster.services.remote import Cluster

    return Cluster(
        settings.runner,
        network=settings.services_network != "off",
        unsandboxed=settings.allow_unsandboxed,
        now=storage.clock.now,
        on_ready=lambda: storage.events.queued.emit(None),
    )


class Runners:
    """The dispatcher and the host of services of one process, started and ended together."""

    def __init__(
        self, settings: Settings, storage: Storage, *, accepts: bool = True, beside: Runners | None = None
    ) -> None:
        """With ``api_only``, `start` begins nothing where this process ``accepts`` requests: other processes run the jobs.

        ``beside`` are those of another folder in this process, whose fork server is used.
        """
        self.host = Host(
            storage,
            slots=settings.service_slots or os.cpu_count() or 1,
            resources=Resources(seconds=settings.service_seconds, memory_bytes=settings.service_memory_mib << 20),
            family=loaded(families.programs())(storage.jobs, storage.accounts, storage.clock),
            packages=packages(settings),
            prepare=prepares(settings),
            network=settings.services_network == "open",
            own_apis=settings.services_network == "own",
            allow_unsandboxed=settings.allow_unsandboxed,
            own=Ownership(settings.home / "services").acquire,
            key=settings.services_key.get_secret_value().encode() if settings.services_key else None,
            elsewhere=elsewhere(settings, storage),
            public_url=settings.public_url.rstrip("/") if settings.public_url else None,
            secret=lambda: hashlib.sha256(b"grants of data pools" + secret(storage)).digest(),
        )
        self.dispatcher = Dispatcher(
            storage,
            workers=settings.simulation_count,
            limits=Limits(
                seconds=settings.job_seconds,
                memory_bytes=settings.worker_memory_mib << 20,
                approximate=not settings.strict_simulation,
                pub_budget=settings.pub_budget_seconds,
                job_budget=settings.job_budget_seconds,
            ),
            noise=settings.noise,
            service_limits=settings.ibm_limits == "on",
            repeatable=settings.seed is not None,
            command=runner(settings),
            on_taken_over=self.host.begin,
            beside=beside.dispatcher if beside else None,
        )
        storage.usage.pool_sizes = self.host.pools.sizes
        self._storage = storage
        self._elsewhere = settings.api_only and accepts
        self._drain_seconds = settings.drain_seconds
        self._drained = False

    def start(self) -> None:
        """Run jobs, and remove what is not to be kept, from now on; returns at once."""
        self._storage.retention.start()
        if not self._elsewhere:
            self.dispatcher.start()

    def not_ready(self) -> str | None:
        """Why jobs are accepted and not run now, in a sentence; None when they are run, here or elsewhere."""
        if self.dispatcher.draining:
            return "The server is stopping: send what is to run in a few seconds, when it is up again."
        if self._elsewhere or self.dispatcher.ready:
            return None
        if self.dispatcher.failing:
            return "The simulator can't be started: the server's log says why. Jobs are accepted, and run when it can."
        return "The simulator is getting ready: jobs are accepted, and run in a moment."

    def no_programs(self) -> str | None:
        """Why programs of users are not run on this machine, in a sentence; None when they are, or elsewhere."""
        return None if self._elsewhere else self.host.refuses()

    def drain(self) -> None:
        """Take no new work, give what runs its time, and hand the rest back. Requests are answered meanwhile and afterwards."""
        self._drained = True
        services = threading.Thread(target=self.host.end, args=[timedelta(seconds=self._drain_seconds)])
        services.start()
        self.dispatcher.drain(self._drain_seconds)
        services.join()

    def end(self) -> None:
        """End what is left, and close the state."""
        if not self._drained:
            self.drain()
        self.dispatcher.stop()
        self._storage.close()
