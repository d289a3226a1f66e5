"""The only module that knows every part: composes the cloud, its APIs and their front door.

`uvicorn qumulus.serving.app:app` works as well as `qumulus serve`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import chain
from types import ModuleType
from typing import Any

from qumulus.apis.emulator import app as emulator
from qumulus.apis.ibm.account import app as ibm_account
from qumulus.apis.ibm.runtime import app as ibm_runtime
from qumulus.apis.oqtopus.provider import app as oqtopus_provider
from qumulus.apis.oqtopus.storage import app as oqtopus_storage
from qumulus.apis.oqtopus.user import app as oqtopus_user
from qumulus.apis.planqk.platform import app as planqk_platform
from qumulus.apis.planqk.quantum import app as planqk_quantum
from qumulus.apis.planqk.service import app as planqk_service
from qumulus.apis.planqk.service.at_root import AtRoot
from qumulus.catalogue import SnapshotCatalogue
from qumulus.core.cloud import Cloud
from qumulus.core.services import Services
from qumulus.core.waiting import Waiting
from qumulus.execution import metrics as execution_metrics
from qumulus.http import metrics
from qumulus.http.front import App, Front, Mount, Receive, Scope, Send
from qumulus.http.siblings import Siblings
from qumulus.openapi.contract import ContractError, Rule
from qumulus.openapi.documentation import Added, Served, documentation
from qumulus.settings import Settings
from qumulus.storage import Storage

from .health import Health
from .runners import Runners, StartError, opened, secret


@dataclass(frozen=True, slots=True)
class Api:
    """One API and where it stands: ``module`` has its ``DOCUMENT`` and ``create(cloud)``."""

    name: str  # as in the jobs of the generator
    module: ModuleType
    prefixes: tuple[str, ...]
    cut: bool = False  # True: its document names its paths without the prefix
    options: Callable[[Settings, Storage], Mapping[str, Any]] = (
        lambda _settings, _storage: {}
    )  # what else ``create`` takes
    in_front: tuple[str, ...] = ()  # prefixes that it has as well when it is the front

    def served(self, front: str = "") -> Served:
        """Return what the documentation shows of the API: at the root, where the API is the ``front``."""
        at_root = ("",) if not self.cut or (self.in_front and front == self.name) else ()
        return Served(self.name, self.module.DOCUMENT, (*at_root, *(self.prefixes if self.cut else ())))

    def mounts(self, cloud: Cloud, settings: Settings, storage: Storage) -> Iterable[Mount]:
        """The application under all its prefixes: one, however many they are."""
        app = self.module.create(cloud, **self.options(settings, storage))
        in_front = self.in_front if settings.front == self.name else ()
        return (
            *(Mount(prefix, app, cut=False, name=self.name) for prefix in in_front),
            *(Mount(prefix, app, self.cut, self.name) for prefix in self.prefixes),
        )


OQTOPUS_USER = ("/hello", "/task", "/devices", "/jobs", "/api-token", "/announcements", "/users", "/system")
APIS = (
    Api(
        "user",
        oqtopus_user,
        OQTOPUS_USER,
        options=lambda settings, storage: {
            "secret": secret(storage),
            "token_needed": not settings.loopback,
            "inline": settings.device_info == "inline",
        },
    ),
    Api(
        "provider",
        oqtopus_provider,
        ("/provider",),
        cut=True,
        options=lambda settings, storage: {
            "secret": secret(storage),
            "lease": timedelta(seconds=settings.provider_lease) if settings.provider_lease else None,
        },
        in_front=("/hello", "/jobs", "/devices"),
    ),
    Api("storage", oqtopus_storage, ("/storage",), options=lambda _settings, storage: {"secret": secret(storage)}),
    Api("planqk-platform", planqk_platform, ("/platform",), cut=True),
    Api("planqk-quantum", planqk_quantum, ("/quantum",), cut=True),
    Api(
        "planqk-service",
        planqk_service,
        ("/services", "/token"),
        options=lambda settings, _storage: {"relative_links": settings.services_relative_links},
    ),
    Api("ibm-runtime", ibm_runtime, ("/v1", "/api/v1", "/experimental/api/v1"), cut=True),
    Api("ibm-account", ibm_account, ("/identity", "/v3/resources", "/catalog/api/v1", "/v2/resource_instances")),
)
DOCUMENTATION = ("/docs", "/redoc", "/openapi")


def create_app(settings: Settings | None = None, rules: Sequence[Rule] = ()) -> Front:
    """Compose the application. ``rules`` are asked before every handler; a list may change while the application serves.

    Raises:
        StartError: an API does not keep its contract, the state can't be opened, or others could reach what nothing guards.
    """
    settings = settings or Settings()
    if reason := settings.exposure():
        raise StartError(reason)
    storage = opened(settings)
    try:
        return _compose(settings, storage, rules)
    except ContractError as error:
        storage.close()
        raise StartError(f"The handlers do not keep what the specifications declare:\n{error}") from error


def _compose(settings: Settings, storage: Storage, rules: Sequence[Rule]) -> Front:
    runners = Runners(settings, storage)
    host = runners.host
    cloud = Cloud(
        jobs=storage.jobs,
        queue=storage.queue,
        catalogue=SnapshotCatalogue(show_mocks=settings.show_mocks),
        accounts=storage.accounts,
        sessions=storage.sessions,
        workloads=storage.workloads,
        services=host.registry,
        pools=host.pools,
        device_settings=storage.device_settings,
        state=storage.state,
        settled=Waiting(storage.jobs.settled, storage.events, hold=settings.status_hold),
        clock=storage.clock,
    )
    served = [*(api.served(settings.front) for api in APIS), Served("emulator", emulator.DOCUMENT)]
    pages = documentation(served, partial(documents_of, cloud.services, settings.service_at_root))
    requests = metrics.Requests()
    counted: list[metrics.Collector] = [requests, execution_metrics.Jobs(runners.dispatcher.metrics)]
    not_ready, figures = runners.not_ready, partial(metrics.text, counted)
    starts: list[Callable[[], None]] = [runners.start]
    siblings = Siblings(settings.siblings, not_ready, figures) if settings.siblings else None
    if siblings:
        not_ready, figures = siblings.not_ready, siblings.figures
        starts.append(siblings.listen)
    health = Health(storage.trial.checks, not_ready, runners.no_programs)
    counted.append(metrics.Well(health.well))
    if not siblings or siblings.first:  # what is the same for all is told once
        counted.append(execution_metrics.Pending(storage.jobs.pending))
    own = partial(
        emulator.create,
        cloud,
        served=served,
        checks=health.checks,
        metrics=figures,
    )
    by_front = sorted(APIS, key=lambda api: api.name != settings.front)  # the first of two with one prefix has it
    (otherwise, *families) = _all_or_every_complaint(
        own, *(partial(api.mounts, cloud, settings, storage) for api in by_front)
    )
    mounts = list(chain.from_iterable(families))
    if settings.service_at_root:
        services = next(mount.app for mount in mounts if mount.prefix == "/services")
        otherwise = AtRoot(settings.service_at_root, host.registry, services, otherwise)
    return Front(
        [
            *mounts,
            *(Mount(prefix, pages, name="documentation") for prefix in DOCUMENTATION),
        ],
        fallback=otherwise,
        allowed_hosts=settings.allowed_hosts.split(","),
        exposed=settings.allow_exposed or not settings.loopback,
        lifespan=Lifespan(starts, runners.end),
        drain=runners.drain,
        count=requests.count,
        body_limit=settings.max_body_mib << 20,
        rules=rules,
    )


def documents_of(services: Services, at_root: str | None) -> Sequence[Added]:
    """The services' own documents, each with the address that its service is served at."""

    def content(name: str) -> Mapping[str, Any]:
        return {**services.document(name), "servers": [{"url": "/" if name == at_root else f"/services/{name}"}]}

    return [
        Added(f"services/{each.name}", f"Service: {each.title}", partial(content, each.name), each.name == at_root)
        for each in services.services()
    ]


def _all_or_every_complaint(*parts: Callable[[], Any]) -> list[Any]:
    """Return what all ``parts`` make.

    Raises:
        ContractError: some of them do not keep their contract; the one list has the differences of all.
    """
    made, sentences = [], []
    for make in parts:
        try:
            made.append(make())
        except ContractError as error:
            sentences += error.sentences
    if sentences:
        raise ContractError(sentences)
    return made


class Lifespan:
    """The life of the process: what is started, in this order, before the first request, and how all ends after the last."""

    def __init__(self, starts: Sequence[Callable[[], None]], end: Callable[[], None]) -> None:
        self._starts = starts
        self._end = end

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Speak the lifespan protocol of ASGI."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                for start in self._starts:
                    start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(self._end)
                await send({"type": "lifespan.shutdown.complete"})
                return


def __getattr__(name: str) -> App:
    """Make `app` when somebody asks for the application."""
    if name == "app":
        return create_app()
    raise AttributeError(name)
