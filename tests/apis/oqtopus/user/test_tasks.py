"""The task API on a live server."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from qumulus.core.devices import DeviceKind

TOKEN = {"q-api-token": "local.qumulus-local"}
PROGRAM = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
EXAMPLE = {
    "code": PROGRAM,
    "name": "Bell State Sampling",
    "device": "Kawasaki",
    "n_nodes": 12,
    "n_shots": 1000,
    "skip_transpilation": False,
    "seed_transpilation": 873,
    "seed_simulation": 39058567,
    "n_per_node": 2,
    "simulation_opt": {"optimization_method": "light", "optimization_blockSize": 1, "optimization_swapLevel": 1},
    "note": "Bell State Sampling Example",
}
SLOW = "OPENQASM 3; qubit[1] q; bit[1] c; " + "h q[0]; " * 30_000 + "c = measure q;"


@pytest.fixture(scope="module")
def client(live_server):
    with httpx2.Client(base_url=live_server.url, timeout=20) as client:
        yield client


def post(client: httpx2.Client, headers: dict[str, str] | None = None, **members: Any) -> str:
    answer = client.post(
        "/task", json={"code": PROGRAM, "device": "Kawasaki", "n_shots": 100, **members}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["task_id"]


def ended(client: httpx2.Client, task_id: str, seconds: float = 60) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = client.get(f"/task/{task_id}/status").json()["status"]
        if status in ("COMPLETED", "FAILED", "CANCELLED"):
            return client.get(f"/task/{task_id}/result").json()
    raise AssertionError(f"the task is still {status}")


def test_hello(client: httpx2.Client):
    assert client.get("/hello").json() == {"message": "Hello World!!"}
    assert client.get("/hello/Mike").json() == {"message": "Hello Mike!!"}


def test_the_documents_example_gives_bell_counts_with_the_devices_noise(client: httpx2.Client):
    answer = client.post("/task", json=EXAMPLE)
    assert answer.status_code == 200
    assert set(answer.json()) == {"task_id"}
    result = ended(client, answer.json()["task_id"])
    assert result["status"] == "COMPLETED"
    assert sum(result["counts"].values()) == 1000
    assert result["counts"]["00"] + result["counts"]["11"] > 800
    assert result["counts"]["01"] + result["counts"]["10"] > 0
    assert result["ignored"] == ["n_nodes", "n_per_node", "simulation_opt"]
    assert result["metadata"]["seed"] == 39058567
    assert set(result["qubit_allocation"]) == {"0", "1"}
    assert "measure" in result["transpiled_code"]
    assert result["created_at"] <= result["started_at"] <= result["ended_at"]
    assert result["execution_time"] > 0


def test_what_was_sent_comes_back(client: httpx2.Client):
    task_id = client.post("/task", json=EXAMPLE).json()["task_id"]
    task = client.get(f"/task/{task_id}").json()
    assert {name: task[name] for name in EXAMPLE} == EXAMPLE
    assert task["task_id"] == task_id


def test_a_task_on_the_simulator_ignores_what_is_for_devices(client: httpx2.Client):
    task_id = post(client, device="qulacs", qubit_allocation={"0": 1}, ro_error_mitigation="least_square")
    result = ended(client, task_id)
    assert result["ignored"] == ["qubit_allocation", "ro_error_mitigation"]
    assert set(result["counts"]) <= {"00", "11"}


def test_a_program_that_cannot_be_read_fails_with_its_position(client: httpx2.Client):
    result = ended(client, post(client, code="OPENQASM 3; qubit[2] q;\nhh q[0];"))
    assert result["status"] == "FAILED"
    assert result["reason"] == "Line 2, column 1: gate 'hh' is not defined."
    assert "counts" not in result


def test_a_cancelled_task_ends_and_can_be_forgotten(client: httpx2.Client):
    task_id = post(client, code=SLOW, n_shots=1)
    assert client.post(f"/task/{task_id}/cancel").json()["status"] in ("CANCELLED", "CANCELLING")
    assert ended(client, task_id)["status"] == "CANCELLED"
    again = client.post(f"/task/{task_id}/cancel")
    assert again.status_code == 409
    assert "cancelled" in again.json()["detail"]
    assert client.delete(f"/task/{task_id}").json() == {"message": "task deleted"}
    assert client.get(f"/task/{task_id}").status_code == 404


def test_lists_are_filtered_and_pages_never_overlap(client: httpx2.Client):
    mark = str(uuid4())
    posted = [post(client, name=f"{mark} {number}", device="qulacs") for number in range(5)]
    pages = [client.get("/task", params={"q": mark, "limit": 2, "offset": offset}).json() for offset in (0, 2, 4)]
    assert [page["total"] for page in pages] == [5, 5, 5]
    assert [task["task_id"] for page in pages for task in page["tasks"]] == posted[::-1]
    oldest_first = client.get("/task", params={"q": mark, "order": "ASC"}).json()["tasks"]
    assert [task["task_id"] for task in oldest_first] == posted
    assert client.get("/task", params={"q": mark, "device": "Kawasaki"}).json()["total"] == 0
    assert client.get("/task", params={"q": mark, "device": "QULACS"}).json()["total"] == 5
    for task_id in posted:
        ended(client, task_id)
    assert client.get("/task", params={"q": mark, "status": "COMPLETED"}).json()["total"] == 5


def test_a_known_token_is_let_in_and_any_other_is_not(client: httpx2.Client):
    task_id = post(client, headers=TOKEN)
    assert client.get(f"/task/{task_id}", headers=TOKEN).status_code == 200
    refused = client.get(f"/task/{task_id}", headers={"q-api-token": "some.thing"})
    assert refused.status_code == 401
    assert "thing" not in refused.json()["detail"]


@pytest.mark.parametrize("path", ["", "/status", "/result"])
def test_an_unknown_task_is_not_found_and_a_malformed_id_refused(client: httpx2.Client, path: str):
    unknown = client.get(f"/task/{uuid4()}{path}")
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "task not found with given id"})
    malformed = client.get(f"/task/seven{path}")
    assert (malformed.status_code, malformed.json()) == (400, {"detail": "invalid task_id"})


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"n_qubits": 2, "n_nodes": 2}, "n_qubits and n_nodes exclude each other"),
        (
            {"seed_transpilation": 1, "skip_transpilation": True},
            "seed_transpilation and skip_transpilation: true exclude",
        ),
        ({"n_shots": 0}, "n_shots"),
        ({"n_shots": 10_000_001}, "n_shots"),
        ({"n_shots": "1000"}, "n_shots"),
        ({"n_qubits": None}, "n_qubits"),
        ({"n_per_node": 0}, "n_per_node"),
        ({"ro_error_mitigation": "some"}, "ro_error_mitigation"),
        ({"skip_transpilation": 1}, "skip_transpilation"),
        ({"qubit_allocation": {"0": "1"}}, "qubit_allocation"),
        ({"name": "a\x00b"}, "NUL"),
        ({"name": "a" * 257}, "name"),
        ({"code": 1}, "code"),
    ],
)
def test_a_body_that_is_not_as_declared_is_refused(client: httpx2.Client, members: dict[str, Any], said: str):
    answer = client.post("/task", json={"code": PROGRAM, "device": "Kawasaki", "n_shots": 100, **members})
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["detail"]


def test_one_of_two_that_exclude_each_other_is_fine(client: httpx2.Client):
    post(client, n_qubits=2)
    post(client, n_nodes=2)
    post(client, seed_transpilation=2, skip_transpilation=False)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"code": "\xff"}',
        b'{"a":' * 5000,
        b'{"code": "\\ud800", "device": "Kawasaki", "n_shots": 1}',
    ],
)
def test_a_body_that_is_no_json_object_is_refused(client: httpx2.Client, body: bytes):
    answer = client.post("/task", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].endswith(".")


def test_an_unknown_device_is_not_found(client: httpx2.Client):
    answer = client.post("/task", json={"code": PROGRAM, "device": "Osaka2", "n_shots": 1})
    assert answer.status_code == 404
    assert "'Osaka2'" in answer.json()["detail"]


def test_an_unknown_path_and_method_answer_in_this_apis_form(client: httpx2.Client):
    assert set(client.get(f"/task/{uuid4()}/nothing").json()) == {"detail"}
    wrong = client.put("/task")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, POST")


def test_every_kind_of_device_has_its_idle_parameters():
    from qumulus.apis.oqtopus.user.translate.tasks import IDLE_ON

    assert set(IDLE_ON) == set(DeviceKind)
