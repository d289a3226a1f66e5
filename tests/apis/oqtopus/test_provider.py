"""The Provider API on a live server, driven as an engine drives it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from apis.oqtopus import cloud
from apis.oqtopus.cloud import USER, packed, unpacked, upload
from dispatchers import wait_for
from servers import Server

ENGINE = {"x-api-key": "qumulus-provider"}
PROGRAM = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"


@contextlib.contextmanager
def with_an_engine(home: Path, **settings: str) -> Iterator[httpx2.Client]:
    """A server whose device Lima is run by its own engine."""
    environment = {"QUMULUS_FRONT": "user", **settings}
    with (
        Server(home, environment=environment) as server,
        httpx2.Client(base_url=server.url, timeout=30) as client,
    ):
        answer = client.put(
            "/emulator/devices/lima/settings",
            json={"provider": True},
            headers={"authorization": "Bearer qumulus-admin"},
        )
        assert answer.status_code == 200, answer.text
        yield client


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A server with a lease that no test is as slow as."""
    with with_an_engine(tmp_path_factory.mktemp("provider") / "state", QUMULUS_PROVIDER_LEASE="3600") as client:
        yield client


def submitted(client: httpx2.Client, content: Any = None, **members: Any) -> str:
    job = {"device_id": "Lima", "job_type": "sampling", "shots": 100, **members}
    return cloud.submitted(client, {"program": [PROGRAM]} if content is None else content, **job)


def fetched(client: httpx2.Client, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/provider/jobs", params={"device_id": "Lima", "status": "submitted", **query}, headers=ENGINE)
    assert answer.status_code == 200, answer.text
    return answer.json()


def reported(client: httpx2.Client, job_id: str, **body: Any) -> httpx2.Response:
    return client.patch(f"/provider/jobs/{job_id}/status", json=body, headers=ENGINE)


def status(client: httpx2.Client, job_id: str) -> str:
    return client.get(f"/jobs/{job_id}/status", headers=USER).json()["status"]


def job_of(client: httpx2.Client, job_id: str) -> dict[str, Any]:
    return client.get(f"/jobs/{job_id}", headers=USER).json()


def drained(client: httpx2.Client) -> None:
    while fetched(client, limit=1000):
        pass


def test_an_engine_fetches_runs_and_reports_a_job(client: httpx2.Client):
    drained(client)
    job_id = submitted(client, name="of an engine")
    (job,) = fetched(client)
    assert (job["job_id"], job["status"], job["name"]) == (job_id, "ready", "of an engine")
    assert unpacked(client.get(job["input"]).content) == {"program": [PROGRAM]}
    assert fetched(client) == []
    used = {"transpiler_lib": None}
    assert client.put(f"/provider/jobs/{job_id}/transpiler_info", json=used, headers=ENGINE).status_code == 200
    assert reported(client, job_id, status="running", output_files=[]).status_code == 200
    assert status(client, job_id) == "running"
    items = client.get(f"/provider/jobs/{job_id}/upload", params={"items": "result,transpile_result"}, headers=ENGINE)
    result, _transpiled = items.json()
    content = {"sampling": {"counts": {"00": 50, "11": 50}, "divided_counts": None}, "estimation": None}
    assert upload(client, result, packed("result.json", content)).status_code == 204
    done = reported(client, job_id, status="succeeded", output_files=[f"{job_id}/result.zip"], execution_time=1.5)
    assert done.status_code == 200, done.text
    job = job_of(client, job_id)
    assert (job["status"], job["execution_time"], job["transpiler_info"]) == ("succeeded", 1.5, used)
    assert job["submitted_at"] <= job["ready_at"] <= job["running_at"] <= job["ended_at"]
    assert unpacked(client.get(job["job_info"]["result"]).content) == content


def test_a_job_that_fails_while_it_is_ready_never_ran(client: httpx2.Client):
    drained(client)
    job_id = submitted(client)
    fetched(client)
    assert reported(client, job_id, status="failed", message="It cannot be compiled.").status_code == 200
    job = job_of(client, job_id)
    assert (job["status"], job["job_info"]["message"]) == ("failed", "It cannot be compiled.")
    assert "running_at" not in job
    assert "execution_time" not in job


def test_a_job_that_fails_while_it_runs_was_run(client: httpx2.Client):
    drained(client)
    job_id = submitted(client)
    fetched(client)
    reported(client, job_id, status="running")
    reported(client, job_id, status="failed", message="The device is warm.", execution_time=0.5)
    job = job_of(client, job_id)
    assert (job["status"], job["execution_time"]) == ("failed", 0.5)
    assert "running_at" in job


def test_a_user_cancels_while_the_engine_runs_the_job(client: httpx2.Client):
    drained(client)
    job_id = submitted(client)
    fetched(client)
    reported(client, job_id, status="running")
    assert client.post(f"/jobs/{job_id}/cancel", headers=USER).json() == {"message": "cancel request accepted"}
    assert status(client, job_id) == "cancelling"
    assert reported(client, job_id, status="cancelled").status_code == 200
    assert status(client, job_id) == "cancelled"


def test_a_job_that_a_user_cancelled_while_it_was_ready_takes_no_report(client: httpx2.Client):
    drained(client)
    job_id = submitted(client)
    fetched(client)
    client.post(f"/jobs/{job_id}/cancel", headers=USER)
    answer = reported(client, job_id, status="running")
    assert answer.status_code == 409
    assert "allows transition to the status: running" in answer.json()["message"]


def test_jobs_that_a_dead_engine_left_are_given_out_again(tmp_path: Path):
    with with_an_engine(tmp_path / "state", QUMULUS_PROVIDER_LEASE="1") as client:
        job_ids = [submitted(client) for _ in range(3)]
        assert [job["job_id"] for job in fetched(client)] == job_ids
        reported(client, job_ids[0], status="running")
        again: list[str] = []
        wait_for(lambda: again.extend(job["job_id"] for job in fetched(client)) or set(again) == set(job_ids))


def test_jobs_are_fetched_oldest_first_and_no_more_than_wanted(client: httpx2.Client):
    drained(client)
    job_ids = [submitted(client) for _ in range(3)]
    assert [job["job_id"] for job in fetched(client, limit=2)] == job_ids[:2]
    assert [job["job_id"] for job in fetched(client, limit=2)] == job_ids[2:]


def test_a_list_of_other_states_changes_nothing(client: httpx2.Client):
    drained(client)
    job_id = submitted(client)
    assert job_id not in [job["job_id"] for job in fetched(client, status="ready")]
    assert status(client, job_id) == "submitted"
    assert client.get(f"/provider/jobs/{job_id}", headers=ENGINE).json()["status"] == "submitted"
    (job,) = fetched(client, fields="job_id,status")
    assert job == {"job_id": job_id, "status": "ready"}


def test_files_of_another_job_missing_ones_and_unknown_ones_are_refused(client: httpx2.Client):
    drained(client)
    job_id, other = submitted(client), submitted(client)
    fetched(client)
    reported(client, job_id, status="running")
    foreign = reported(client, job_id, status="succeeded", output_files=[f"{other}/result.zip"])
    assert foreign.status_code == 409
    assert reported(client, job_id, status="succeeded", output_files=[f"{job_id}/result.zip"]).status_code == 400
    assert reported(client, job_id, status="succeeded", output_files=[f"{job_id}/other.zip"]).status_code == 400
    assert status(client, job_id) == "running"
    for items in ("other", "combined_program", "sse_log", "result,other"):
        answer = client.get(f"/provider/jobs/{job_id}/upload", params={"items": items}, headers=ENGINE)
        assert answer.status_code == 400
        assert "nsupported item" in answer.json()["message"]


def test_a_presigned_upload_is_good_for_its_key_alone(client: httpx2.Client):
    registered = client.post("/jobs", headers=USER).json()
    address = registered["presigned_url"]
    other = client.post("/jobs", headers=USER).json()
    assert upload(client, address, b"x", key=other["presigned_url"]["fields"]["key"]).status_code == 403
    assert upload(client, address, b"x", signature="0" * 64).status_code == 403
    assert upload(client, address, b"x", policy=other["presigned_url"]["fields"]["policy"]).status_code == 403
    no_file = client.post(address["url"], data=address["fields"], files={"other": b""})
    assert no_file.status_code == 400


@pytest.mark.parametrize("content", [b"", bytes(range(256)), "Grüße, 東京".encode(), b"x" * 300_000])
def test_a_file_comes_back_as_it_was_uploaded(client: httpx2.Client, content: bytes):
    job_id = submitted(client, content=content)
    job = job_of(client, job_id)
    assert client.get(job["job_info"]["input"]).content == content
    assert client.get(job["job_info"]["input"].replace("expires=1", "expires=2")).status_code == 403
    client.post(f"/jobs/{job_id}/cancel", headers=USER)
    assert client.delete(f"/jobs/{job_id}", headers=USER).json() == {"message": "job deleted"}
    assert client.get(job["job_info"]["input"]).status_code == 404


def test_an_engine_says_how_its_device_is(client: httpx2.Client):
    assert client.patch("/provider/devices/lima", json={"n_qubits": 3}, headers=ENGINE).status_code == 200
    text = json.dumps({"device_id": "Lima", "qubits": [{"id": 0}], "couplings": []})
    body = {"device_info": text, "calibrated_at": "2026-11-21T09:00:00+00:00"}
    assert client.patch("/provider/devices/Lima/device_info", json=body, headers=ENGINE).status_code == 200
    device = client.get("/devices/Lima", headers=USER).json()
    assert (device["n_qubits"], device["calibrated_at"]) == (3, "2026-11-21T09:00:00Z")
    assert unpacked(client.get(device["device_info"]).content)["qubits"] == [{"id": 0}]


def information(client: httpx2.Client) -> Any:
    return unpacked(client.get(client.get("/devices/Lima", headers=USER).json()["device_info"]).content)


def test_an_engine_uploads_what_is_known_of_its_device(client: httpx2.Client):
    address = client.get("/provider/devices/Lima/device_info/upload", headers=ENGINE).json()
    content = {"device_id": "Lima", "qubits": [], "couplings": []}
    assert upload(client, address["presigned_url"], packed("device_info.json", content)).status_code == 204
    body = {"upload_id": address["upload_id"], "calibrated_at": "2026-11-22T09:00:00+00:00"}
    path = "/provider/devices/Lima/device_info"
    assert information(client) != content  # not before the request that names the upload
    assert client.patch(path, json=body | {"upload_id": "0" * 32}, headers=ENGINE).status_code == 404
    assert client.patch(path, json=body, headers=ENGINE).status_code == 200
    assert information(client) == content
    assert client.patch(path, json=body, headers=ENGINE).status_code == 409
    later = body | {"calibrated_at": "2026-11-23T09:00:00+00:00"}
    assert client.patch(path, json=later, headers=ENGINE).status_code == 404  # an upload counts once


def test_an_engine_that_knows_no_upload_ids_means_its_last_upload(client: httpx2.Client):
    for number in (1, 2):
        address = client.get("/provider/devices/Lima/device_info/upload", headers=ENGINE).json()["presigned_url"]
        content = {"device_id": "Lima", "qubits": [{"id": number}], "couplings": []}
        assert upload(client, address, packed("device_info.json", content)).status_code == 204
    body = {"calibrated_at": "2026-11-24T09:00:00+00:00"}
    assert client.patch("/provider/devices/Lima/device_info", json=body, headers=ENGINE).status_code == 200
    assert information(client)["qubits"] == [{"id": 2}]


def test_a_device_information_that_is_no_zip_file_is_refused(client: httpx2.Client):
    address = client.get("/provider/devices/Lima/device_info/upload", headers=ENGINE).json()["presigned_url"]
    assert upload(client, address, b"{}").status_code == 400


def test_settings_say_how_information_is_given_and_how_large_an_upload_may_be(tmp_path: Path):
    environment = {"QUMULUS_DEVICE_INFO": "inline", "QUMULUS_MAX_BODY_MIB": "1"}
    with (
        Server(tmp_path / "state", environment=environment) as server,
        httpx2.Client(base_url=server.url, timeout=30) as client,
    ):
        address = client.post("/jobs", headers=USER).json()["presigned_url"]
        assert upload(client, address, b"x" * (1 << 20)).status_code == 413  # the form counts too
        assert upload(client, address, b"x" * 1_000_000).status_code == 204
        (device,) = (each for each in client.get("/devices", headers=USER).json() if each["device_id"] == "Kawasaki")
        assert [qubit["id"] for qubit in json.loads(device["device_info"])["qubits"]] == list(range(127))
        text = json.dumps({"device_id": "Lima", "qubits": []})
        path = "/provider/devices/lima/device_info"
        assert client.patch(path, json={"device_info": text}, headers=ENGINE).status_code == 200
        assert client.get("/devices/Lima", headers=USER).json()["device_info"] == text
        assert client.patch(path, json={"device_info": None}, headers=ENGINE).status_code == 200
        assert len(json.loads(client.get("/devices/Lima", headers=USER).json()["device_info"])["qubits"]) == 5


def test_a_device_that_is_unavailable_takes_no_jobs(client: httpx2.Client):
    assert client.patch("/provider/devices/Belem/status", json={"status": "unavailable"}, headers=ENGINE).is_success
    assert client.get("/devices/Belem", headers=USER).json()["status"] == "unavailable"
    job_id = client.post("/jobs", headers=USER).json()["job_id"]
    body = {"device_id": "Belem", "job_type": "sampling", "shots": 1}
    answer = client.post(f"/jobs/{job_id}/submit", json=body, headers=USER)
    assert (answer.status_code, answer.json()) == (400, {"message": "device Belem is not available"})


def test_a_task_for_a_device_with_an_engine_is_refused(client: httpx2.Client):
    answer = client.post("/task", json={"code": PROGRAM, "device": "Lima", "n_shots": 1})
    assert answer.status_code == 409
    assert "/jobs" in answer.json()["detail"]


@pytest.mark.parametrize("key", [None, "wrong", "local.qumulus-local"])
def test_only_the_key_of_the_providers_is_let_in(client: httpx2.Client, key: str | None):
    headers = {} if key is None else {"x-api-key": key}
    assert client.get("/provider/jobs", params={"device_id": "Lima"}, headers=headers).status_code == 401


def test_both_apis_greet(client: httpx2.Client):
    assert client.get("/provider/hello/Mike").json() == {"message": "Hello Mike!!"}


def test_the_provider_api_stands_at_the_root_of_its_own_front(tmp_path: Path):
    with (
        Server(tmp_path / "state", arguments=("--front", "provider")) as server,
        httpx2.Client(base_url=server.url) as client,
    ):
        at_root = client.get("/jobs", params={"device_id": "Lima"}, headers=ENGINE)
        assert (at_root.status_code, at_root.json()) == (200, [])
        assert client.get("/provider/jobs", params={"device_id": "Lima"}, headers=ENGINE).json() == []
