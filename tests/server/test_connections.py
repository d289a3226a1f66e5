"""What a request may have beside its body."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from uvicorn.server import ServerState

from qumulus.http.connections import MOST_BYTES, Bounded
from servers import Server

PIECE = 16 << 10
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, _name: str) -> None:
        return None

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def taken(begin: bytes, piece: bytes, times: int) -> Transport:
    """What becomes of a connection that sends this."""

    async def app(_scope: Any, receive: Callable[[], Any], _send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def talk() -> Transport:
        protocol = Bounded(uvicorn.Config(app, log_config=None, lifespan="off"), ServerState(), {})
        transport: Any = Transport()
        protocol.connection_made(transport)
        protocol.data_received(begin)
        for _ in range(times):
            if not transport.closed:
                protocol.data_received(piece)
                await asyncio.sleep(0)
        protocol.connection_lost(ConnectionResetError())
        return transport

    return asyncio.run(talk())


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"GET /", b"a" * PIECE),
        (HEAD + b"X-Long: ", b"a" * PIECE),
        (HEAD, b"X: y\r\n" * (PIECE // 6)),
    ],
)
def test_a_head_without_an_end_is_refused(begin: bytes, piece: bytes):
    refused = taken(begin, piece, 2 * MOST_BYTES // PIECE)
    assert refused.closed
    assert refused.written.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("begin", "piece"),
    [(CHUNKED + b"1\r\na\r\n0\r\n", b"X: y\r\n" * (PIECE // 6)), (CHUNKED + b"1;", b"a" * PIECE)],
)
def test_what_has_no_end_beside_a_body_ends_the_connection(begin: bytes, piece: bytes):
    assert taken(begin, piece, 2 * MOST_BYTES // PIECE).closed


def test_a_large_body_and_a_head_as_large_as_it_may_be_are_taken():
    body = taken(HEAD + b"Content-Length: 1000000000\r\n\r\n", b"a" * PIECE, 100)
    chunks = taken(CHUNKED, b"1\r\na\r\n" * (PIECE // 6), 100)
    head = taken(HEAD, b"X: y\r\n" * (PIECE // 6), MOST_BYTES // PIECE)
    assert not any((body.closed, chunks.closed, head.closed, body.written, chunks.written, head.written))


def test_a_server_ends_a_connection_that_sends_headers_without_an_end(tmp_path):
    def send(client: socket.socket) -> None:
        client.sendall(HEAD)
        for _ in range(1000):
            client.sendall(b"X: y\r\n" * (PIECE // 6))

    with Server(tmp_path / "state") as server:
        where = urlsplit(server.url)
        ended = pytest.raises((ConnectionResetError, BrokenPipeError))
        with socket.create_connection((where.hostname, where.port)) as client, ended:
            send(client)
