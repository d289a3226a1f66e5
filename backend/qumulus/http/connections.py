"""HTTP as uvicorn speaks it, with limits on what a connection may have beside its body, on how long it takes, and on how many
there are.

The body is counted where it is read. Of the rest uvicorn keeps all that comes, from clients that nobody knows yet, and waits
for it for ever.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from qumulus.openapi.contract.rules import TRANSPORT

from .joined import Joined

MOST_BYTES = 64 << 10  # beyond what the first read has brought: of a head, or of what follows a body
SWEEP_SECONDS = 1.0  # between two looks at who is late


def answer(status: str, sentence: str, *headers: str) -> bytes:
    """An answer of the connection itself, which ends with it."""
    body = sentence.encode()
    lines = [f"HTTP/1.1 {status}", "content-type: text/plain; charset=utf-8", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + body


TOO_LARGE = answer(
    "431 Request Header Fields Too Large",
    "The request line and the headers are too large: send fewer of them, or shorter ones.",
)
TOO_MANY = answer(
    "503 Service Unavailable",
    "Too many connections are open: close some, or use one for several requests, and try again.",
    "retry-after: 5",
)
TOO_LATE = answer("408 Request Timeout", "The request did not come in time: send it again, without pauses.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one process."""

    connections: int = 2000
    of_an_address: int = 1000
    seconds: float = 20.0  # until a head is complete, and in which a body has to come on
    least_rate: int = 1 << 10  # bytes a second of a body


@dataclass(slots=True)
class Connections:
    """Those that are open, and how many each address has."""

    limits: Limits = field(default_factory=Limits)
    open: set[Bounded] = field(default_factory=set)
    by_address: Counter[str] = field(default_factory=Counter)
    sweeping: asyncio.TimerHandle | None = None

    def enter(self, connection: Bounded) -> bool:
        """Count a connection; False where there are too many already."""
        address = connection.address
        if len(self.open) >= self.limits.connections or self.by_address[address] >= self.limits.of_an_address:
            return False
        self.open.add(connection)
        self.by_address[address] += 1
        if self.sweeping is None:
            self.sweeping = connection.loop.call_later(SWEEP_SECONDS, self._sweep, connection.loop)
        return True

    def leave(self, connection: Bounded) -> None:
        """It has ended."""
        if connection in self.open:
            self.open.discard(connection)
            self.by_address[connection.address] -= 1
            if not self.by_address[connection.address]:
                del self.by_address[connection.address]

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self.sweeping = loop.call_later(SWEEP_SECONDS, self._sweep, loop) if self.open else None
        for connection in list(self.open):
            connection.look(loop.time())


class Bounded(HttpToolsProtocol):
    """Ends a connection whose request has no end beside its body, or does not come in time."""

    all = Connections()

    _beside = 0  # bytes that were received since the request began, or since the last piece of its body
    _head_since: float | None = None  # when a request was waited for, or began; None: its head is complete
    _body_since: float | None = (
        None  # when what came of a body was looked at last; None: there is none, or it is complete
    )
    _body_bytes = 0  # of the body since then

    @property
    def address(self) -> str:
        """Where the client is; all that have none, such as those of a local socket, count as one."""
        return self.client[0] if self.client else ""

    def connection_made(self, transport: Any) -> None:
        """A client is there."""
        super().connection_made(cast(Any, Joined(transport, self.loop)))
        self._head_since = self.loop.time()
        if not self.all.enter(self):
            self.logger.warning("A connection from %s was refused: too many are open.", self.address or "-")
            self.transport.write(TOO_MANY)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.all.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what was received."""
        if self.transport.is_closing():
            return
        if self._head_since is None and self._body_since is None:  # even if it is nothing yet, such as an empty line
            self._head_since = self.loop.time()
        self._beside += len(data)
        super().data_received(data)
        if self._beside > MOST_BYTES and not self.transport.is_closing():
            self.logger.warning("A request was refused: it has more than %d bytes beside its body.", MOST_BYTES)
            self._end(TOO_LARGE)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._beside = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._head_since = None
        self._body_since, self._body_bytes = self.loop.time(), 0
        cast(dict[str, Any], self.scope)[TRANSPORT] = self.transport
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of its body has come."""
        self._beside = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._body_since = None
        super().on_message_complete()

    def look(self, now: float) -> None:
        """End the connection if its request is late."""
        limits = self.all.limits
        if self.transport.is_closing():
            return
        if self._head_since is not None and now - self._head_since > limits.seconds:
            self._late("its head")
        elif self._body_since is not None and (passed := now - self._body_since) >= limits.seconds:
            waits_for_us = self.flow.read_paused or self.cycle.waiting_for_100_continue
            if not waits_for_us and self._body_bytes < passed * limits.least_rate:
                self._late("its body")
            self._body_since, self._body_bytes = now, 0

    def _late(self, what: str) -> None:
        self.logger.info("A connection from %s was ended: %s did not come in time.", self.address or "-", what)
        self._end(TOO_LATE)

    def _end(self, told: bytes) -> None:
        cycle = self.cycle
        if cycle is None or cycle.response_complete or (self._body_since is not None and not cycle.response_started):
            self.transport.write(told)
        self.transport.close()


def bounded(limits: Limits) -> type[Bounded]:
    """The protocol with limits of a server's own."""
    return type("Bounded", (Bounded,), {"all": Connections(limits)})
