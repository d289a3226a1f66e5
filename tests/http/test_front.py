"""The front door: which API gets a request, which names the server answers to, what the log says."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from qumulus.http.front import Front, Mount, host_name, refuse


def api(name: str):
    async def app(scope, receive, send):
        body = json.dumps({"api": name, "root_path": scope.get("root_path", ""), "path": scope["path"]}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


async def nothing(scope, receive, send):
    await refuse(send, 404, "nothing")


FRONT = Front(
    [
        Mount("/v1", api("ibm"), cut=True),
        Mount("/api/v1", api("ibm"), cut=True),
        Mount("/api-token", api("user")),
        Mount("/api/v1/special", api("special")),
    ],
    fallback=nothing,
    allowed_hosts=["cloud.example"],
    lifespan=nothing,
)


def get(path: str, host: str | None = "localhost:8080", server: str | None = None):
    sent = []

    async def send(message):
        sent.append(message)

    headers = [] if host is None else [(b"host", each.encode()) for each in host.split("|")]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "client": ("127.0.0.1", 1)}
    if server:
        scope["server"] = (server, 8080)
    asyncio.run(FRONT(scope, nothing, send))
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.mark.parametrize(
    ("path", "name", "root_path"),
    [
        ("/v1", "ibm", "/v1"),
        ("/v1/backends", "ibm", "/v1"),
        ("/api/v1/backends", "ibm", "/api/v1"),
        ("/api/v1/special", "special", ""),
        ("/api-token/status", "user", ""),
    ],
)
def test_the_longest_prefix_gets_the_request(path, name, root_path):
    status, body = get(path)
    assert (status, body["api"], body["root_path"], body["path"]) == (200, name, root_path, path)


@pytest.mark.parametrize("path", ["/", "/v1x", "/api", "/api/v2", "", "//v1"])
def test_what_no_prefix_matches_goes_to_the_fallback(path):
    assert get(path)[0] == 404


@pytest.mark.parametrize("hosts", ["localhost|evil.example", "localhost|localhost", "evil.example|localhost"])
def test_two_host_headers_are_refused_whatever_they_say(hosts):
    status, body = get("/v1", hosts)
    assert (status, body["detail"]) == (400, "The request has more than one header Host: send one.")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST", "cloud.example:80"])
def test_a_loopback_or_configured_name_is_answered(host):
    assert get("/v1", host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", None, "[::2]", "localhost.evil.example:80"]
)
def test_any_other_name_is_refused_with_the_setting_to_use(host):
    status, body = get("/v1", host)
    assert status == 421
    assert "QUMULUS_ALLOWED_HOSTS" in body["detail"]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "/run/qumulus.sock"])
def test_what_came_to_a_loopback_address_is_answered(address):
    assert get("/v1", server=address)[0] == 200


@pytest.mark.parametrize("address", ["192.168.1.5", "fe80::1", "::ffff:10.0.0.1", "8.8.8.8"])
def test_what_came_to_an_address_of_others_is_refused_with_the_settings_to_use(address):
    status, body = get("/v1", server=address)  # whatever name it was sent to: that is easily said
    assert status == 421
    assert "QUMULUS_HOST" in body["detail"]


def test_a_host_name_is_read_without_its_port():
    assert [host_name(host) for host in ("A.b:1", "[::1]:80", "x")] == ["a.b", "[::1]", "x"]


def test_the_log_has_a_line_for_the_request_and_one_for_the_answer(caplog):
    with caplog.at_level(logging.INFO, "qumulus.request"):
        get("/v1/backends")
    asked, answered = (record.getMessage() for record in caplog.records)
    assert asked == "→ GET /v1/backends from 127.0.0.1"
    assert answered.startswith("← ✓ 200 GET /v1/backends (")
    assert answered.endswith("ms)")


def test_a_path_cannot_write_a_line_of_its_own_into_the_log(caplog):
    with caplog.at_level(logging.INFO, "qumulus.request"):
        get("/v1/a\n← ✓ 200 GET /forged")
    assert all("\n" not in record.getMessage() for record in caplog.records)
