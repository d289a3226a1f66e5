"""What a client and a cloud say to each other is kept without credentials, sent again and compared, and answered without a cloud."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests

from commands.cli import qumulus
from qumulus.control.exchanges import NoExchanges, RecordedCloud, Replay, read
from qumulus.interception.recording import NEVER_ENDING, clean, without_secrets

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
