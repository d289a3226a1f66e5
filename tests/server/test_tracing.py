"""One id from a request to the last word on the run of its job."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from asking import TASK, ask
from dispatchers import wait_for
from servers import Server

ADMIN = "Bearer qumulus-admin"
LONG = {
    "code": "OPENQASM 3; qubit[26] q; bit[26] c; "
    + "".join(f"ry(0.{k + 1}) q[{k}]; " for k in range(26))
    + "".join(f"cnot q[{k}], q[{(k + 7) % 26}]; rx(0.3) q[{k}]; " for _ in range(40) for k in range(26))
    + "c = measure q;",
    "device": "qulacs",
    "n_shots": 10,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("traces") / "state", environment={"QUMULUS_LOG": "json"})
    with made as running:
        yield running


def lines(server: Server) -> list[dict]:
    whole = server.output().rpartition("\n")[0]  # the last one may be on its way
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]


def events(server: Server, trace: str) -> list[str]:
    return [line["event"] for line in lines(server) if line.get("trace") == trace]


def test_the_lines_of_a_request_its_job_and_its_run_share_the_id_that_the_job_tells(server):
    given = "0123456789abcdef" * 2
    status, answer = ask(server, "POST", "/task", TASK, X_Request_ID=given)
    assert status == 200
    wait_for(lambda: len(events(server, given)) == 4, 60)
    asked, *rest = events(server, given)
    (answered,) = (event for event in rest if event.startswith("← "))
    begins, ended = (event for event in rest if event != answered)  # a short job may end before its request is answered
    assert asked.startswith("→ POST /task from")
    assert answered.startswith("← ✓ 200 POST /task")
    assert begins.startswith(f"Job {answer['task_id']} begins: attempt 1, in process ")
    assert ended == f"Job {answer['task_id']} succeeded."
    _, job = ask(server, "GET", f"/emulator/jobs/{answer['task_id']}", Authorization=ADMIN)
    assert job["trace"] == given


def test_an_id_that_is_none_is_not_taken_and_each_request_has_its_own(server):
    for given in ("x", "'; drop", "0" * 31):
        ask(server, "GET", "/health", X_Request_ID=given)
    traces = [line["trace"] for line in lines(server) if line["event"].startswith("→ GET /health")]
    assert len(set(traces)) == len(traces) >= 3
    assert all(len(trace) == 32 for trace in traces)


def test_the_last_word_on_a_worker_that_was_killed_has_the_id(server):
    given = "fedcba9876543210" * 2
    _, answer = ask(server, "POST", "/task", LONG, X_Request_ID=given)
    wait_for(lambda: any("begins" in event for event in events(server, given)), 60)
    (begins,) = (event for event in events(server, given) if "begins" in event)
    os.kill(int(begins.rpartition(" ")[2].rstrip(".")), signal.SIGKILL)
    wait_for(lambda: any("is handed back" in event for event in events(server, given)), 30)
    assert any(event.startswith(f"The worker of job {answer['task_id']} ") for event in events(server, given))
    ask(server, "POST", f"/emulator/jobs/{answer['task_id']}/cancel", Authorization=ADMIN)


def test_an_error_of_ibm_tells_the_id_of_its_request(server):
    _, answer = ask(server, "GET", "/api/v1/backends", Authorization="Bearer nonsense")
    assert any(line.get("trace") == answer["trace"].replace("-", "") for line in lines(server))


def test_each_administrative_act_has_a_line_and_looking_has_none(server):
    before = len([line for line in lines(server) if "by the administrator" in line["event"]])
    ask(server, "GET", "/emulator/accounts", Authorization=ADMIN)
    ask(server, "POST", "/emulator/accounts", {"id": "audited"}, Authorization=ADMIN)
    ask(server, "POST", "/emulator/accounts", {"id": "not let in"}, Authorization="Bearer nonsense")
    acts = [line for line in lines(server) if "by the administrator" in line["event"]][before:]
    (act,) = acts
    assert (act["event"], act["path"]) == (
        "POST /emulator/accounts by the administrator from 127.0.0.1",
        "/emulator/accounts",
    )
    assert "qumulus-admin" not in json.dumps(act)
    assert act["token"]
