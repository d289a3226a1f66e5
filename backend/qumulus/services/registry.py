"""The deployed services: their files, what they say, and what their executions were sent.

unpacked/<version>/          the files of a version, unpacked when this machine first needs them
environments/<hash>/         the packages of services that ask for some
images/<version>/            the root and the command of a container
mounted/<execution>/          data pools that stand in no folder, as an execution sees them
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from qumulus.core.errors import InvalidRequest, QumulusError, UnknownService
from qumulus.core.events import Events
from qumulus.core.ports import Claim, Clock, Deployed, SealedStore, ServiceStore
from qumulus.core.results import LogLine, Outcome
from qumulus.core.services import NAME, PREFIX, Deployment, Service, ServiceState, service_of

from . import archive, definition, description, images
from .builds import Builds, Key, key_of
from .definition import Definition
from .executables import Executables
from .execution import Executable, Input, Package, Pool
from .folders import remove
from .pool_mounts import PoolMounts
from .pools import DataPools
from .resources import Resources
from .runs import NotRunnable
from .secrets import ExecutionSecrets
from .unpacked import Unpacked, own_pools

# what the vendor's quantum clients look for in the environment
QUANTUM = ("QHUB_QUANTUM_BASE_URL", "PLANQK_QUANTUM_BASE_URL")
TOKENS = ("KQH_SERVICE_EXECUTION_TOKEN", "PLANQK_SERVICE_EXECUTION_TOKEN", "SERVICE_EXECUTION_TOKEN")
LATER = frozenset({"about", "draft"})  # members of deployments that count for a version only where they are there

log = logging.getLogger("qumulus.services")


class ServiceRegistry:
    """`core.services.Services` and `runs.ProgramSource` on a store and a folder that several processes may share."""

    def __init__(
        self,
        folder: Path,
        store: ServiceStore,
        *,
        clock: Clock,
        events: Events,
        resources: Resources,
        pools: DataPools,
        mounts: PoolMounts,
        sealed: SealedStore,
        key: bytes | None = None,
        elsewhere: Callable[[], bool] | None = None,
        public_url: str | None = None,
    ) -> None:
        """``key``: see `ExecutionSecrets`; ``elsewhere`` says whether other machines that run the executions can be reached;
        ``public_url`` is where programs reach the quantum API, where that is not the address that a request came to."""
        self._store = store
        self._executables = Executables(folder)
        self._unpacked = Unpacked(folder / "unpacked", store, self._executables.remove)
        self._mounted = folder / "mounted"
        self._clock = clock
        self._resources = resources
        self._pools = pools
        self._mounts = mounts
        self._secrets = ExecutionSecrets(sealed, key)
        events.settled.subscribe(
            self._secrets.drop
        )  # what is cancelled before it runs has no end that `done` would tell of
        self._definitions: dict[Key, Definition] = {}
        self._builds = Builds(store, events, self._make, clock)
        self._elsewhere = elsewhere
        self._public_url = public_url
        self._runs = False

    def own(self) -> None:
        """This process runs the executions from now on: it goes on with what another one had begun to build."""
        self._runs = True
        self._secrets.sweep()
        remove(self._mounted)
        for deployed in self._store.all():
            if deployed.service.state is ServiceState.BUILDING:
                self._builds.begin(deployed)
        self._executables.tidy({service.name for service in self.services()})
        self._sweep()

    # -- what people ask -----------------------------------------------------------------------------------------------

    def services(self) -> tuple[Service, ...]:
        """Return all services, sorted by name."""
        return tuple(deployed.service for deployed in self._store.all())

    def service(self, name: str) -> Service:
        """Return the service. See `Services.service`."""
        return self._store.get(name).service

    def about(self, name: str) -> Mapping[str, Any]:
        """Return what the family that deployed a service keeps of it. See `Services.about`."""
        return self._store.get(name).deployment.about or {}

    def deploy(self, name: str, files: Mapping[str, bytes], deployment: Deployment) -> Service:
        """Take over the files of a service. See `Services.deploy`."""
        _check_name(name)
        version = _digest(files, deployment)
        place = self._unpacked.unpack(version, files)
        try:
            read = definition.read(place, name, deployment, self._resources)
            description.document(read)
            if read.container and images.engine() is None:
                raise InvalidRequest(images.NO_ENGINE)
        except InvalidRequest:
            if all(deployed.service.version != version for deployed in self._store.all()):
                remove(place)
            raise
        ready = self._executables.ready(read, version)
        service = Service(
            name=name,
            title=read.title,
            description=read.description,
            version=version,
            state=ServiceState.READY if ready else ServiceState.BUILDING,
            reason=read.notice,
            api_version=read.api_version,
            entrypoint=read.entrypoint,
            deployed_at=(now := self._clock.now()),
            built_at=now if ready else None,
        )
        deployed = Deployed(service=service, deployment=deployment)
        self._store.put(deployed, archive.zipped(files))
        self._definitions[key_of(service)] = read
        self._sweep()
        if not read.container:
            self._executables.forget(name)
        if ready:
            self._builds.set_ready(service)
        else:
            self._builds.begin(deployed)
        return service

    def draft(self, name: str, files: Mapping[str, bytes], why: str) -> Service:
        """Take over the first files of a service that has no program yet. See `Services.draft`."""
        _check_name(name)
        deployment = Deployment(draft=why)
        read = definition.draft(files, name, self._resources)
        service = Service(
            name=name,
            title=read.title,
            description=read.description,
            version=_digest(files, deployment),
            state=ServiceState.FAILED,
            reason=why,
            api_version=2,
            entrypoint=definition.ENTRYPOINT,
            deployed_at=(now := self._clock.now()),
            built_at=now,
        )
        self._store.put(Deployed(service=service, deployment=deployment), archive.zipped(files))
        return service

    def offer(self, name: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Service:
        """Offer a service in another way. See `Services.offer`."""
        return self._store.offer(name, change)

    def packed(self, name: str) -> bytes:
        """Return the files of a service, as a zip file. See `Services.packed`."""
        return self._store.package(name, self._store.get(name).service.version)

    def change(self, name: str, change: Callable[[Mapping[str, bytes]], Mapping[str, bytes]]) -> Service:
        """Deploy a service anew with other files. See `Services.change`."""
        deployed = self._store.get(name)
        files = archive.unzipped(self._store.package(name, deployed.service.version))
        changed, why = change(files), deployed.deployment.draft
        if why is None:
            return self.deploy(name, changed, deployed.deployment)
        return (
            self.draft(name, changed, why) if definition.is_draft(changed) else self.deploy(name, changed, Deployment())
        )

    def opened(self, value: bytes) -> Mapping[str, bytes]:
        """Return the files in a zip file. See `Services.opened`."""
        return archive.opened(value)

    def remove(self, name: str) -> None:
        """Remove a service. See `Services.remove`."""
        self._store.remove(name)
        self._executables.forget(name)
        self._sweep()

    def document(self, name: str) -> Mapping[str, Any]:
        """Return the OpenAPI document of a service. See `Services.document`."""
        return description.document(self._definition(self._store.get(name)))

    def brings(self, name: str) -> frozenset[str]:
        """Return the parameters that a service brings a data pool along for. See `Services.brings`."""
        return frozenset(own_pools(self._unpacked.place(self._store.get(name))))

    def check(self, name: str, body: Mapping[str, Any]) -> None:
        """Compare an input with the schemas of a service. See `Services.check`."""
        read = self._definition(self._store.get(name))
        if read.checks_input:
            description.check(description.document(read), body)

    @contextlib.contextmanager
    def keep_secrets(self, job_id: str, secrets: Mapping[str, str], token: str) -> Generator[None]:
        """Keep the secrets of an execution. See `Services.keep_secrets`."""
        self._secrets.keep(job_id, {**secrets, **dict.fromkeys(TOKENS, token)})
        try:
            yield
        except BaseException:  # whatever it is: the execution never was
            self._secrets.forget(job_id)
            raise

    # -- what the slots ask --------------------------------------------------------------------------------------------

    def served(self, device: str) -> bool:
        """Say whether a queue is one of a service that can run here. A service that only lacks its packages has them installed."""
        if not device.startswith(PREFIX):
            return False
        try:
            deployed = self._store.get(service_of(device))
        except UnknownService:
            return False
        state = deployed.service.state
        if state is ServiceState.FAILED:
            return True  # what waits for it ends with the reason
        ready = state is ServiceState.READY
        if ready and self._elsewhere is not None and not self._definition(deployed).container:
            return self._elsewhere()
        if ready and self._builds.is_settled(deployed.service):
            return True
        self._builds.begin(deployed)
        return False

    @contextlib.contextmanager
    def program(self, device: str) -> Generator[Executable]:
        """Give the program as it is now, whose files stay until the last run of this version has ended.

        Raises:
            UnknownService
            NotRunnable: its packages could not be installed.
        """
        deployed = self._deployed(device)
        version = deployed.service.version
        if failed := self._builds.take_failure(deployed.service):
            raise NotRunnable(failed)
        try:
            with self._unpacked.used(version):
                read = self._definition(deployed)
                yield self._executables.executable(read, version, self._unpacked.place(deployed))
        finally:
            self._sweep()

    def _deployed(self, device: str) -> Deployed:
        """Return the service of a queue.

        Raises:
            UnknownService
            NotRunnable: its packages could not be installed, with what the installer said.
        """
        deployed = self._store.get(service_of(device))
        if deployed.service.state is ServiceState.FAILED:
            raise NotRunnable(f"{deployed.service.reason}\nDeploy the service again once that is mended.")
        return deployed

    def package(self, device: str) -> Package | None:
        """Return the program for another machine; containers run here. See `ProgramSource.package`."""
        deployed = self._deployed(device)
        read, service = self._definition(deployed), deployed.service
        if read.container:
            return None
        return Package(
            version=service.version,
            content=partial(self._store.package, service.name, service.version),
            entrypoint=read.entrypoint,
            requirements=read.requirements,
            strict=read.strict,
            resources=read.resources,
        )

    @contextlib.contextmanager
    def given(self, claim: Claim) -> Generator[Input]:
        """Give what an execution was sent. See `ProgramSource.given`."""
        request = claim.program.options
        secrets = self._secrets.get(claim.job_id)
        if set(request.get("secrets", ())) - secrets.keys():
            raise NotRunnable(
                "The secrets that it was sent are kept in memory alone and ended with the server, or went to another one "
                "that shares no QUMULUS_SERVICES_KEY with this: start it again."
            )
        own = own_pools(self._unpacked.place(self._store.get(service_of(claim.device))))
        place = self._mounted / claim.job_id
        with contextlib.ExitStack() as mounts:
            mounts.callback(remove, place)
            brought = {
                parameter: Pool(
                    mounts.enter_context(self._mounts.mount(each["id"], place / parameter, writable=each["writable"])),
                    each["writable"],
                )
                for parameter, each in request.get("pools", {}).items()
            }
            yield Input(
                body=claim.program.payload,
                parts={
                    parameter: self._pools.value(each["pool"], each["file"])
                    for parameter, each in request.get("files", {}).items()
                },
                secrets=secrets,
                pools={**own, **brought},
                environment={
                    "SERVICE_ID": request.get("service_id", ""),
                    **dict.fromkeys(QUANTUM, f"{self._public_url or request['origin']}/quantum"),
                },
            )

    def outcome(self, claim: Claim, outcome: Outcome, rest: Sequence[LogLine]) -> Outcome:
        """Return the outcome of an execution, which is stored as it is."""
        del claim, rest
        return outcome

    def done(self, claim: Claim) -> None:
        """Forget the secrets of an execution."""
        try:
            self._secrets.forget(claim.job_id)
        except QumulusError as error:
            log.warning("The secrets of execution %s, which are sealed, are swept later: %s", claim.job_id, error)

    # -- files ---------------------------------------------------------------------------------------------------------

    def _make(self, deployed: Deployed) -> None:
        """Install the packages of a service, or build its image. See `Executables.make`."""
        service = deployed.service
        self._executables.make(self._definition(deployed), service, self._unpacked.place(deployed))
        if all(each.name != service.name for each in self.services()):  # removed meanwhile
            self._executables.forget(service.name)

    def _sweep(self) -> None:
        if self._runs:
            self._unpacked.sweep()

    def _definition(self, deployed: Deployed) -> Definition:
        service = deployed.service
        key = key_of(service)
        if key not in self._definitions:
            place = self._unpacked.place(deployed)
            if deployed.deployment.draft is None:
                read = definition.read(place, service.name, deployed.deployment, self._resources)
            else:
                read = definition.draft(archive.unzipped(self.packed(service.name)), service.name, self._resources)
            self._definitions[key] = read
        return self._definitions[key]


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise InvalidRequest(f"{name[:80]!r} is no name for a service: use small letters, digits and hyphens.")


def _digest(files: Mapping[str, bytes], deployment: Deployment) -> str:
    """Return the version of a service with these files: a digest."""
    each = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    told = {name: value for name, value in asdict(deployment).items() if name not in LATER or value is not None}
    return hashlib.sha256(json.dumps([each, told], sort_keys=True).encode()).hexdigest()[:20]
