"""Devices that have engines of their own: registered, told of by their engines, and served."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from apis.oqtopus.cloud import USER, ended, packed, submitted, upload
from servers import Server

ADMIN = {"authorization": "Bearer qumulus-admin"}
ENGINE = {"x-api-key": "qumulus-provider"}
BELL = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;"
JOB = {"job_type": "sampling", "shots": 100}
NEW = {"device_type": "QPU", "status": "available", "n_qubits": 4}


def told(name: str, n_qubits: int = 3, at: str = "2026-11-01T00:00:00Z") -> dict[str, Any]:
    """What an engine tells of its qubits, in a line."""
    qubits = [
        {
            "id": number,
            "fidelity": 0.999,
            "meas_error": {"prob_meas1_prep0": 0.01, "prob_meas0_prep1": 0.02, "readout_assignment_error": 0.015},
            "qubit_lifetime": {"t1": 90.0, "t2": 70.0},
            "gate_duration": {"x": 60.0, "sx": 30.0, "rz": 0.0},
        }
        for number in range(n_qubits)
    ]
    couplings = [
        {"control": one, "target": one + 1, "fidelity": 0.98, "gate_duration": {"cx": 300.0}}
        for one in range(n_qubits - 1)
    ]
    return {"device_id": name, "qubits": qubits, "couplings": couplings, "calibrated_at": at}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("admin") / "state") as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, timeout=60) as client:
        yield client


def registered(client: httpx2.Client, name: str, information: dict[str, Any] | None = None, **members: Any) -> None:
    text = json.dumps(information or {"device_id": name, "qubits": []})
    answer = client.post("/admin/devices", json=NEW | {"device_info": text} | members, headers=ADMIN)
    assert answer.json() == {"message": "Device registered successfully"}, answer.text


def test_a_registered_devices_jobs_wait_for_its_engine_and_its_engine_serves_them(client: httpx2.Client):
    registered(client, "anemone", description="An engine's own")
    device = client.get("/devices/anemone", headers=USER).json()
    assert (device["device_id"], device["n_qubits"], device["status"]) == ("anemone", 4, "available")
    assert "anemone" in {each["device_id"] for each in client.get("/admin/devices", headers=ADMIN).json()}
    path = "/provider/devices/anemone"
    assert client.patch(path, json={"n_qubits": 4}, headers=ENGINE).status_code == 200
    assert client.patch(f"{path}/status", json={"status": "available"}, headers=ENGINE).status_code == 200
    job_id = submitted(client, {"program": [BELL]}, device_id="anemone", **JOB)
    asked = {"device_id": "anemone", "status": "submitted"}
    (job,) = client.get("/provider/jobs", params=asked, headers=ENGINE).json()
    assert (job["job_id"], job["device_id"]) == (job_id, "anemone")


@pytest.mark.parametrize("how", ["text", "upload"])
def test_what_an_engine_tells_is_shown_and_simulated(client: httpx2.Client, how: str):
    name = f"told-by-{how}"
    registered(client, name)
    path = f"/provider/devices/{name}"
    if how == "text":
        answer = client.patch(f"{path}/device_info", json={"device_info": json.dumps(told(name))}, headers=ENGINE)
    else:
        place = client.get(f"{path}/device_info/upload", headers=ENGINE).json()
        content = packed("device_info.json", told(name))
        assert upload(client, place["presigned_url"], content).status_code == 204
        body = {"upload_id": place["upload_id"], "calibrated_at": "2026-11-02T00:00:00Z"}
        answer = client.patch(f"{path}/device_info", json=body, headers=ENGINE)
    assert answer.json() == {"message": "Device's data updated"}
    described = client.get(client.get(f"/devices/{name}", headers=USER).json()["device_info"]).content
    with zipfile.ZipFile(io.BytesIO(described)) as archive:
        shown = json.loads(archive.read("device_info.json"))
    assert len(shown["qubits"]) == 3
    settings = client.get(f"/emulator/devices/{name}", headers=ADMIN).json()["settings"]
    simulated = settings | {"provider": False}
    assert client.put(f"/emulator/devices/{name}/settings", json=simulated, headers=ADMIN).status_code == 200
    job = ended(client, submitted(client, {"program": [BELL]}, device_id=name, **JOB | {"shots": 2000}))
    assert job["status"] == "succeeded", job
    with zipfile.ZipFile(io.BytesIO(client.get(job["job_info"]["result"]).content)) as archive:
        counts = json.loads(archive.read("result.json"))["sampling"]["counts"]
    assert 0 < counts.get("01", 0) + counts.get("10", 0) < 400


def test_what_can_not_be_a_device_is_kept_and_said(client: httpx2.Client):
    registered(client, "odd")
    odd = told("odd") | {"qubits": [{"id": 7}]}
    body = {"device_info": json.dumps(odd)}
    answer = client.patch("/provider/devices/odd/device_info", json=body, headers=ENGINE)
    assert answer.status_code == 200
    assert "The simulation knows the device as before" in answer.json()["message"]


def test_a_device_is_registered_with_what_is_known_changed_and_deleted(client: httpx2.Client):
    registered(client, "whole", told("whole", 5), n_qubits=5)
    one = client.get("/admin/devices/whole", headers=ADMIN).json()
    assert (one["n_qubits"], one["status"], len(json.loads(one["device_info"])["qubits"])) == (5, "available", 5)
    changed = client.patch("/admin/devices/whole", json={"status": "unavailable"}, headers=ADMIN)
    assert changed.json() == {"message": "Device updated successfully"}
    assert client.get("/admin/devices/whole", headers=ADMIN).json()["status"] == "unavailable"
    refused = client.patch("/admin/devices/whole", json={"description": "another"}, headers=ADMIN)
    assert refused.status_code == 400
    assert client.delete("/admin/devices/whole", headers=ADMIN).status_code == 204
    assert client.get("/devices/whole", headers=USER).status_code == 404


@pytest.mark.parametrize(
    ("information", "said"),
    [
        ({"qubits": []}, "device_id is required"),
        ({"device_id": "Kawasaki"}, "device_id=Kawasaki already exists"),
        ({"device_id": "a b"}, "is no name of a device"),
        ({"device_id": "gap", "qubits": [{"id": 1}]}, "each qubit once"),
    ],
)
def test_what_can_not_be_registered_is_refused(client: httpx2.Client, information: dict[str, Any], said: str):
    answer = client.post("/admin/devices", json=NEW | {"device_info": json.dumps(information)}, headers=ADMIN)
    assert answer.status_code == 400
    assert said in answer.json()["message"]


def test_only_the_administrator_may(client: httpx2.Client):
    assert client.get("/admin/devices").status_code == 401
    assert client.get("/admin/devices", headers={"authorization": "Bearer another"}).status_code == 401


def test_the_command_line_registers_one(server: Server, client: httpx2.Client):
    command = [sys.executable, "-m", "qumulus", "devices", "add", "seaweed", "--qubits", "6", "--url", server.url]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert client.get("/devices/seaweed", headers=USER).json()["n_qubits"] == 6
    asked = {"device_id": "seaweed", "status": "submitted"}
    submitted(client, {"program": [BELL]}, device_id="seaweed", **JOB)
    assert len(client.get("/provider/jobs", params=asked, headers=ENGINE).json()) == 1
