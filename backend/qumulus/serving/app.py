"""The only module that knows every part: composes the cloud, its APIs and their front door.

`uvicorn qumulus.serving.app:app` works as well as `qumulus serve`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from qumulus import console
from qumulus.apis import families
from qumulus.apis.emulator import app as emulator
from qumulus.apis.emulator.faults import operations_of
from qumulus.apis.emulator.scenarios import Stage
from qumulus.apis.family import Api, loaded
from qumulus.catalogue import MockedCatalogue
from qumulus.core.cloud import Cloud
from qumulus.core.errors import Unavailable
from qumulus.core.following import Following
from qumulus.core.health import Finding
from qumulus.core.kinds import KindsDiffer
from qumulus.core.ports import Listening
from qumulus.core.ports.listening import Fixed
from qumulus.core.services import FUNCTION, Services
from qumulus.core.waiting import Waiting
from qumulus.emulation.catalogue import FaultyCatalogue
from qumulus.emulation.faults import Rules
from qumulus.execution import metrics as execution_metrics
from qumulus.http import metrics
from qumulus.http.credentials import Credentials
from qumulus.http.front import App, Front, Mount, Receive, Scope, Send
from qumulus.http.namespaces import Namespaces
from qumulus.http.siblings import Siblings
from qumulus.openapi.contract import ContractError, Rule
from qumulus.openapi.contract.bodies import Bodies
from qumulus.openapi.documentation import Added, Served, documentation
from qumulus.settings import Settings
from qumulus.storage import Storage
from qumulus.storage.namespaces import NamespaceFolders

from . import devices, scenarios
from .health import Health
from .refusing import Refusing
from .runners import Runners, opened, secret
from .start_error import StartError

NO_FOLDER = "Namespaces and snapshots need a state that is in a folder as a whole: start the server without --database and --blobs."
NOT_REFUSED = (
    "Connections are refused by a server as a whole: make that fault in the cloud that the server begins with."
)
NOT_WITHIN = "Namespaces and snapshots are made in the cloud that the server begins with: ask that one."
DOCUMENTATION = ("/docs", "/redoc", "/openapi")


def served(api: Api, front: str = "") -> Served:
    """What the documentation shows of an API: at the root, where it is the ``front``."""
    at_root = ("",) if not api.cut or (api.in_front and front == api.name) else ()
    return Served(api.name, loaded(api.module).DOCUMENT, (*at_root, *(api.prefixes if api.cut else ())))


def mounts(api: Api, cloud: Cloud, settings: Settings, storage: Storage) -> Iterable[Mount]:
    """The application of an API under all its prefixes: one, however many they are."""
    app = loaded(api.module).create(cloud, **api.options(settings, partial(secret, storage)))
    in_front = api.in_front if settings.front == api.name else ()
    return (
        *(Mount(prefix, app, cut=False, name=api.name) for prefix in in_front),
        *(Mount(prefix, app, api.cut, api.name) for prefix in api.prefixes),
    )


class Application(Namespaces):
    """The application of a server: its own cloud, its namespaces, and what has it take no connections for a while."""

    refusing: Refusing


def create_app(settings: Settings | None = None, rules: Sequence[Rule] = (), *, served: bool = False) -> Application:
    """Compose the application: the cloud of the settings, and before it what opens its namespaces. ``rules`` are asked before every handler; a list may change while the application serves.
    ``served`` is said by `qumulus serve`, which can refuse connections.

    Raises:
        StartError: an API does not keep its contract, the state can't be opened, or others could reach what nothing guards.
    """
    settings = settings or Settings()
    if reason := settings.exposure():
        raise StartError(reason)
    refused = NO_FOLDER if settings.database is not None or settings.blobs is not None else None
    folders = NamespaceFolders(settings.home, refused)
    storage = opened(settings)
    refusing = Refusing(storage.faults, storage.clock, settings.home, served=served)
    own, runners = _opened(settings, storage, rules, folders, refusing)
    credentials = Credentials(families.credential_headers(), families.logins())
    app = Application(own, folders, partial(_within, settings, rules, runners), credentials)
    app.refusing = refusing
    folders.on_gone = app.close
    return app


def _within(settings: Settings, rules: Sequence[Rule], beside: Runners, folder: Path) -> Front:
    """Compose the cloud of a namespace, which runs one job at a time.

    Raises:
        Unavailable: it can't be.
    """
    own = {
        "home": folder,
        "scenario": None,
        "siblings": None,
        "api_only": False,
        "simulations": 1,
        "service_slots": 1,
        "sse_prepare": "off",
    }
    changed = settings.model_copy(update=own)
    try:
        folders, listening = NamespaceFolders(folder, NOT_WITHIN), Fixed(NOT_REFUSED)
        front, _ = _opened(changed, opened(changed), rules, folders, listening, beside)
    except StartError as error:
        raise Unavailable(f"The namespace can't be opened: {error}") from error
    return front


def _opened(
    settings: Settings,
    storage: Storage,
    rules: Sequence[Rule],
    folders: NamespaceFolders,
    listening: Listening,
    beside: Runners | None = None,
) -> tuple[Front, Runners]:
    try:
        storage.queue.sent_devices = devices.sent(storage)
        runners = Runners(settings, storage, beside=beside)
        return _compose(settings, storage, rules, folders, listening, runners), runners
    except StartError:
        storage.close()
        raise
    except KindsDiffer as error:
        storage.close()
        raise StartError(f"Not all that is accepted would be run:\n{error}") from error
    except ContractError as error:
        storage.close()
        raise StartError(f"The handlers do not keep what the specifications declare:\n{error}") from error


def _compose(
    settings: Settings,
    storage: Storage,
    rules: Sequence[Rule],
    folders: NamespaceFolders,
    listening: Listening,
    runners: Runners,
) -> Front:
    host = runners.host
    catalogue, imports = devices.catalogue(
        settings.fleet, storage.added_devices, storage.clock, show_mocks=settings.show_mocks
    )
    cloud = Cloud(
        jobs=storage.jobs,
        queue=storage.queue,
        catalogue=MockedCatalogue(FaultyCatalogue(catalogue, storage.faults)),
        device_imports=imports,
        accounts=storage.accounts,
        sessions=storage.sessions,
        workloads=storage.workloads,
        services=host.registry,
        applications=storage.applications,
        announcements=storage.announcements,
        pools=host.pools,
        device_settings=storage.device_settings,
        faults=storage.faults,
        state=storage.state,
        following=Following(storage.events),
        settled=Waiting(
            storage.jobs.settled,
            storage.events,
            hold=settings.status_hold,
            ours=lambda device: not storage.device_settings.settings(device).provider,
        ),
        clock=storage.clock,
        keeping=storage.usage,
        seeds=storage.seeds,
        namespaces=folders,
        listening=listening,
    )
    apis = families.apis()
    every = [*(served(api, settings.front) for api in apis), Served("emulator", emulator.DOCUMENT)]
    pages = documentation(every, partial(documents_of, cloud.services, settings.service_at_root), known(settings))
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
        naming=families.naming(),
        credentials=families.credentials(),
        served=every,
        checks=health.checks,
        diagnose=partial(diagnosed, settings),
        families=families.FAMILIES,
        fleet=settings.fleet,
        metrics=figures,
    )
    by_front = sorted(apis, key=lambda api: api.name != settings.front)  # the first of two with one prefix has it
    (otherwise, *mounted) = _all_or_every_complaint(
        own, *(partial(mounts, api, cloud, settings, storage) for api in by_front)
    )
    every_mount = list(chain.from_iterable(mounted))
    for api in apis if settings.service_at_root else ():
        if api.at_root:
            services = next(mount.app for mount in every_mount if mount.name == api.name)
            otherwise = loaded(api.at_root)(settings.service_at_root, host.registry, services, otherwise)
    if settings.scenario and (not siblings or siblings.first):
        scenarios.begin(settings.scenario, Stage(cloud, families.naming(), operations_of(every)))
    return Front(
        [
            *every_mount,
            *(Mount(prefix, pages, name="documentation") for prefix in DOCUMENTATION),
            Mount(console.PREFIX, console.console(), name="console"),
        ],
        fallback=otherwise,
        allowed_hosts=settings.allowed_hosts.split(","),
        exposed=settings.allow_exposed or not settings.loopback,
        origins=settings.allowed_origins.split(","),
        lifespan=Lifespan(starts, runners.end),
        drain=runners.drain,
        count=requests.count,
        body_limit=settings.max_body_mib << 20,
        bodies=Bodies(max(settings.max_bodies_mib, settings.max_body_mib) << 20),
        rules=Rules(rules, storage.faults, storage.clock),
    )


def diagnosed(settings: Settings) -> Sequence[Finding]:
    """Look for what could be wrong; what that needs is imported when somebody asks."""
    from .diagnosis import diagnose

    return diagnose(settings)


def known(settings: Settings) -> Mapping[str, str]:
    """Return the default account's credentials by security scheme, as far as they are the documented ones and nobody else is let in."""
    if not settings.loopback:
        return {}
    return {
        name: credential.of(getattr(settings, credential.setting).get_secret_value())
        for credential in families.credentials().values()
        if credential.setting in settings.default_credentials
        for name in credential.documents
    }


def documents_of(services: Services, at_root: str | None) -> Sequence[Added]:
    """The services' own documents, each with the address that its service is served at."""

    def content(name: str) -> Mapping[str, Any]:
        return {**services.document(name), "servers": [{"url": "/" if name == at_root else f"/services/{name}"}]}

    return [
        Added(f"services/{each.name}", f"Service: {each.title}", partial(content, each.name), each.name == at_root)
        for each in services.services()
        if not each.name.startswith(FUNCTION)
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
