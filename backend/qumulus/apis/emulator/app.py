"""Our own API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fastapi import FastAPI

from qumulus.apis.family import Credential, Family
from qumulus.core.accounts import InstanceNaming
from qumulus.core.cloud import Cloud
from qumulus.core.health import Checks, Diagnose
from qumulus.openapi.contract import Document, Subjects, serve
from qumulus.openapi.documentation import Served

from . import (
    accounts,
    calibrations,
    clock,
    devices,
    drawings,
    events,
    faults,
    jobs,
    namespaces,
    queues,
    scenarios,
    server,
    services,
    sessions,
    snapshots,
    state,
    tokens,
)
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.emulator.schemas")
SUBJECTS = Subjects(jobs=("/emulator/jobs/{jobId}",), devices=("/emulator/devices/{device}",), device=str.lower)


def create(
    cloud: Cloud,
    *,
    naming: InstanceNaming,
    credentials: Mapping[str, Credential],
    served: Sequence[Served] = (),
    checks: Checks = tuple,
    diagnose: Diagnose = tuple,
    families: Sequence[Family] = (),
    fleet: str = "all",
    metrics: Callable[[], str] = str,
) -> FastAPI:
    """The ASGI application.

    Args:
        cloud: what the handlers call.
        naming: how service instances are named.
        credentials: the kinds of credentials that are let in, by scheme.
        served: every API that this server serves, this one among them.
        checks: looks at what the server needs to take and run jobs.
        diagnose: looks for what could be wrong with the machine, the installation and the state.
        families: every family, with what its clients need.
        fleet: which devices there are, as the server was started.
        metrics: gives what `/metrics` shows.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.naming = naming
    app.state.credentials = credentials
    app.state.served = tuple(served)
    app.state.checks = checks
    app.state.diagnose = diagnose
    app.state.families = tuple(families)
    app.state.fleet = fleet
    app.state.medians = {}
    app.state.metrics = metrics
    modules = (
        *(server, accounts, calibrations, clock, devices, events, faults, queues, scenarios),
        *(jobs, drawings, services, sessions, tokens, state, namespaces, snapshots),
    )
    operations = (module.operation for module in modules)
    serve(app, DOCUMENT, *operations, errors=ERRORS, subjects=SUBJECTS)
    return app
