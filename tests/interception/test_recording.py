"""What a client and a cloud say to each other is kept without credentials, sent again and compared, and answered without a cloud."""

from __future__ import annotations

import gzip
import json
import sys
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests

from commands.cli import qumulus
from qumulus.control.exchanges import NoExchanges, RecordedCloud, Replay, compared, read
from qumulus.interception.recording import NEVER_ENDING, clean, exchange, unpacked, without_secrets

SCRIPT = """
import json, os, time, urllib.request
url = os.environ["OQTOPUS_URL"]
def call(path, body=None):
    headers = {"q-api-token": os.environ["OQTOPUS_API_TOKEN"], "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url + path, data, headers)) as answer:
        return json.loads(answer.read())
code = "OPENQASM 3; qubit[1] q; bit[1] c; x q[0]; c = measure q;"
task = call("/task", {"code": code, "device": "qulacs", "n_shots": 10, "name": "of me@example.org"})["task_id"]
while call(f"/task/{task}/status")["status"] != "COMPLETED":
    time.sleep(0.05)
print(call(f"/task/{task}/result")["counts"])
"""


@pytest.fixture(scope="module")
def recording(live_server, tmp_path_factory) -> Path:
    """A script's exchanges with a running cloud."""
    file = tmp_path_factory.mktemp("recorded") / "exchanges.jsonl"
    done = qumulus("record", "--url", live_server.url, "--to", str(file), "--", sys.executable, "-c", SCRIPT)
    assert (done.returncode, done.stdout) == (0, "{'1': 10}\n"), done.stderr
    return file


def test_a_recording_has_every_exchange_and_no_credential(recording):
    exchanges = read(recording)
    assert [exchanges[0]["method"], exchanges[0]["path"], exchanges[0]["status"]] == ["POST", "/task", 200]
    assert exchanges[-1]["answer"]["json"]["counts"] == {"1": 10}
    text = recording.read_text()
    assert "qumulus-local" not in text
    assert "example.org" not in text
    assert exchanges[0]["headers"]["q-api-token"] == "removed"


def test_a_cloud_that_is_the_same_has_no_differences(recording, live_server):
    done = qumulus("compare", str(recording), "--url", live_server.url)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(" 0 differences.\n")


class Shaped(BaseHTTPRequestHandler):
    """A small cloud of another shape."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.answer(200, {"task_id": 7, "queue": []})

    def do_GET(self) -> None:
        self.answer(501, {})

    def answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def other() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Shaped) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_cloud_of_another_shape_is_told_of_member_by_member(recording, other):
    found = list(Replay(other).differences(read(recording)))
    assert ("POST /task", "task_id is a number, and was a text.") in found
    assert ("POST /task", "the answer has queue, and had none.") in found
    assert found[-1][1] == "the status is 501, and was 200."
    done = qumulus("compare", str(recording), "--url", other)
    assert done.returncode == 1
    assert "POST /task: task_id is a number, and was a text." in done.stdout


def test_a_recording_answers_without_a_cloud(recording):
    first = read(recording)[0]
    with RecordedCloud(recording) as cloud:
        sent = requests.post(f"{cloud.url}/task", json=first["body"]["json"], timeout=10)
        task = sent.json()["task_id"]
        while requests.get(f"{cloud.url}/task/{task}/status", timeout=10).json()["status"] != "COMPLETED":
            pass
        assert requests.get(f"{cloud.url}/task/{task}/result", timeout=10).json()["counts"] == {"1": 10}
        unknown = requests.get(f"{cloud.url}/devices", timeout=10)
        assert (unknown.status_code, unknown.json()["detail"]) == (404, "GET /devices was not recorded.")


def test_what_nobody_is_to_see_is_removed_and_types_stay():
    said = {
        "access_token": "eyJhbGciOi.eyJzdWIi.c2ln",
        "expires_in": 3600,
        "email": "me@example.org",
        "crn": "crn:v1:bluemix:public:quantum-computing:us-east:a/0123abc:service::",
        "devices": [{"name": "ibm_fez"}],
        "note": "ask me@example.org",
    }
    assert without_secrets(said) == {
        "access_token": NEVER_ENDING,
        "expires_in": 3600,
        "email": "removed",
        "crn": "crn:v1:bluemix:public:quantum-computing:us-east:a/removed:service::",
        "devices": [{"name": "ibm_fez"}],
        "note": "ask removed",
    }
    assert clean("grant_type=apikey&apikey=abc123&x=1") == "grant_type=apikey&apikey=removed&x=1"
    assert clean("/file?X-Amz-Signature=12ab&size=3") == "/file?X-Amz-Signature=removed&size=3"


def packed(text: bytes, packing: str) -> bytes:
    return gzip.compress(text) if packing == "gzip" else zlib.compress(text)


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_a_packed_body_is_looked_into(packing):
    secret = packed(b'{"access_token": "abc", "by": "me@example.org", "x": 1}', packing)
    scope = {
        "method": "POST",
        "raw_path": b"/x",
        "query_string": b"",
        "headers": [(b"content-encoding", packing.encode())],
    }
    start = {"status": 200, "headers": [(b"Content-Encoding", packing.encode()), (b"content-length", b"70")]}
    kept = exchange(scope, secret, start, secret)
    expected = {"json": {"access_token": "removed", "by": "removed", "x": 1}}
    assert (kept["body"], kept["answer"]) == (expected, expected)
    assert kept["answer_headers"] == {}


@pytest.mark.parametrize(
    ("content", "packing"), [(b"\x1b\x00secret", b"br"), (b"(\xb5/\xfdsecret", b"zstd"), (b"secret", b"gzip")]
)
def test_a_body_that_can_not_be_looked_into_is_not_kept(content, packing):
    kept = unpacked(content, [(b"content-encoding", packing)])
    assert kept["text"].startswith("removed: ")
    assert "secret" not in str(kept)


class Real(BaseHTTPRequestHandler):
    """A host of a real cloud: it packs what it is asked to, and says by whom it was asked for what."""

    def do_GET(self) -> None:
        wanted = self.headers["accept-encoding"]
        said = {
            "at": self.server.server_port,
            "path": self.path,
            "wants": wanted,
            "secret": self.headers["authorization"],
        }
        content = gzip.compress(json.dumps(said).encode())
        self.send_response(200)
        self.send_header("content-encoding", "gzip")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hosts() -> Iterator[tuple[str, str]]:
    """Two hosts, each somewhere else."""
    with HTTPServer(("127.0.0.1", 0), Real) as first, HTTPServer(("127.0.0.1", 0), Real) as second:
        for each in (first, second):
            threading.Thread(target=each.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{first.server_port}", f"http://127.0.0.1:{second.server_port}"
        first.shutdown()
        second.shutdown()


SEVERAL = """
import json, os, requests
token = {"Authorization": "Bearer " + os.environ["MINE"], "Accept-Encoding": "br, gzip"}
for address in ("https://iam.cloud.ibm.com/identity/x", "https://quantum.cloud.ibm.com/api/v1/jobs?limit=1", "https://globalcatalog.cloud.ibm.com/api/v1/y"):
    said = requests.get(address, headers=token).json()
    print(said["at"], said["path"], said["wants"], said["secret"])
"""


def test_a_cloud_of_several_hosts_is_recorded_at_each_of_them(hosts, tmp_path, monkeypatch):
    monkeypatch.setenv("MINE", "very-secret")
    (iam, others), file = hosts, tmp_path / "exchanges.jsonl"
    named = [f"--at={host}={others}" for host in ("quantum.cloud.ibm.com", "globalcatalog.cloud.ibm.com")]
    at = (f"--at=iam.cloud.ibm.com={iam}", *named)
    done = qumulus("record", *at, "--to", str(file), "--", sys.executable, "-c", SEVERAL)
    port = [each.rpartition(":")[2] for each in hosts]
    assert done.stdout.splitlines() == [
        f"{port[0]} /identity/x gzip, deflate Bearer very-secret",
        f"{port[1]} /api/v1/jobs?limit=1 gzip, deflate Bearer very-secret",
        f"{port[1]} /api/v1/y gzip, deflate Bearer very-secret",
    ], done.stderr
    kept = read(file)
    assert [(each["host"], each["path"]) for each in kept] == [
        ("iam.cloud.ibm.com", "/identity/x"),
        ("quantum.cloud.ibm.com", "/api/v1/jobs?limit=1"),
        ("globalcatalog.cloud.ibm.com", "/catalog/api/v1/y"),
    ]
    assert [each["answer"]["json"]["secret"] for each in kept] == ["removed"] * 3
    assert "very-secret" not in file.read_text()
    with RecordedCloud(file) as cloud:  # under the paths that the real hosts' have here
        assert requests.get(f"{cloud.url}/catalog/api/v1/y", timeout=10).json()["path"] == "/api/v1/y"


def test_a_recording_is_repeated_against_a_new_cloud(recording):
    done = qumulus("compare", str(recording), "--replay")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(" 0 differences.\n")
    refused = qumulus("compare", str(recording), "--seed", "7")
    assert (refused.returncode, "--replay" in refused.stderr) == (2, True)


def test_texts_and_numbers_are_compared_where_they_are_to_be():
    there = {"id": "0123456789abcdef", "shots": 10, "note": "removed", "list": [1, 2], "link": "/jobs/0123456789abcdef"}
    here = {"id": "fedcba9876543210", "shots": 20, "note": "me", "list": [1], "link": "/jobs/fedcba9876543210"}
    assert list(compared(there, here)) == []
    found = list(compared(there, here, {"0123456789abcdef": "fedcba9876543210"}))
    assert found == ["list has 1 entries, and had 2.", "shots is 20, and was 10."]


def test_a_file_that_is_no_recording_is_refused(tmp_path):
    (tmp_path / "other.json").write_text('{"a": 1}\n')
    with pytest.raises(NoExchanges, match="is no recording"):
        read(tmp_path / "other.json")
    done = qumulus("compare", str(tmp_path / "none"), "--url", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "can't be read: No such file or directory." in done.stderr


def test_a_recording_that_can_not_be_kept_is_told_before_the_command_runs(tmp_path):
    done = qumulus("record", "--url", "http://127.0.0.1:1", "--to", str(tmp_path / "no" / "where"), "--", "true")
    assert done.returncode == 126
    assert "No such file or directory" in done.stderr
