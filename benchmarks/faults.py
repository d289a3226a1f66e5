"""What faults cost: a request where there are none, beside the same request, and with a fault that is for another API."""

from __future__ import annotations

import asyncio
import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qumulus.apis import families
from qumulus.core.faults import FaultKind, FaultRule
from qumulus.emulation.faults import Rules
from qumulus.http.credentials import Credentials
from qumulus.openapi.contract import RULES
from qumulus.openapi.contract.rules import ANSWER, TRANSPORT
from qumulus.serving.app import create_app
from qumulus.settings import Settings
from qumulus.storage import open_storage

from .tables import Row, Table, seconds

REQUESTS, LOOKS, ROUNDS = 300, 200_000, 5
MOST = 0.01  # of a request
BEARER = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJxdW11bHVzIn0.c2lnbmVk"
SCOPE: dict[str, Any] = {
    "type": "http",
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/hello",
    "raw_path": b"/hello",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"localhost")],
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 8080),
}


async def request_seconds(app: Callable[..., Any]) -> float:
    """How long a request takes inside of the server, on average."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: dict[str, Any]) -> None:
        return

    begun = time.perf_counter()
    for _ in range(REQUESTS):
        await app({**SCOPE, "headers": list(SCOPE["headers"])}, receive, send)
    return (time.perf_counter() - begun) / REQUESTS


def added_seconds(rules: Rules) -> float:
    """How long it takes to see that there are none, with what every request is given for the case that there are some."""
    scope: dict[str, Any] = {}

    def looks(what: Callable[[], object]) -> float:
        begun = time.perf_counter()
        for _ in range(LOOKS):
            what()
        return time.perf_counter() - begun

    def look() -> None:
        scope[TRANSPORT] = scope[ANSWER] = None
        if scope.get(RULES, rules):
            raise RuntimeError("there is a fault")

    return min(looks(look) - looks(lambda: None) for _ in range(ROUNDS)) / LOOKS


def led_seconds() -> float:
    """How long it takes to see that the credential of a request, a bearer token of IBM, leads to no namespace."""
    credentials = Credentials(families.credential_headers(), families.logins())
    headers = [*SCOPE["headers"], (b"authorization", b"Bearer " + BEARER), (b"service-crn", b"crn:v1:bluemix:public")]

    def look() -> None:
        for name, value in headers:
            if credentials.namespace(name, value) is not None:
                raise RuntimeError("there is a namespace")

    return min(timeit.repeat(look, number=LOOKS // 10, repeat=ROUNDS)) / (LOOKS // 10)


def tables() -> list[Table]:
    """The table of faults."""
    with tempfile.TemporaryDirectory() as home:
        storage = open_storage(Path(home) / "state")
        try:
            app = create_app(Settings(home=Path(home) / "state", log="off"))
            added = added_seconds(Rules((), storage.faults, storage.clock))
            led = led_seconds()
            without = min(asyncio.run(request_seconds(app)) for _ in range(ROUNDS))
            storage.faults.add(FaultRule(kind=FaultKind.ERROR, api="planqk"))
            time.sleep(0.2)  # until the application has seen it, as another process would
            app_with = create_app(Settings(home=Path(home) / "state", log="off"))
            with_one = min(asyncio.run(request_seconds(app_with)) for _ in range(ROUNDS))
        finally:
            storage.close()
    rows = [
        Row(
            what="no faults: what a request pays for them",
            ours=f"{added * 1e9:,.0f} ns",
            other=f"GET /hello inside of the server {seconds(without)}",
            ratio=f"{100 * added / without:.2f} %",
            least=f"{100 * MOST:g} %",
            met=added < MOST * without,
        ),
        Row(
            what="no namespace: what a request pays to see that its bearer token leads to none",
            ours=f"{led * 1e9:,.0f} ns",
            other=f"GET /hello inside of the server {seconds(without)}",
        ),
        Row(what="a fault for another API: the same request", ours=seconds(with_one), other=seconds(without)),
    ]
    return [Table(title="Faults", rows=rows, note=f"Best of {ROUNDS}; {REQUESTS} requests, {LOOKS:,} looks.")]
