"""What a program without a network reaches all the same: the APIs of its own cloud."""

from __future__ import annotations

import os
import socket
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from qumulus.services.relay import Origin, Relay, allowed, inside, origin_in
from services.programs import Programs

PROGRAM = """
import os, socket, urllib.error, urllib.request

def ask(path, data=None):
    base = os.environ["QUMULUS_TEST_URL"].removesuffix("/quantum")
    request = urllib.request.Request(base + path, data, {"Authorization": "Bearer mine"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return [answer.status, answer.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, ""]

def run(port):
    found = {path: ask(path) for path in ("/quantum/jobs?a=1", "/emulator/jobs", "/%65mulator/jobs", "/health", "/")}
    found["sent"] = ask("/quantum/jobs", bytes(200_000))
    try:
        socket.create_connection(("127.0.0.1", port), 2)
        found["other"] = "reached"
    except OSError as error:
        found["other"] = "refused"
    return found
"""


@pytest.fixture
def cloud() -> Iterator[ThreadingHTTPServer]:
    """Something at a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            body = f"{self.command} {self.path} {len(self.rfile.read(size))} {self.headers['Authorization']}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Namespaces", str(self.headers.get_all("X-Qumulus-Namespace")))
            self.send_header("Keys", str(self.headers.get_all("X-Api-Key")))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  called by name

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_program_reaches_the_apis_of_its_cloud_and_no_other_port_of_the_machine(programs: Programs, cloud):
    if not programs.sandbox.private_root:
        pytest.skip("this machine allows no namespaces")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        url = f"http://127.0.0.1:{cloud.server_port}/quantum"
        done = programs.run(PROGRAM, {"port": other.server_port}, network=False, environment={"QUMULUS_TEST_URL": url})
    assert done.outcome.succeeded, done.result
    assert done.result == {
        "/quantum/jobs?a=1": [200, "GET /quantum/jobs?a=1 0 Bearer mine"],
        "/emulator/jobs": [403, ""],
        "/%65mulator/jobs": [403, ""],
        "/health": [403, ""],
        "/": [403, ""],
        "sent": [200, "POST /quantum/jobs 200000 Bearer mine"],
        "other": "refused",
    }


@pytest.mark.parametrize(
    ("path", "is_allowed"),
    [
        ("/quantum/jobs", True),
        ("/services/adder/", True),
        ("/api/v1/jobs", True),
        ("/emulator", False),
        ("/%65mulator/x", False),
        ("/EMULATOR/x", False),
        ("//emulator/x", False),
        ("/quantum/../emulator/x", False),
        ("/quantum/%2e%2e/emulator/x", False),
        ("emulator", False),
        ("/metrics", False),
        ("/metrics%0A", False),
        ("/admin/users", False),
        ("/Admin/users", False),
        ("/%61dmin/users", False),
        ("/provider/jobs", False),
        ("/console", False),
        ("/namespaces/other/quantum/jobs", False),
        ("/namespaces/default/emulator/jobs", False),
        ("/%6eamespaces/other/emulator/jobs", False),
    ],
)
def test_the_control_api_is_refused_however_it_is_written(path, is_allowed):
    assert allowed(path) is is_allowed


@pytest.mark.parametrize(
    ("path", "is_allowed"),
    [
        ("/namespaces/mine/quantum/jobs", True),
        ("/quantum/jobs", True),
        ("/namespaces/mine/emulator/jobs", False),
        ("/namespaces/mine/%65mulator/jobs", False),
        ("/namespaces/mine", False),
        ("/namespaces/mine/namespaces/other/quantum/jobs", False),
        ("/namespaces/mine/../other/quantum/jobs", False),
        ("/namespaces/mine2/quantum/jobs", False),
        ("/namespaces/other/quantum/jobs", False),
    ],
)
def test_a_program_of_a_namespace_reaches_the_apis_of_that_and_of_no_other(path, is_allowed):
    assert allowed(path, "mine") is is_allowed


def test_no_header_of_a_program_leads_to_another_namespace_or_is_the_key_of_an_engine(cloud):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        relay = Relay(Origin("http", "127.0.0.1", cloud.server_port, "mine"))
        theirs = socket.socket(fileno=os.dup(relay.descriptor))
        relay.serve()
        socket.send_fds(theirs, [b"x"], [listening.fileno()])
        request = urllib.request.Request(f"http://127.0.0.1:{listening.getsockname()[1]}/namespaces/mine/quantum/jobs")
        request.add_header("X-Qumulus-Namespace", "other")
        request.add_header("X-Api-Key", "qumulus-provider")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.headers["Namespaces"] == "['mine']"
            assert answer.headers["Keys"] == "None"
        relay.close()
        theirs.close()


def test_a_cloud_at_another_address_is_found_at_the_loopback_of_the_program():
    environment = {"A": "text", "B": "https://cloud.example/quantum", "C": "https://other.example/x"}
    origin = origin_in(environment)
    assert origin == Origin("https", "cloud.example", 443)
    assert inside(environment, origin) == environment | {"B": "http://127.0.0.1:8080/quantum"}
    assert origin_in({"A": "text"}) is None
    ours = origin_in({"B": "http://127.0.0.1:8080/namespaces/mine/quantum"})
    assert ours == Origin("http", "127.0.0.1", 8080, "mine")
