"""A running proxy before an application that tells what it was asked."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from qumulus.apis.families import real_sites
from qumulus.http.connections import Bounded
from qumulus.interception.listening import Interceptor
from qumulus.interception.proxy import Limits
from qumulus.interception.sites import sites


async def echo(scope, receive, send):
    """Answer with what was asked for."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    asked = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "scheme": scope["scheme"],
        "host": headers["host"],
        "size": size,
    }
    body = json.dumps(asked).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Running:
    """Where the proxy is, and what a client needs to trust it."""

    url: str
    certificate: Path
    here: str  # host and port of the application
    server: uvicorn.Server

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def environment(self) -> dict[str, str]:
        """What a client's process needs to go through it."""
        file = str(self.certificate)
        names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        return {"HTTPS_PROXY": self.url, "https_proxy": self.url} | dict.fromkeys(names, file)


@contextmanager
def proxy(
    folder: Path,
    *,
    hosts: str = "",
    passed: str = "",
    refuses: bool = False,
    http: type[Bounded] = Bounded,
    **limits: float,
) -> Iterator[Running]:
    """Serve `echo` and a proxy before it, in a thread."""
    application, listener = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    here = f"127.0.0.1:{application.getsockname()[1]}"
    interceptor = Interceptor(
        echo,
        sites=sites(hosts, real_sites()),
        passed=passed.split(","),
        here=here,
        folder=folder / "ca",
        listener=listener,
        limits=Limits(**limits),
        http=http,
        refuses=lambda: refuses,
    )
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ready = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            await interceptor.listen(self)
            ready.set()

    server = Server(uvicorn.Config(echo, log_config=None, lifespan="off", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([application])))
    thread.start()
    try:
        assert ready.wait(20)
        yield Running(url, interceptor.authority.file, here, server)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
