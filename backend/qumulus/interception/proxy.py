"""The proxy's side of a connection: CONNECT, and then TLS for a host that is answered for, or a tunnel to one that is allowed."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, cast

from .authority import Authority
from .passing import Passed, connect
from .sites import HTTPS, Sites

log = logging.getLogger("qumulus.interception")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may ask of the proxy."""

    connections: int = 1024  # of the server, the proxy's among them
    head_bytes: int = 8192  # of a CONNECT and its headers
    head_seconds: float = 10.0
    handshake_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Interception:
    """What all connections of a proxy share."""

    sites: Sites
    authority: Authority
    passed: Passed
    http: Callable[[], asyncio.Protocol]  # speaks HTTP on a connection whose TLS is done
    connections: set[Any]  # of the server, which calls `shutdown` on each when it stops
    limits: Limits
    refuses: Callable[[], bool]  # whether the hosts that are answered for take no connections now


class Refused(Exception):
    """The answer to a CONNECT that is not done: a status and, as its reason, a sentence that clients show."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Proxy(asyncio.Protocol):
    """One connection until it is a tunnel."""

    def __init__(self, shared: Interception) -> None:
        self._shared = shared
        self._head = bytearray()
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Welcome a client, which has a while to say what it wants."""
        self._transport = cast(asyncio.Transport, transport)
        if len(self._shared.connections) >= self._shared.limits.connections:
            self._refuse(Refused(503, "The proxy has too many connections: close some and try again."))
            return
        self._shared.connections.add(self)
        self._deadline = asyncio.get_running_loop().call_later(self._shared.limits.head_seconds, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client is gone."""
        self._leave()
        if self._deadline is not None:
            self._deadline.cancel()
        if self._task is not None:
            self._task.cancel()

    def shutdown(self) -> None:
        """End the connection, because the server stops."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Gather the head; nothing may follow it before the answer."""
        if self._task is not None or self._transport.is_closing():
            return
        self._head += data
        end, most = self._head.find(b"\r\n\r\n"), self._shared.limits.head_bytes
        try:
            if end < 0 and len(self._head) <= most:
                return
            if end < 0 or end > most:
                raise Refused(431, f"The head of a request to the proxy may have {most} bytes.")
            if end + 4 != len(self._head):
                raise Refused(400, "Nothing may follow a CONNECT before it is answered.")
            host, port = target(bytes(self._head[:end]))
            self._answer(host, port)
        except Refused as refused:
            self._refuse(refused)

    def _answer(self, host: str, port: int) -> None:
        if port == HTTPS and self._shared.sites.find(host):
            if self._shared.refuses():
                raise Refused(502, f"{host} refuses connections: this is injected by a fault")
            self._begin(self._speak_tls(host))
        elif self._shared.passed.allows(host):
            self._begin(self._pass(host, port))
        else:
            log.warning("refused to connect to %s:%d", host, port, extra={"fields": {"refused": host}})
            raise Refused(403, f"{host} is none of the hosts that Qumulus stands in for: {self._advice(host)} {host}")

    def _advice(self, host: str) -> str:
        """What helps with a refused host: a token from here is of no use at a cloud's own host."""
        if self._shared.sites.resembles(host):
            return "have it answered here with --intercept"
        return "let it through with --pass"

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._task = asyncio.get_running_loop().create_task(work)

    async def _speak_tls(self, host: str) -> None:
        early = Early()
        context = self._shared.authority.context(host)
        self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            tls = await asyncio.get_running_loop().start_tls(
                self._transport,
                early,
                context,
                server_side=True,
                ssl_handshake_timeout=self._shared.limits.handshake_seconds,
            )
        except OSError as error:
            fields = {"distrusted": host} if distrusts(error) else {}
            log.warning("a client that asked for %s broke off: %s", host, error, extra={"fields": fields})
        else:
            early.hand_over(tls, self._shared.http())
        finally:
            self._leave()

    async def _pass(self, host: str, port: int) -> None:
        try:
            await connect(self._transport, host, port, self._leave)
        except OSError as error:
            self._refuse(Refused(502, f"{host}:{port} can't be reached: {error.strerror or 'no answer'}"))

    def _refuse(self, refused: Refused) -> None:
        body = str(refused).encode() + b"\n"
        self._transport.write(
            f"HTTP/1.1 {refused.status} {refused}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode("ascii", "replace")
            + body
        )
        self._transport.close()

    def _leave(self) -> None:
        self._shared.connections.discard(self)


def distrusts(error: OSError) -> bool:
    """Say whether a client ended the handshake because of the certificate: it says so, where one that is killed says nothing."""
    return isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or "")


class Early(asyncio.Protocol):
    """Keeps what comes between the end of the handshake and the moment when HTTP is spoken."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._lost = False

    def data_received(self, data: bytes) -> None:
        """Keep data until the tunnel is there."""
        self._data += data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client went away at once."""
        self._lost = True

    def hand_over(self, transport: asyncio.Transport | None, http: asyncio.Protocol) -> None:
        """Let another protocol have the connection and what came."""
        if transport is None or self._lost:
            return
        transport.set_protocol(http)
        http.connection_made(transport)
        if self._data:
            http.data_received(bytes(self._data))


def target(head: bytes) -> tuple[str, int]:
    """Host (in small letters) and port of a CONNECT.

    Raises:
        Refused: the request is another one, or none.
    """
    line = head.partition(b"\r\n")[0].decode("latin-1")
    request = re.fullmatch(r"([A-Z]+) (\S+) HTTP/1\.[01]", line)
    if request is None:
        raise Refused(400, "That is no request for a proxy.")
    if request[1] != "CONNECT":
        raise Refused(405, "This proxy knows CONNECT only: it is for https and not for http addresses.")
    named = re.fullmatch(r"([\w.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})", request[2], re.ASCII)
    if named is None:
        raise Refused(400, "A CONNECT has to name a host and a port.")
    return named[1].strip("[]").lower().rstrip("."), int(named[2])
