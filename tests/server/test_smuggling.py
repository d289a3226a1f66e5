"""Requests that two readers would end at different places: whoever stands before the server must not be made to pass on one for two."""

from __future__ import annotations

import contextlib
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from servers import Server

HIDDEN = b"GET /hello?hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = HIDDEN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
HEAD = b"POST /task HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def length(of: bytes) -> bytes:
    return b"Content-Length: %d\r\n" % len(of)


END = b"0\r\n\r\n"
PAIRS = {
    "a length and chunks": HEAD + length(END + HIDDEN) + CHUNKED + b"\r\n" + END + HIDDEN,
    "chunks and a length": HEAD + CHUNKED + length(END) + b"\r\n" + END + HIDDEN,
    "two lengths": HEAD + length(HIDDEN) + b"Content-Length: 0\r\n\r\n" + HIDDEN,
    "two lengths in one": HEAD + b"Content-Length: 0, %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a length with a sign": HEAD + b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "a length below zero": HEAD + b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "a length that is no decimal number": HEAD + b"Content-Length: 0x0\r\n\r\n" + HIDDEN,
    "a length that overflows": HEAD + b"Content-Length: 18446744073709551616\r\n\r\n" + HIDDEN,
    "a coding twice": HEAD + CHUNKED + CHUNKED + length(HIDDEN) + b"\r\n" + END + HIDDEN,
    "a coding that is not the last": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n" + END + HIDDEN,
    "a coding nobody knows": HEAD + b"Transfer-Encoding: xchunked\r\n" + length(END) + b"\r\n" + END + HIDDEN,
    "a coding with a space before its colon": HEAD
    + b"Transfer-Encoding : chunked\r\n"
    + length(HIDDEN)
    + b"\r\n"
    + END
    + HIDDEN,
    "a coding in a folded line": HEAD
    + b"X: y\r\n Transfer-Encoding: chunked\r\n"
    + length(END)
    + b"\r\n"
    + END
    + HIDDEN,
    "a coding with a tab": HEAD + b"Transfer-Encoding:\tchunked\r\n" + length(END) + b"\r\n" + END + HIDDEN,
    "a coding behind a line feed alone": HEAD
    + b"X: y\nTransfer-Encoding: chunked\r\n"
    + length(END)
    + b"\r\n"
    + END
    + HIDDEN,
    "a size of a chunk that overflows": HEAD + CHUNKED + b"\r\n10000000000000000\r\n" + HIDDEN,
    "a size of a chunk below zero": HEAD + CHUNKED + b"\r\n-1\r\n" + HIDDEN,
    "a chunk longer than its size": HEAD + CHUNKED + b"\r\n1\r\n{}" + END + HIDDEN,
    "a size of a chunk behind 0x": HEAD + CHUNKED + b"\r\n0x0\r\n\r\n" + HIDDEN,
    "a NUL in a header": HEAD + b"X: y\0\r\n" + length(b"") + b"\r\n" + HIDDEN,
    "a header without a name": HEAD + b": y\r\n" + length(HIDDEN) + b"\r\n",
    "a carriage return alone": HEAD + b"X: y\rContent-Length: 0\r\n\r\n" + HIDDEN,
}
"""Each of these has a reading in which `HIDDEN` is a request of its own, and one in which it is not."""


def answers(server: Server, sent: bytes) -> list[bytes]:
    """The status lines of all answers on one connection, on which nothing else is sent, until the server ends it."""
    address = urlsplit(server.url)
    received = b""
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as connection:
        connection.sendall(sent)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                received += piece
    return re.findall(rb"HTTP/1\.1 \d{3}", received)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    """What each is answered, all at once: some wait for what does not come."""
    tried = PAIRS | {"nothing hidden": HIDDEN + LAST}
    server = Server(
        tmp_path_factory.mktemp("smuggling") / "state",
        environment={"QUMULUS_LOG": "off", "QUMULUS_REQUEST_SECONDS": "1"},
    )
    server.start(ready=False)  # no job has to run
    with ThreadPoolExecutor(len(tried)) as threads:
        found = dict(zip(tried, threads.map(lambda sent: answers(server, sent), tried.values()), strict=True))
    server.stop()
    return found


def test_two_requests_that_everybody_reads_alike_have_two_answers(found):
    assert found["nothing hidden"] == [b"HTTP/1.1 200"] * 2


@pytest.mark.parametrize("name", PAIRS)
def test_what_has_two_readings_is_refused_and_nothing_behind_it_is_answered(found, name):
    assert len(found[name]) <= 1
    assert all(line.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")) for line in found[name])
