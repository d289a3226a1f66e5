"""Pages of other origins that call this server from a browser."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from apis.oqtopus.cloud import USER
from servers import Server

ORIGIN = "http://localhost:5173"
ASKED = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "q-api-token,content-type",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    environment = {"QUMULUS_ALLOWED_ORIGINS": f"https://frontend.example,{ORIGIN}"}
    with (
        Server(tmp_path_factory.mktemp("origins") / "state", environment=environment) as server,
        httpx2.Client(base_url=server.url, timeout=30) as client,
    ):
        yield client


def test_a_browser_is_told_what_an_allowed_page_may_send(client: httpx2.Client):
    answer = client.options("/jobs", headers=ASKED)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-headers"] == "q-api-token,content-type"
    assert "POST" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("headers", [USER, {}])
def test_an_allowed_page_may_read_every_answer_also_errors(client: httpx2.Client, headers: dict[str, str]):
    answer = client.get("/devices/Lima", headers={**headers, "origin": ORIGIN})
    assert answer.status_code == (200 if headers else 401)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers


def test_another_page_is_not_named(client: httpx2.Client):
    other = {"origin": "http://localhost:5174"}
    assert client.options("/jobs", headers=ASKED | other).status_code == 405
    answer = client.get("/devices/Lima", headers=USER | other)
    assert "access-control-allow-origin" not in answer.headers


def test_a_program_that_is_no_page_sees_no_difference(client: httpx2.Client):
    assert client.options("/jobs").status_code == 405
    assert "access-control-allow-origin" not in client.get("/devices/Lima", headers=USER).headers
