"""The proxy with real TLS clients, and with clients that misbehave."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
import requests

from dispatchers import wait_for
from interception.proxies import Running, echo, proxy
from qumulus.http.connections import Limits, bounded
from qumulus.serving.server import intercept
from qumulus.settings import Settings
from tools import program

CONNECT_IAM = b"CONNECT iam.cloud.ibm.com:443 HTTP/1.1\r\n\r\n"
IAM = "https://iam.cloud.ibm.com/identity/token"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with proxy(tmp_path_factory.mktemp("proxy"), hosts="cloud.example.org/oqtopus") as running:
        yield running


def fetch(running: Running, url: str, **more: object) -> dict[str, object]:
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": running.url}
        session.verify = str(running.certificate)
        return session.request(more.pop("method", "GET"), url, timeout=60, **more).json()


def raw(running: Running, sent: bytes) -> bytes:
    """All that the proxy answers to some bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        connection.sendall(sent)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
        return answer


def test_requests_reaches_the_application_as_if_it_had_been_sent_to_it(running):
    asked = fetch(running, IAM + "?a=%2F&b=", method="POST", data=b"x" * 300_000)
    assert asked == {
        "method": "POST",
        "path": "/identity/token",
        "query": "a=%2F&b=",
        "scheme": "http",
        "host": running.here,
        "size": 300_000,
    }


def test_paths_of_the_catalog_and_of_services_are_moved(running):
    assert fetch(running, "https://globalcatalog.cloud.ibm.com/api/v1/plan")["path"] == "/catalog/api/v1/plan"
    assert fetch(running, "https://gateway.platform.planqk.de/me/sum/1.0/x%2Fy")["path"] == "/services/sum/x/y"
    assert fetch(running, "https://cloud.example.org/oqtopus/jobs")["path"] == "/jobs"


def test_hosts_of_regions_have_certificates_of_their_own(running):
    for host in ("eu-de.quantum.cloud.ibm.com", "private.us-east.quantum.cloud.ibm.com"):
        assert fetch(running, f"https://{host}/api/v1/backends")["path"] == "/api/v1/backends"


def test_a_connection_is_kept_for_the_next_request(running):
    with requests.Session() as session:
        session.trust_env = False
        session.proxies, session.verify = {"https": running.url}, str(running.certificate)
        for number in range(20):
            answer = session.get(f"https://quantum.cloud.ibm.com/api/v1/jobs/{number}", timeout=60)
            assert answer.json()["path"] == f"/api/v1/jobs/{number}"
        pools = session.get_adapter("https://").proxy_manager[running.url].pools
        assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118  it is no dict


def test_many_clients_at_once_are_all_answered(running):
    answers: list[object] = []
    threads = [threading.Thread(target=lambda: answers.append(fetch(running, IAM)["path"])) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == ["/identity/token"] * 40


def test_urllib_needs_the_environment_only(running):
    code = f"import urllib.request; print(urllib.request.urlopen({IAM!r}).read().decode())"
    environment = {"PATH": os.environ["PATH"]} | running.environment()
    told = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True, timeout=60)
    assert json.loads(told)["path"] == "/identity/token"


def test_curl_needs_the_environment_only(running):
    curl = program("curl")
    environment = {"PATH": os.environ["PATH"]} | running.environment()
    told = subprocess.check_output([curl, "-sS", IAM], env=environment, text=True, timeout=60)
    assert json.loads(told)["path"] == "/identity/token"


def test_node_trusts_it_by_the_environment(running):
    node = program("node", needed_in_ci=True)
    # Node before 24 knows no proxy variables: this does by hand what newer ones do by themselves.
    code = """
        const http = require('http'), tls = require('tls');
        http.request({port: process.env.PROXY_PORT, method: 'CONNECT', path: 'iam.cloud.ibm.com:443'})
          .on('connect', (_, socket) => {
            const secure = tls.connect({socket, servername: 'iam.cloud.ibm.com', ALPNProtocols: ['h2', 'http/1.1']}, () => {
              secure.write('GET /identity/token HTTP/1.1\\r\\nHost: iam.cloud.ibm.com\\r\\nConnection: close\\r\\n\\r\\n');
            });
            secure.on('data', part => process.stdout.write(part));
          }).end();
    """
    environment = {"PATH": os.environ["PATH"], "PROXY_PORT": str(running.port)} | running.environment()
    told = subprocess.check_output([node, "-e", code], env=environment, text=True, timeout=60)
    assert json.loads(told.partition("\n\n")[2])["path"] == "/identity/token"


def test_a_client_that_was_not_told_to_trust_it_is_not_fooled(running):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(IAM, proxies={"https": running.url}, verify=True, timeout=60)
    assert fetch(running, IAM)["path"] == "/identity/token"


def distrusted(caplog: pytest.LogCaptureFixture, seconds: float = 20) -> dict[str, str]:
    """What is logged of the next client that breaks off."""
    deadline = time.monotonic() + seconds
    while not (found := [record for record in caplog.records if "broke off" in record.getMessage()]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found[0].fields


def test_only_a_client_that_says_so_is_told_that_it_distrusts_the_certificate(running, caplog):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(IAM, proxies={"https": running.url}, verify=True, timeout=60)
    assert distrusted(caplog) == {"distrusted": "iam.cloud.ibm.com"}
    caplog.clear()
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as killed:
        killed.sendall(CONNECT_IAM)
        assert b"200" in killed.recv(65536)
        killed.sendall(b"\x16\x03\x01\x02\x00")  # the head of a handshake
        killed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert distrusted(caplog) == {}


def test_another_host_is_refused_with_a_sentence_that_clients_show(running):
    with pytest.raises(requests.exceptions.ProxyError, match=r"let it through with --pass www\.example\.org"):
        fetch(running, "https://www.example.org/")


def test_a_host_that_is_answered_for_may_refuse_connections_as_well(tmp_path):
    said = pytest.raises(requests.exceptions.ProxyError, match=r"502 quantum\.cloud\.ibm\.com refuses connections")
    with proxy(tmp_path, refuses=True) as running, said:
        fetch(running, "https://quantum.cloud.ibm.com/")


def test_a_refused_host_of_one_of_the_clouds_is_to_be_answered_for(running):
    with pytest.raises(requests.exceptions.ProxyError, match=r"answered here with --intercept api\.quantum\.ibm\.com"):
        fetch(running, "https://api.quantum.ibm.com/")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET http://www.example.org/ HTTP/1.1\r\nHost: www.example.org\r\n\r\n", 405),
        (b"CONNECT iam.cloud.ibm.com HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT iam.cloud.ibm.com:443x HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n", 403),
        (b"CONNECT *.quantum.cloud.ibm.com:443 HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT iam.cloud.ibm.com:22 HTTP/1.1\r\n\r\n", 403),
        (b"CONNECT iam.cloud.ibm.com:443 HTTP/1.1\r\n\r\nmore", 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        (b"\0" * 9000, 431),
        (b"CONNECT a.example:443 HTTP/1.1\r\n" + b"X: y\r\n" * 2000 + b"\r\n", 431),
    ],
)
def test_what_is_no_connect_to_a_known_host_gets_its_answer(running, sent, status):
    answer = raw(running, sent)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body.strip() in head.splitlines()[0]


def test_a_request_inside_that_names_another_host_is_misdirected(running):
    answer = requests.get(
        IAM,
        headers={"Host": "www.example.org"},
        proxies={"https": running.url},
        verify=str(running.certificate),
        timeout=60,
    )
    assert answer.status_code == 421


def test_a_client_that_does_not_end_its_request_is_let_go(tmp_path):
    with proxy(tmp_path, head_seconds=0.3) as slow:
        assert raw(slow, b"CONNECT iam.cloud.ibm.com:443 HT") == b""


def test_a_request_inside_that_does_not_end_is_let_go(tmp_path):
    with (
        proxy(tmp_path, http=bounded(Limits(seconds=0.3))) as slow,
        socket.create_connection(("127.0.0.1", slow.port), timeout=60) as connection,
    ):
        connection.sendall(CONNECT_IAM)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        context = ssl.create_default_context(cafile=slow.certificate)
        with context.wrap_socket(connection, server_hostname="iam.cloud.ibm.com") as inside:
            inside.sendall(b"GET / HTT")
            assert inside.recv(65536).startswith(b"HTTP/1.1 408 ")


def test_the_proxy_of_a_server_has_the_limits_of_its_connections(tmp_path):
    http = bounded(Limits())
    settings = Settings(home=tmp_path, intercept_port=0)
    made = intercept(echo, "http://127.0.0.1:1", settings, http)
    assert made is not None
    with made.listener:
        assert made._config.http is http


def test_a_client_that_does_not_shake_hands_is_let_go(tmp_path):
    with proxy(tmp_path, handshake_seconds=0.3) as slow:
        assert raw(slow, CONNECT_IAM) == b"HTTP/1.1 200 Connection established\r\n\r\n"


def test_more_connections_than_the_limit_are_turned_away(tmp_path):
    with proxy(tmp_path, connections=3) as small, contextlib.ExitStack() as waiting:
        for _ in range(3):
            waiting.enter_context(socket.create_connection(("127.0.0.1", small.port)))
        assert raw(small, b"").startswith(b"HTTP/1.1 503 ")
        waiting.close()
        # The proxy may not have seen yet that those are gone.
        wait_for(lambda: not raw(small, b"CONNECT iam.cloud.ibm.com:22 HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503 "))
        assert fetch(small, IAM)["path"] == "/identity/token"


def test_a_host_that_is_let_through_speaks_for_itself(tmp_path):
    """The tunnel through one proxy is to another one, which shakes hands with its own certificate."""
    with proxy(tmp_path / "far") as far, proxy(tmp_path / "near", passed="localhost") as near:
        context = ssl.create_default_context(cafile=str(far.certificate))
        with socket.create_connection(("127.0.0.1", near.port), timeout=60) as connection:
            connection.sendall(f"CONNECT LOCALHOST:{far.port} HTTP/1.1\r\n\r\n".encode())
            assert connection.recv(100) == b"HTTP/1.1 200 Connection established\r\n\r\n"
            connection.sendall(CONNECT_IAM)
            assert connection.recv(100) == b"HTTP/1.1 200 Connection established\r\n\r\n"
            with context.wrap_socket(connection, server_hostname="iam.cloud.ibm.com") as secure:
                body = b"x" * 5_000_000
                secure.sendall(b"POST /x HTTP/1.1\r\nHost: iam.cloud.ibm.com\r\nContent-Length: 5000000\r\n\r\n" + body)
                assert b'"size": 5000000' in secure.recv(65536) + secure.recv(65536)


def test_a_tunnel_ends_when_the_server_stops(tmp_path):
    with proxy(tmp_path / "far") as far, proxy(tmp_path / "near", passed="*") as near:
        connection = socket.create_connection(("127.0.0.1", near.port), timeout=60)
        connection.sendall(f"CONNECT 127.0.0.1:{far.port} HTTP/1.1\r\n\r\n".encode())
        assert connection.recv(100) == b"HTTP/1.1 200 Connection established\r\n\r\n"
        near.server.should_exit = True
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""


def test_a_host_that_can_not_be_reached_is_said_so(tmp_path):
    with proxy(tmp_path, passed="*.invalid") as running:
        answer = raw(running, b"CONNECT nowhere.invalid:443 HTTP/1.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 502 nowhere.invalid:443 can't be reached: ")
