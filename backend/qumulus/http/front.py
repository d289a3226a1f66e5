"""The front door: one address for every API.

Each request goes to the API that owns the first segment of its path. Before that, the name it was sent to is checked
(a page of another site must not reach this server by rebinding a name), and around it the request is logged.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qumulus.core.tracing import TRACE, new_trace
from qumulus.openapi.contract.bodies import HELD, LIMIT, Bodies
from qumulus.openapi.contract.rules import ANSWER, RULES, Rule

from .origins import Origins, asks_first
from .printable import printable

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Count = Callable[[str, str, int, float], None]  # name of the mount, method, status, seconds
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("qumulus.request")

GIVEN_TRACE = re.compile(rb"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Mount:
    """An API under a path prefix. ``own`` is cut off before the API sees the path, ``prefix`` without ``own`` is not."""

    prefix: str  # such as "/task" or "/api/v1"
    app: App
    cut: bool = False  # True: the API's document names its paths without the prefix
    name: str = ""  # what its requests are counted under


class Front:
    """The ASGI application that composes the APIs.

    The longest matching prefix wins; what no prefix matches goes to ``fallback``. Unless it is ``exposed``, only requests that
    came to a loopback address are answered: uvicorn, called by hand, may listen where the settings never meant to. ``drain``
    takes no new work and returns when nothing runs any more; it may be called before the lifespan ends, while requests are
    answered.
    """

    def __init__(
        self,
        mounts: Iterable[Mount],
        *,
        fallback: App,
        allowed_hosts: Iterable[str] = (),
        exposed: bool = False,
        lifespan: App,
        body_limit: int | None = None,
        bodies: Bodies | None = None,
        origins: Iterable[str] = (),
        rules: Sequence[Rule] = (),
        drain: Callable[[], None] = lambda: None,
        count: Count = lambda *_: None,
    ) -> None:
        self._by_segment: dict[str, list[Mount]] = {}
        for mount in sorted(mounts, key=lambda mount: -len(mount.prefix)):
            self._by_segment.setdefault(mount.prefix.split("/", 2)[1], []).append(mount)
        self._fallback = Mount("", fallback, name="emulator")
        self._count = count
        self._hosts = LOOPBACK_NAMES | {host.strip().lower() for host in allowed_hosts if host.strip()}
        self._any_host = "*" in self._hosts
        self._exposed = exposed
        self._origins = Origins(origins)
        self._lifespan = lifespan
        self._added: dict[str, Any] = {RULES: rules} if body_limit is None else {RULES: rules, LIMIT: body_limit}
        self._bodies = bodies or Bodies(sys.maxsize)
        self.drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the life of the process."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        TRACE.set(trace_of(scope))
        answer = Logged(scope, send, self._origins.shared(scope))
        mount = self._owner(scope["path"]) or self._fallback
        held = scope[HELD] = self._bodies.begin()
        try:
            if sum(name == b"host" for name, _ in scope["headers"]) > 1:  # RFC 9112, 3.2
                await refuse(answer, 400, SEVERAL_HOSTS)
                return
            if not self._exposed and reached_by_others(scope):
                await refuse(answer, 421, NOT_EXPOSED)
                return
            if not self._known(scope):
                await refuse(answer, 421, UNKNOWN_HOST)
                return
            if asks_first(scope) and self._origins.allows(scope):
                await answer({"type": "http.response.start", "status": 204, "headers": []})
                await answer({"type": "http.response.body", "body": b""})
                return
            scope.update(self._added)
            scope[ANSWER] = answer
            if mount.cut:
                scope["root_path"] = scope.get("root_path", "") + mount.prefix
            await mount.app(scope, receive, answer)
        finally:
            held.end()
            self._count(mount.name, scope["method"], answer.status or 500, answer.end())

    def _known(self, scope: Scope) -> bool:
        if self._any_host:
            return True
        for name, value in scope["headers"]:
            if name == b"host":
                return host_name(value.decode("latin-1")) in self._hosts
        return False

    def _owner(self, path: str) -> Mount | None:
        segment = path.split("/", 2)[1] if path.startswith("/") else ""
        for mount in self._by_segment.get(segment, ()):
            if path == mount.prefix or path.startswith(mount.prefix + "/"):
                return mount
        return None

    def owns(self, path: str) -> bool:
        """Say whether an API is mounted at ``path``."""
        return self._owner(path) is not None


NOT_EXPOSED = (
    "This server is for the machine that it runs on. To let others in, start it with QUMULUS_HOST set to the address that it "
    "listens on, and with credentials of your own: QUMULUS_TOKEN, QUMULUS_PROVIDER_KEY and QUMULUS_ADMIN_TOKEN."
)
SEVERAL_HOSTS = "The request has more than one header Host: send one."
UNKNOWN_HOST = (
    "This server does not answer to that name. Send the request to localhost or 127.0.0.1, "
    "or start the server with the name in QUMULUS_ALLOWED_HOSTS."
)


def reached_by_others(scope: Scope) -> bool:
    """Say whether a request came to an address that others can reach, as far as the server can tell."""
    server = scope.get("server")
    return bool(server) and _is_reachable(server[0])


@lru_cache(64)
def _is_reachable(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # the path of a socket
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return not (mapped or address).is_loopback


def trace_of(scope: Scope) -> str:
    """Return the id of a request: the one that a proxy in front of us has given it, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and GIVEN_TRACE.fullmatch(value):
            return value.decode("ascii").replace("-", "")
    return new_trace()


def host_name(host: str) -> str:
    """Return the name in a Host header, in small letters, without the port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


async def refuse(send: Send, status: int, message: str) -> None:
    """Answer for the server itself, before any API has the request."""
    body = json.dumps({"detail": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Logged:
    """Passes an answer on and logs the request: one line when it comes, one when it is answered.

    The query is left out: it may carry the signature of a presigned address.
    """

    def __init__(self, scope: Scope, send: Send, added: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """``added`` are headers of every answer."""
        self._send = send
        self._headers = added
        self.status: int | None = None
        self._start = time.perf_counter()
        self._enabled = log.isEnabledFor(logging.INFO)
        if self._enabled:
            self._method: str = scope["method"]
            self._path = printable(scope["path"])
            client = scope.get("client")
            self._client = client[0] if client else "-"
            log.info("→ %s %s from %s", self._method, self._path, self._client, extra={"fields": self._fields()})

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._headers:
                message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
        await self._send(message)

    def alter(self, wrap: Callable[[Send], Send]) -> None:
        """Send what follows by another way. See `openapi.contract.rules.Alterable`."""
        self._send = wrap(self._send)

    def end(self) -> float:
        """Log the answer, or that there was none; the seconds it took."""
        seconds = time.perf_counter() - self._start
        if self._enabled:
            self._log_end(seconds * 1000)
        return seconds

    def _log_end(self, milliseconds: float) -> None:
        status = self.status
        mark, level = ("✓", logging.INFO) if status is not None and status < 400 else ("✗", logging.WARNING)
        if status is not None and 400 <= status < 500:
            level = logging.INFO
        log.log(
            level,
            "← %s %s %s %s (%.2fms)",
            mark,
            status if status is not None else "no answer",
            self._method,
            self._path,
            milliseconds,
            extra={"fields": {**self._fields(), "status": status, "milliseconds": round(milliseconds, 2)}},
        )

    def _fields(self) -> Mapping[str, object]:
        return {"method": self._method, "path": self._path, "client": self._client}
