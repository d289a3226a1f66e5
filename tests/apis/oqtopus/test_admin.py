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


# -- announcements, users and the whitelist ---------------------------------------------------------------------------

MAINTENANCE = {
    "title": "Maintenance",
    "content": "The devices rest on Sunday.",
    "start_time": "2026-11-22T00:00:00Z",
    "end_time": "2026-11-23T00:00:00+00:00",
    "publishable": True,
}


def titles(client: httpx2.Client, path: str, headers: dict[str, str], **asked: str) -> list[str]:
    answer = client.get(path, params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return [each["title"] for each in answer.json()["announcements"]]


def test_users_see_what_is_announced_while_it_is_to_be_seen(client: httpx2.Client):
    answer = client.post("/admin/announcements", json=MAINTENANCE, headers=ADMIN)
    assert answer.json() == {"message": "Announcement registered successfully"}
    assert titles(client, "/admin/announcements", ADMIN) == ["Welcome", "Maintenance"]
    assert titles(client, "/announcements", USER) == ["Maintenance", "Welcome"]
    sunday, later = {"current_time": "2026-11-22T12:00:00Z"}, {"current_time": "2026-12-01T00:00:00Z"}
    assert titles(client, "/announcements", USER, **sunday) == ["Maintenance", "Welcome"]
    assert titles(client, "/announcements", USER, **later) == ["Welcome"]
    assert titles(client, "/admin/announcements", ADMIN, order="DESC", limit="1") == ["Maintenance"]
    (number,) = (
        each["id"]
        for each in client.get("/admin/announcements", headers=ADMIN).json()["announcements"]
        if each["title"] == "Maintenance"
    )
    place = f"/admin/announcements/{number}"
    changed = client.patch(place, json={"publishable": False, "title": "Off"}, headers=ADMIN)
    assert changed.json() == {"message": "Announcement updated successfully"}
    one = client.get(place, headers=ADMIN).json()
    assert (one["title"], one["content"]) == ("Off", MAINTENANCE["content"])
    assert one["updated_at"] > one["start_time"]
    assert titles(client, "/announcements", USER) == ["Welcome"]
    assert client.get(f"/announcements/{number}", headers=USER).status_code == 404
    assert client.delete(place, headers=ADMIN).status_code == 204
    for answer in (client.get(place, headers=ADMIN), client.delete(place, headers=ADMIN)):
        assert answer.status_code == 404


@pytest.fixture(scope="module")
def guest(client: httpx2.Client) -> dict[str, str]:
    """Somebody who was on the whitelist when an administrator made the account; what such a user sends with each request."""
    expected = {
        "email": "guest@lab.example",
        "group_id": "visitors",
        "organization": "Lab",
        "available_devices": ["Kawasaki", "qulacs"],
    }
    answer = client.post("/admin/whitelist_users", json={"users": [expected]}, headers=ADMIN)
    assert answer.json() == {"message": "Successfully registered"}
    account = {"id": "guest", "name": "Guest", "email": expected["email"]}
    client.post("/emulator/accounts", json=account, headers=ADMIN).raise_for_status()
    token = {"api": "oqtopus", "account": "guest"}
    made = client.post("/emulator/tokens", json=token, headers=ADMIN)
    made.raise_for_status()
    return {"q-api-token": made.json()["secret"]}


def test_whoever_was_expected_gets_what_the_whitelist_says(client: httpx2.Client, guest: dict[str, str]):
    user = client.get("/admin/users/guest", headers=ADMIN).json()
    assert user == {
        "id": "guest",
        "email": "guest@lab.example",
        "display_name": "Guest",
        "organization": "Lab",
        "group_id": "visitors",
        "status": "approved",
        "available_devices": ["Kawasaki", "qulacs"],
    }
    (entry,) = client.get("/admin/whitelist_users", params={"email": "GUEST@"}, headers=ADMIN).json()["users"]
    assert entry["is_signup_completed"]
    me = client.get("/users/me", headers=guest).json()
    assert (me["name"], me["organization"]) == ("Guest", "Lab")


def test_a_user_sees_and_uses_the_devices_that_the_administrator_allows(client: httpx2.Client, guest: dict[str, str]):
    assert {each["device_id"] for each in client.get("/devices", headers=guest).json()} == {"Kawasaki", "qulacs"}
    assert client.get("/devices/qulacs", headers=guest).status_code == 200
    refused = client.get("/devices/brisbane", headers=guest)
    assert (refused.status_code, "may not use brisbane" in refused.json()["message"]) == (403, True)
    job = {"device_id": "Brisbane", "job_type": "sampling", "shots": 1}
    registered = client.post("/jobs", headers=guest).json()
    content = packed("input.json", {"program": [BELL]})
    assert upload(client, registered["presigned_url"], content).status_code == 204
    submit = f"/jobs/{registered['job_id']}/submit"
    assert client.post(submit, json=job, headers=guest).status_code == 403
    task = {"code": BELL, "device": "Brisbane", "n_shots": 1}
    assert client.post("/task", json=task, headers=guest).status_code == 400
    everything = client.patch("/admin/users/guest", json={"available_devices": "*"}, headers=ADMIN)
    assert everything.json()["available_devices"] == "*"
    assert client.post(submit, json=job, headers=guest).status_code == 200
    assert len(client.get("/devices", headers=guest).json()) > 60


def test_a_user_who_is_suspended_can_do_nothing_until_approved(client: httpx2.Client, guest: dict[str, str]):
    for status, expected in (("suspended", 403), ("unapproved", 403), ("approved", 200)):
        changed = client.patch("/admin/users/guest", json={"status": status}, headers=ADMIN)
        assert changed.json()["status"] == status
        assert client.get("/users/me", headers=guest).status_code == expected
        assert client.get("/jobs", headers=guest).status_code == (200 if expected == 200 else 401)


def listed_users(client: httpx2.Client, **asked: str) -> list[str]:
    answer = client.get("/admin/users", params=asked, headers=ADMIN)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["users"]]


def test_users_are_found_by_what_they_are(client: httpx2.Client, guest: dict[str, str]):
    assert listed_users(client) == ["guest", "local"]
    assert listed_users(client, display_name="GUE") == ["guest"]
    assert listed_users(client, email="lab.example", status="approved", group_id="visitors") == ["guest"]
    assert listed_users(client, organization="La") == []
    assert listed_users(client, user_id="local") == ["local"]
    assert listed_users(client, sort="id,desc", limit="1") == ["local"]
    assert listed_users(client, offset="1") == ["local"]
    assert client.get("/admin/users", params={"sort": "secret,asc"}, headers=ADMIN).status_code == 400


def test_nobody_locks_the_built_in_user_out(client: httpx2.Client, guest: dict[str, str]):
    assert client.patch("/admin/users/local", json={"status": "suspended"}, headers=ADMIN).status_code == 403
    assert client.delete("/admin/users/local", headers=ADMIN).status_code == 403
    taken = client.patch("/admin/users/local", json={"email": "guest@lab.example"}, headers=ADMIN)
    assert (taken.status_code, taken.json()["message"]) == (400, "guest@lab.example is already registered.")


def test_a_deleted_user_is_gone_with_the_tokens_and_expected_again(client: httpx2.Client, guest: dict[str, str]):
    assert client.delete("/admin/users/guest", headers=ADMIN).status_code == 204
    assert client.get("/users/me", headers=guest).status_code == 401
    assert client.get("/admin/users/guest", headers=ADMIN).status_code == 404
    (entry,) = client.get("/admin/whitelist_users", headers=ADMIN).json()["users"]
    assert not entry["is_signup_completed"]
    again = {"users": [{"email": "new@lab.example", "group_id": "g", "available_devices": "*"}, entry]}
    refused = client.post("/admin/whitelist_users", json=again, headers=ADMIN)
    assert (refused.status_code, refused.json()["message"]) == (400, "guest@lab.example is already registered.")
    assert len(client.get("/admin/whitelist_users", headers=ADMIN).json()["users"]) == 1
    off = {"user_emails": ["guest@lab.example", "nobody@lab.example"]}
    assert client.request("DELETE", "/admin/whitelist_users", json=off, headers=ADMIN).status_code == 204
    assert client.get("/admin/whitelist_users", headers=ADMIN).json()["users"] == []
