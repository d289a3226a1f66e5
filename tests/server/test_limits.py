"""What many or slow clients can hold of a server: connections, time and memory."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from asking import TASK, ask
from dispatchers import wait_for
from qumulus.apis import families
from qumulus.apis.emulator import app as emulator
from qumulus.openapi.documentation import Served
from qumulus.serving.app import served
from servers import Server

MOST_CONNECTIONS = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(
        tmp_path_factory.mktemp("limits") / "state",
        environment={
            "QUMULUS_REQUEST_SECONDS": "1",
            "QUMULUS_MAX_ADDRESS_CONNECTIONS": str(MOST_CONNECTIONS),
            "QUMULUS_MAX_BODY_MIB": "2",
            "QUMULUS_MAX_BODIES_MIB": "5",
            "QUMULUS_STATUS_HOLD": "3",
        },
    )
    with made as running:
        yield running


def connected(server: Server) -> socket.socket:
    where = urlsplit(server.url)
    return socket.create_connection((where.hostname, where.port), timeout=60)


def head(path: str, size: int, method: str = "POST") -> bytes:
    lines = (
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {size}",
    )
    return "\r\n".join([*lines, "", ""]).encode()


def status(client: socket.socket) -> int:
    """Of the answer that comes; 0 where the connection ends without one."""
    with contextlib.suppress(ConnectionResetError):
        found = re.match(rb"HTTP/1.1 (\d+)", client.recv(4096))
        return int(found[1]) if found else 0
    return 0


@pytest.mark.parametrize("sent", [b"", b"POST /task HTTP/1.1\r\nHost: loc", head("/task", 1000) + b"{"])
def test_a_request_that_does_not_come_on_is_ended(server: Server, sent: bytes):
    begun = time.monotonic()
    with connected(server) as client:
        client.sendall(sent)
        assert status(client) in ({408} if b"{" in sent else {408, 0})
    assert time.monotonic() - begun > 0.5


@pytest.mark.parametrize("begin", [b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", head("/task", 1000)])
def test_a_request_that_comes_byte_by_byte_is_ended(server: Server, begin: bytes):
    begun = time.monotonic()
    with connected(server) as client, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        client.sendall(begin)
        while time.monotonic() - begun < 60:
            client.sendall(b"a")
            time.sleep(0.1)
    assert time.monotonic() - begun < 60


def test_empty_lines_between_requests_do_not_keep_a_connection(server: Server):
    begun = time.monotonic()
    with connected(server) as client, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        client.sendall(b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while time.monotonic() - begun < 60:
            client.sendall(b"\r\n")
            time.sleep(0.1)
    assert time.monotonic() - begun < 60


def test_a_body_that_comes_on_and_an_answer_that_takes_its_time_are_waited_for(server: Server):
    body = json.dumps(TASK).encode()
    body += b" " * (8000 - len(body))
    with connected(server) as client:
        client.sendall(head("/task", len(body)))
        for at in range(0, len(body), 500):
            client.sendall(body[at : at + 500])
            time.sleep(0.1)
        assert status(client) == 200
    job = ask(server, "POST", "/task", TASK)[1]["task_id"]
    assert ask(server, "GET", f"/task/{job}")[0] == 200


def asked(server: Server) -> int:
    """The status of an answer on a connection of its own."""
    with connected(server) as client:
        client.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return status(client)


def asked_beyond(server: Server) -> int:
    """The status that one connection more than there may be gets."""
    with contextlib.ExitStack() as open_:
        for _ in range(MOST_CONNECTIONS):
            open_.enter_context(connected(server))
        return status(open_.enter_context(connected(server)))


def test_an_address_has_no_more_connections_than_it_may(server: Server):
    # Again, where it took a second to open them all: the first of them is ended by then.
    assert any(asked_beyond(server) == 503 for _ in range(10))
    wait_for(lambda: asked(server) == 200)  # the server may not have seen yet that those are gone


def test_all_bodies_together_take_no_more_memory_than_they_may(server: Server):
    size = 1900 << 10
    with contextlib.ExitStack() as open_:
        clients = [open_.enter_context(connected(server)) for _ in range(4)]
        for client in clients:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(head("/task", size) + b" " * (size - 1))
        assert 503 in [status(client) for client in clients]
    wait_for(lambda: ask(server, "POST", "/task", TASK)[0] == 200)  # what the others held was given back


@pytest.mark.parametrize("value", [b"[0],", b'{"":0},', b'"",', b"0,"])
def test_a_small_body_of_very_many_values_is_refused_before_they_take_memory(server: Server, value: bytes):
    body = b'{"none": [' + value * ((1 << 20) // len(value)) + b"0]}"
    with connected(server) as client:
        client.sendall(head("/task", len(body)) + body)
        assert status(client) == 413
    program = f"{TASK['code']} // {'[' * (1 << 20)}"
    assert ask(server, "POST", "/task", TASK | {"code": program})[0] == 200  # brackets of a program are no values


DOCUMENTS = [*((served(api), api) for api in families.apis()), (Served("emulator", emulator.DOCUMENT), None)]
SECURED = [
    (operation.id, operation.method, (api.prefixes[0] if api and api.cut else "") + operation.route)
    for shown, api in DOCUMENTS
    for operation in shown.document.operations.values()
    if operation.secured and operation.bodies
]


@pytest.mark.parametrize(("name", "method", "path"), SECURED, ids=[each[0] for each in SECURED])
def test_the_body_of_a_caller_who_may_not_ask_is_refused_before_it_is_read(
    server: Server, name: str, method: str, path: str
):
    credentials = b"\r\nAuthorization: Bearer wrong\r\nq-api-token: wrong\r\n\r\n"
    begin = head(re.sub(r"\{.*?\}", "x", path), 1 << 20, method.upper())
    with connected(server) as client:
        client.sendall(begin.replace(b"\r\n\r\n", credentials))
        answered = status(client)
    assert answered in range(400, 500), name
    assert answered != 408
