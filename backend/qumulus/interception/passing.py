"""Tunnels to hosts that are allowed: bytes in, bytes out, nothing looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

CONNECT_SECONDS = 10.0


class Passed:
    """The hosts that connections are passed through to: names, `*.` before a domain for all below it, `*` for all."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(host.strip().lower() for host in hosts if host.strip())

    def allows(self, host: str) -> bool:
        """Say whether a host (in small letters) is one of those that are let through."""
        parents = host.split(".")
        below = (f"*.{'.'.join(parents[start:])}" for start in range(1, len(parents)))
        return "*" in self._hosts or host in self._hosts or any(name in self._hosts for name in below)


async def connect(client: asyncio.Transport, host: str, port: int, ended: Callable[[], None]) -> None:
    """Connect, say so to the client and join both; ``ended`` is called when the client's end is closed.

    Raises:
        OSError: the host can't be reached.
    """
    near = Pipe(ended)
    near.connection_made(client)
    async with asyncio.timeout(CONNECT_SECONDS):
        _, far = await asyncio.get_running_loop().create_connection(Pipe, host, port)
    near.other, far.other = far.transport, client
    client.set_protocol(near)
    client.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    client.resume_reading()
    far.transport.resume_reading()


class Pipe(asyncio.Protocol):
    """One end of a tunnel: what it receives goes to the other end, which reads no faster than this one writes."""

    other: asyncio.Transport
    transport: asyncio.Transport

    def __init__(self, ended: Callable[[], None] = lambda: None) -> None:
        self._ended = ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait until the other end is connected too."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Hand data on to the other end."""
        self.other.write(data)

    def pause_writing(self) -> None:
        """This end is slow: the other one must wait."""
        self.other.pause_reading()

    def resume_writing(self) -> None:
        """This end has caught up."""
        if not self.other.is_closing():
            self.other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Both ends close together."""
        if hasattr(self, "other"):
            self.other.close()
        self._ended()
