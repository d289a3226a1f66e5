"""The deployed services of a state folder: their files, what they say, and what their executions were sent.

deployed/<name>/current.json     which version is deployed, and what became of it
deployed/<name>/<version>/       its files
environments/<hash>/             the packages of services that ask for some
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import threading
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from qumulus.core.bells import Bells
from qumulus.core.errors import InvalidRequest, UnknownService
from qumulus.core.ports import Claim, Clock
from qumulus.core.results import LogLine, Outcome
from qumulus.core.services import Deployment, Service, ServiceState, is_device, service_of

from . import archive, definition, description
from .definition import Definition
from .entrusted import Entrusted
from .environments import Environments, NotInstalled
from .execution import Input, Pool, Program
from .folders import remove
from .pools import PoolFolder
from .resources import Resources
from .slots import Gone

CURRENT = "current.json"
POOLS = "datapool"
# what the vendor's quantum clients look for in the environment
QUANTUM = ("QHUB_QUANTUM_BASE_URL", "PLANQK_QUANTUM_BASE_URL")
TOKENS = ("KQH_SERVICE_EXECUTION_TOKEN", "PLANQK_SERVICE_EXECUTION_TOKEN", "SERVICE_EXECUTION_TOKEN")
log = logging.getLogger("qumulus.services")


class Shelf:
    """`core.services.Services` and `slots.Deployed` on a folder that several processes may share."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        bells: Bells,
        resources: Resources,
        pools: PoolFolder,
        key: bytes | None = None,
    ) -> None:
        """``key``: see `Entrusted`."""
        self._folder = folder / "deployed"
        self._environments = Environments(folder / "environments")
        self._clock = clock
        self._bells = bells
        self._resources = resources
        self._pools = pools
        self._entrusted = Entrusted(folder / "entrusted", key)
        self._in_use: Counter[Path] = Counter()
        self._known: dict[Path, Definition] = {}
        self._lock = threading.Lock()
        self._runs = False

    def own(self) -> None:
        """This process runs the executions from now on: it goes on with what another one had begun to build."""
        self._runs = True
        self._entrusted.sweep()
        for service in self.services():
            if service.state is ServiceState.BUILDING:
                told = self._current(service.name)
                self._begin(service, self._definition(service.name), Deployment(**told["deployment"]))
            self._sweep(service.name)

    # -- what people ask -----------------------------------------------------------------------------------------------

    def services(self) -> tuple[Service, ...]:
        """All of them, by name."""
        names = sorted(path.parent.name for path in self._folder.glob(f"*/{CURRENT}"))
        found = []
        for name in names:
            with contextlib.suppress(UnknownService):  # it was removed meanwhile
                found.append(self.service(name))
        return tuple(found)

    def service(self, name: str) -> Service:
        """The service. See `Services.service`."""
        told = dict(self._current(name)["service"])
        state, deployed_at = ServiceState(told.pop("state")), datetime.fromisoformat(told.pop("deployed_at"))
        return Service(**told, state=state, deployed_at=deployed_at)

    def deploy(self, name: str, files: Mapping[str, bytes], deployment: Deployment) -> Service:
        """Take over its files. See `Services.deploy`."""
        if not definition.NAME.fullmatch(name):
            raise InvalidRequest(f"{name[:80]!r} is no name for a service: use small letters, digits and hyphens.")
        version = _digest(files, deployment)
        place = self._folder / name / version
        if not place.is_dir():
            self._unpack(files, place)
        try:
            read = definition.read(place, name, deployment, self._resources)
            description.document(read)
        except InvalidRequest:
            if self._deployed_version(name) != version:
                shutil.rmtree(place, ignore_errors=True)
            raise
        ready = self._environments.ready(read.requirements)
        service = Service(
            name=name,
            title=read.title,
            description=read.description,
            version=version,
            state=ServiceState.READY if ready else ServiceState.BUILDING,
            reason=None,
            api_version=read.api_version,
            entrypoint=read.entrypoint,
            deployed_at=self._clock.now(),
        )
        self._put(service, deployment)
        if ready:
            self._bells.queued.ring("")
        else:
            self._begin(service, read, deployment)
        return service

    def remove(self, name: str) -> None:
        """Forget it. See `Services.remove`."""
        self._current(name)
        (self._folder / name / CURRENT).unlink(missing_ok=True)
        self._sweep(name)

    def document(self, name: str) -> Mapping[str, Any]:
        """Its OpenAPI document. See `Services.document`."""
        return description.document(self._definition(name))

    def brings(self, name: str) -> frozenset[str]:
        """The parameters that it brings a data pool along for. See `Services.brings`."""
        return frozenset(self._own_pools(name))

    def check(self, name: str, body: Mapping[str, Any]) -> None:
        """Compare an input with its schemas. See `Services.check`."""
        read = self._definition(name)
        if read.checks_input:
            description.check(description.document(read), body)

    def entrust(self, job_id: str, secrets: Mapping[str, str], token: str) -> None:
        """Keep the secrets of an execution. See `Services.entrust`."""
        self._entrusted.keep(job_id, {**secrets, **dict.fromkeys(TOKENS, token)})

    # -- what the slots ask --------------------------------------------------------------------------------------------

    def served(self, device: str) -> bool:
        """Whether it is the queue of a service that is ready."""
        try:
            return not is_device(device) and self.service(service_of(device)).state is ServiceState.READY
        except UnknownService:
            return False

    @contextlib.contextmanager
    def program(self, device: str) -> Generator[Program]:
        """The program as it is now; its files stay until the last run of this version has ended."""
        name = service_of(device)
        with self._lock:
            told = self._current(name)
            place = self._folder / name / told["service"]["version"]
            self._in_use[place] += 1
        try:
            read = self._read(place, name, told)
            yield Program(
                folder=place.absolute(),
                entrypoint=read.entrypoint,
                python=self._environments.python(read.requirements),
                prefixes=self._environments.prefixes(read.requirements),
                strict=read.strict,
                resources=read.resources,
            )
        finally:
            with self._lock:
                self._in_use[place] -= 1
            self._sweep(name)

    def given(self, claim: Claim) -> Input:
        """What an execution was sent. See `Deployed.given`."""
        request = claim.program.options
        secrets = self._entrusted.get(claim.job_id)
        if set(request.get("secrets", ())) - secrets.keys():
            raise Gone(
                "The secrets that it was sent are kept in memory alone and ended with the server, or went to another one "
                "that shares no QUMULUS_SERVICES_KEY with this: start it again."
            )
        return Input(
            body=claim.program.payload,
            parts={
                parameter: self._pools.value(each["pool"], each["file"])
                for parameter, each in request.get("files", {}).items()
            },
            secrets=secrets,
            pools={
                **self._own_pools(service_of(claim.program.device)),
                **{
                    parameter: Pool(self._pools.folder(each["id"]), each["writable"])
                    for parameter, each in request.get("pools", {}).items()
                },
            },
            environment={
                "SERVICE_ID": request.get("service_id", ""),
                **dict.fromkeys(QUANTUM, f"{request['origin']}/quantum"),
            },
        )

    def _own_pools(self, name: str) -> Mapping[str, Pool]:
        """The folders `datapool/<parameter>` that a service brings along, as the vendor's local server takes them."""
        place = self._folder / name / self._current(name)["service"]["version"] / POOLS
        return {folder.name: Pool(folder.absolute()) for folder in place.glob("*/") if folder.name.isidentifier()}

    def outcome(self, claim: Claim, outcome: Outcome, rest: Sequence[LogLine]) -> Outcome:
        """An execution's outcome is stored as it is."""
        del claim, rest
        return outcome

    def done(self, claim: Claim) -> None:
        """Forget the secrets of an execution."""
        self._entrusted.forget(claim.job_id)

    # -- files ---------------------------------------------------------------------------------------------------------

    def _current(self, name: str) -> Mapping[str, Any]:
        if not definition.NAME.fullmatch(name):
            raise UnknownService(name)
        try:
            return json.loads((self._folder / name / CURRENT).read_bytes())
        except FileNotFoundError:
            raise UnknownService(name) from None

    def _deployed_version(self, name: str) -> str | None:
        try:
            return self._current(name)["service"]["version"]
        except UnknownService:
            return None

    def _definition(self, name: str) -> Definition:
        told = self._current(name)
        return self._read(self._folder / name / told["service"]["version"], name, told)

    def _read(self, place: Path, name: str, told: Mapping[str, Any]) -> Definition:
        if place not in self._known:
            self._known[place] = definition.read(place, name, Deployment(**told["deployment"]), self._resources)
        return self._known[place]

    def _unpack(self, files: Mapping[str, bytes], place: Path) -> None:
        """All files or none."""
        aside = place.with_name(f".{place.name}-{os.getpid()}-{threading.get_ident()}")
        try:
            aside.mkdir(parents=True)
            archive.unpack(files, aside)
            with contextlib.suppress(FileExistsError):  # another request sent the same
                aside.rename(place)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _put(self, service: Service, deployment: Deployment) -> None:
        told = {
            "service": {**asdict(service), "deployed_at": service.deployed_at.isoformat()},
            "deployment": asdict(deployment),
        }
        path = self._folder / service.name / CURRENT
        aside = path.with_name(f".{CURRENT}-{os.getpid()}-{threading.get_ident()}")
        aside.write_text(json.dumps(told))
        aside.replace(path)
        self._sweep(service.name)

    def _sweep(self, name: str) -> None:
        """Remove the versions that are neither deployed nor running; only who runs executions knows the latter."""
        if not self._runs:
            return
        with self._lock:
            kept = self._deployed_version(name)
            for place in (self._folder / name).glob("[!.]*/"):
                if place.name != kept and not self._in_use[place]:
                    self._known.pop(place, None)
                    remove(place)
            if kept is None:
                with contextlib.suppress(OSError):  # a version of it still runs
                    (self._folder / name).rmdir()

    def _begin(self, service: Service, read: Definition, deployment: Deployment) -> None:
        threading.Thread(target=self._build, args=(service, read, deployment), daemon=True).start()

    def _build(self, service: Service, read: Definition, deployment: Deployment) -> None:
        """Make its environment; in a thread of its own, as it may take minutes."""
        try:
            self._environments.make(read.requirements)
            state, reason = ServiceState.READY, None
        except NotInstalled as error:
            state, reason = ServiceState.FAILED, str(error)
        except OSError as error:
            log.exception("The environment of service %s could not be made.", service.name)
            state, reason = ServiceState.FAILED, f"The environment could not be made: {error.strerror}."
        if self._deployed_version(service.name) == service.version:
            self._put(replace(service, state=state, reason=reason), deployment)
            self._bells.queued.ring("")


def _digest(files: Mapping[str, bytes], deployment: Deployment) -> str:
    """The version that these files are."""
    each = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return hashlib.sha256(json.dumps([each, asdict(deployment)], sort_keys=True).encode()).hexdigest()[:20]
