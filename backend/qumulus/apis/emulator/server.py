"""What runs here, whether it is well, what it has done."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from typing import Annotated

from fastapi import Depends, Request

from qumulus import __version__
from qumulus.apis.dependencies import Origin
from qumulus.apis.family import Family
from qumulus.core.health import Check, Finding
from qumulus.core.waits import waits
from qumulus.openapi.contract import Operations, Reply
from qumulus.openapi.documentation import Served

from .callers import Administrator
from .schemas.emulator import Api, Clients, Diagnosis, Health, Information, Links
from .translate import server as translate

SIMULATORS = ("qiskit", "qiskit-aer", "qiskit-ibm-runtime")
LINKS = Links(documentation="/docs", reference="/redoc", health="/health", metrics="/metrics", console="/console")

operation = Operations()


def _served(request: Request) -> Sequence[Served]:
    return request.app.state.served


def _wants_page(request: Request) -> bool:
    """Say whether a browser asks, which names HTML before everything else."""
    return request.headers.get("accept", "").lower().startswith("text/html")


def _checks(request: Request) -> Sequence[Check]:
    waits()  # it writes to the disk, and may have to ask another process
    return request.app.state.checks()


def _findings(request: Request, _caller: Administrator) -> Sequence[Finding]:
    waits()  # it looks at the disk, and starts the sandbox once
    return request.app.state.diagnose()


def _families(request: Request) -> Sequence[Family]:
    return request.app.state.families


def _metrics(request: Request) -> Callable[[], str]:
    return request.app.state.metrics


@operation("getInformation")
def get_information(
    served: Annotated[Sequence[Served], Depends(_served)], wants_page: Annotated[bool, Depends(_wants_page)]
) -> Information | Reply[None]:
    if wants_page:
        return Reply(None, status=303, headers={"Location": LINKS.console})
    return Information(
        name="Qumulus", version=__version__, packages=packages(), apis=list(map(_api, served)), links=LINKS
    )


@operation("getHealth")
async def get_health(checks: Annotated[Sequence[Check], Depends(_checks)]) -> Health | Reply[Health]:
    health = translate.health(checks)
    return health if health.ready else Reply(health, status=503)


@operation("getMetrics")
def get_metrics(metrics: Annotated[Callable[[], str], Depends(_metrics)]) -> str:
    return metrics()


@operation("getDiagnosis")
def get_diagnosis(findings: Annotated[Sequence[Finding], Depends(_findings)], _caller: Administrator) -> Diagnosis:
    return translate.diagnosis(findings)


@operation("listClients")
def list_clients(
    _caller: Administrator, families: Annotated[Sequence[Family], Depends(_families)], origin: Origin
) -> Clients:
    return translate.clients(families, origin)


@cache
def packages() -> dict[str, str]:
    """The versions that results depend on; nothing is imported for it."""
    return {"python": platform.python_version(), **{name: version(name) for name in SIMULATORS}}


def _api(served: Served) -> Api:
    info = served.document.content["info"]
    return Api(
        name=served.name,
        title=info["title"],
        version=info["version"],
        prefixes=list(served.prefixes),
        operations=len(served.document.operations),
        document=f"/openapi/{served.name}.yaml",
    )
