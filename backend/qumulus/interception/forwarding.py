"""Handing requests to a cloud that runs already, for a proxy that stands before it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping

import httpx2

from qumulus.http.front import Receive, Scope, Send, refuse

from .address import ASKED

log = logging.getLogger("qumulus.interception")

CONNECTIONS = 200
CONNECT_SECONDS = 5.0
NO_HOST = "Only what is sent to the hosts of the real clouds is handed on: send it by the proxy."
HOP_BY_HOP = frozenset(
    (b"connection", b"host", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)


class Forward:
    """An ASGI application that is another one, at ``url``; or at several hosts, each of which is asked what it was sent."""

    def __init__(self, url: str | None, hosts: Mapping[str, str] | None = None) -> None:
        """Without an ``url``, only what came by the proxy is handed on, to the host that it names, or to where ``hosts`` say that is."""
        self._url = url
        self._hosts = hosts or {}
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),  # how long an answer takes is the cloud's business
            limits=httpx2.Limits(max_connections=CONNECTIONS),
            trust_env=False,
        )

    def owns(self, _path: str) -> bool:
        """Say that no API is mounted here, as none is known."""
        return False

    def drain(self) -> None:
        """Wait for nothing: what runs, runs elsewhere."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, and the answer back."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        address = self._address(scope)
        if address is None:
            await refuse(send, 421, NO_HOST)
            return
        query = scope["query_string"].decode("ascii")
        request = self._client.build_request(
            scope["method"],
            address + (f"?{query}" if query else ""),
            headers=[header for header in scope["headers"] if header[0] not in HOP_BY_HOP],
            content=_body(receive) if _has_body(scope) else None,
        )
        try:
            answer = await self._client.send(request, stream=True)
        except httpx2.ConnectError:
            where = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}" if self._url is None else self._url
            log.warning("the cloud at %s can't be reached", where, extra={"fields": {"unreachable": where}})
            await refuse(send, 502, f"The cloud at {where} can't be reached: start it, or name another one with --url.")
            return
        try:
            headers = [(name.lower(), value) for name, value in answer.headers.raw]
            forwarded = [header for header in headers if header[0] not in HOP_BY_HOP]
            await send({"type": "http.response.start", "status": answer.status_code, "headers": forwarded})
            async for part in answer.aiter_raw():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await answer.aclose()

    def _address(self, scope: Scope) -> str | None:
        """Return where a request is handed on to; None where it names no host and there is no cloud for such."""
        if self._url is not None:
            return self._url + scope["raw_path"].decode("ascii")
        host, path = scope.get(ASKED, ("", ""))
        return f"{self._hosts.get(host, f'https://{host}')}{path}" if host else None

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._client.aclose()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        yield message.get("body", b"")
        more = message.get("more_body", False)
