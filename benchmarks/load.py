"""A load for a server: requests over kept connections, as cheap as Python can send them."""

from __future__ import annotations

import asyncio
import statistics
import time
import urllib.parse
from collections.abc import Mapping, Sequence


def request(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a request."""
    named = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{named}{length}\r\n".encode() + body


class Connection:
    """One kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, url: str) -> Connection:
        """Connect."""
        address = urllib.parse.urlsplit(url)
        return cls(*await asyncio.open_connection(address.hostname, address.port))

    async def ask(self, data: bytes) -> tuple[int, bytes]:
        """Send a request, and wait for the whole answer: its status and its body."""
        self._writer.write(data)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        """End it."""
        self._writer.close()


async def rate(url: str, data: bytes, *, connections: int, seconds: float) -> float:
    """Answered requests a second.

    Raises:
        RuntimeError: an answer was no 2xx.
    """
    opened = [await Connection.to(url) for _ in range(connections)]
    begun = time.perf_counter()
    count = 0

    async def one(connection: Connection) -> None:
        nonlocal count
        while time.perf_counter() - begun < seconds:
            status, body = await connection.ask(data)
            if status >= 300:
                raise RuntimeError(f"the server answered {status}: {body[:200]!r}")
            count += 1

    await asyncio.gather(*(one(connection) for connection in opened))
    spent = time.perf_counter() - begun
    for connection in opened:
        connection.close()
    return count / spent


async def times(url: str, requests: Sequence[bytes]) -> list[float]:
    """Seconds of each request, one after the other on one connection."""
    connection = await Connection.to(url)
    spent = []
    for data in requests:
        begun = time.perf_counter()
        await connection.ask(data)
        spent.append(time.perf_counter() - begun)
    connection.close()
    return spent


def p99(seconds: Sequence[float]) -> float:
    """What 99 of 100 stay below."""
    return statistics.quantiles(seconds, n=100)[98]
