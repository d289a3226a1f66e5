"""Requests that want to hurt or to be overheard: a body that grows when it is unpacked, credentials wherever they can stand."""

from __future__ import annotations

import http.client
import urllib.parse
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from asking import TASK, ask
from dispatchers import MiB, wait_for
from servers import Server

pytestmark = pytest.mark.only("sqlite")

OWN, ADMIN, FOREIGN = "own-5f1d0c", "boss-77aa31", "foreign-e09b2d"
GROWN = 80 * MiB


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that logs all that it can, with credentials of its own."""
    environment = {
        "QUMULUS_LOG": "json",
        "QUMULUS_TOKEN": OWN,
        "QUMULUS_ADMIN_TOKEN": ADMIN,
        "QUMULUS_LOG_LEVEL": "debug",
    }
    with Server(tmp_path_factory.mktemp("requests") / "state", environment=environment) as running:
        yield running


def sent(server: Server, method: str, path: str, content: bytes | None = None, **headers: str) -> int:
    """The status of the answer to a request with any body."""
    address = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.request(method, path, content, {name.replace("_", "-"): value for name, value in headers.items()})
        return connection.getresponse().status
    finally:
        connection.close()


def most_memory(server: Server) -> int:
    """The most bytes that the server has had resident until now."""
    return int(Path(f"/proc/{server.pid}/status").read_text().split("VmHWM:")[1].split()[0]) << 10


def test_a_bomb_of_gzip_is_not_unpacked(server, measured):
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    bomb = b"".join(packer.compress(bytes(MiB)) for _ in range(1024)) + packer.flush()
    assert len(bomb) < 2 * MiB
    before = most_memory(server)
    statuses = {
        sent(
            server,
            "POST",
            path,
            bomb,
            Content_Type="application/json",
            Content_Encoding="gzip",
            q_api_token=f"local.{OWN}",
        )
        for path in ("/task", "/jobs")
    }
    grown = most_memory(server) - before
    assert all(400 <= status < 500 for status in statuses)
    assert grown < GROWN
    assert ask(server, "GET", "/hello")[0] == 200
    measured(f"{', '.join(map(str, sorted(statuses)))}, {grown / MiB:+.0f} MiB")


def test_no_credential_stands_in_the_log(server, measured):
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    statuses = []
    for token in (OWN, ADMIN, FOREIGN):
        statuses += [
            sent(server, "GET", "/v1/jobs", Authorization=f"Bearer {token}", Service_CRN="local"),
            sent(server, "GET", "/v1/jobs", Authorization=f"apikey {token}", Service_CRN=f"crn:v1:{token}"),
            sent(server, "GET", f"/v1/jobs?token={token}&apikey={token}"),
            sent(server, "GET", "/jobs", q_api_token=f"local.{token}"),
            sent(server, "GET", "/task", q_api_token=token),
            sent(server, "GET", "/quantum/jobs", X_Auth_Token=token),
            sent(server, "GET", "/emulator/jobs", Authorization=f"Bearer {token}"),
            sent(server, "GET", f"/emulator/nothing?access_token={token}", Authorization=f"Basic {token}"),
            sent(server, "POST", "/identity/token", f"grant_type=x&apikey={token}".encode(), **form),
            sent(server, "POST", "/task", f'{{"code": "{token}", "n_shots": "{token}"'.encode(), q_api_token=token),
        ]
    assert {200, 401} <= set(statuses)
    assert max(statuses) < 500
    last = "0123456789abcdef" * 2
    assert ask(server, "POST", "/task", TASK, X_Request_ID=last, q_api_token=f"local.{OWN}")[0] == 200
    wait_for(lambda: last in server.output())  # whoever logs has come to the last request
    log = server.output()
    assert "/emulator/nothing" in log
    found = [token for token in (OWN, ADMIN, FOREIGN) if token in log]
    assert found == []
    measured(f"{len(found)} found, of {len(statuses)} requests")
