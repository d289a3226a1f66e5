"""What each client of the soak does, over and over: one function an API, a round a call."""

from __future__ import annotations

import base64
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from apis.oqtopus import cloud

TOKEN = "qumulus-local"
ADMIN = {"Authorization": "Bearer qumulus-admin"}
ENGINE = {"x-api-key": "qumulus-provider"}
IBM = {"Authorization": f"Bearer {TOKEN}", "Service-CRN": "local", "IBM-API-Version": "2026-04-15"}
PLANQK = {"X-Auth-Token": TOKEN}
CODE = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
CODE_2 = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1]; h q[0]; measure q -> c;'
PUB = "OPENQASM 3.0; bit[1] c; rz(1.0) $0; sx $0; c[0] = measure $0;"
PROGRAM = """
import pathlib
def run(data, files):
    return {"sum": sum(data["values"]) + len(pathlib.Path(files, "a.csv").read_text())}
"""
OWN_ENGINE = "Lima"  # the device whose jobs the client of the Provider API runs
PAUSE_SECONDS = 0.05
FINAL = {"completed", "succeeded", "failed", "cancelled"}


def ask(url: str, body: object = None, method: str | None = None, **headers: str) -> Any:
    """The JSON that answers."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json", **headers}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def wait(url: str, **headers: str) -> None:
    """Ask for a status until it is final."""
    while str(ask(url, **headers)["status"]).lower() not in FINAL:
        time.sleep(PAUSE_SECONDS)


def prepare(url: str) -> None:
    """Make what the clients use: a device with an engine of its own, a service, and its data pool."""
    ask(f"{url}/emulator/devices/{OWN_ENGINE.lower()}/settings", {"provider": True}, "PUT", **ADMIN)
    files = {"src/program.py": base64.b64encode(PROGRAM.encode()).decode()}
    ask(f"{url}/emulator/services/soak", {"files": files}, "PUT", **ADMIN)


def tasks(url: str) -> None:
    """A task of OQTOPUS, its status, its result, and its end."""
    task = ask(f"{url}/task", {"device": "Kawasaki", "n_shots": 100, "code": CODE})["task_id"]
    wait(f"{url}/task/{task}/status")
    ask(f"{url}/task/{task}")
    ask(f"{url}/task/{task}", method="DELETE")


def user(url: str) -> None:
    """A job of OQTOPUS with its uploads and downloads, and its end."""
    with httpx2.Client(base_url=url, timeout=60) as client:
        members = {"device_id": "Kawasaki", "job_type": "sampling", "shots": 100}
        job = cloud.submitted(client, {"program": [CODE]}, **members)
        result = cloud.ended(client, job)["job_info"]["result"]
        cloud.unpacked(client.get(result).content)
        client.get("/jobs", params={"size": 20}, headers=cloud.USER)
        client.delete(f"/jobs/{job}", headers=cloud.USER).raise_for_status()


def provider(url: str) -> None:
    """A job that an engine fetches, runs and reports over the Provider API."""
    with httpx2.Client(base_url=url, timeout=60) as client:
        job = cloud.submitted(
            client, {"program": [CODE]}, device_id=OWN_ENGINE, job_type="sampling", shots=100, name="of an engine"
        )
        client.get("/provider/jobs", params={"device_id": OWN_ENGINE, "status": "submitted"}, headers=ENGINE)
        reported = f"/provider/jobs/{job}/status"
        client.patch(reported, json={"status": "running"}, headers=ENGINE).raise_for_status()
        items = client.get(f"/provider/jobs/{job}/upload", params={"items": "result"}, headers=ENGINE).json()
        content = {"sampling": {"counts": {"00": 50, "11": 50}, "divided_counts": None}, "estimation": None}
        cloud.upload(client, items[0], cloud.packed("result.json", content)).raise_for_status()
        done = {"status": "succeeded", "output_files": [f"{job}/result.zip"], "execution_time": 0.5}
        client.patch(reported, json=done, headers=ENGINE).raise_for_status()
        client.delete(f"/jobs/{job}", headers=cloud.USER).raise_for_status()


def runtime(url: str, **members: str) -> None:
    """A sampler job of IBM, its status, its result, and its end."""
    params = {"pubs": [[PUB, None, 100]], "version": 2}
    body = {"program_id": "sampler", "backend": "ibm_brisbane", "params": params, **members}
    job = ask(f"{url}/api/v1/jobs", body, **IBM)["id"]
    wait(f"{url}/api/v1/jobs/{job}", **IBM)
    ask(f"{url}/api/v1/jobs/{job}/results", **IBM)
    ask(f"{url}/api/v1/jobs?limit=20", **IBM)
    ask(f"{url}/api/v1/jobs/{job}", method="DELETE", **IBM)


def sessions(url: str) -> None:
    """A session of IBM with a job."""
    made = ask(f"{url}/api/v1/sessions", {"mode": "batch", "backend": "ibm_brisbane"}, **IBM)["id"]
    runtime(url, session_id=made)
    ask(f"{url}/api/v1/sessions/{made}/close", method="DELETE", **IBM)


def quantum(url: str) -> None:
    """A job of PLANQK, and what there is to be chosen from."""
    ask(f"{url}/quantum/backends", **PLANQK)
    job = {"backend_id": "kipu.sim.qsim", "shots": 100, "input_format": "OPEN_QASM_V2", "input_params": {}}
    made = ask(f"{url}/quantum/jobs", {**job, "input": CODE_2}, **PLANQK)["id"]
    wait(f"{url}/quantum/jobs/{made}", **PLANQK)
    ask(f"{url}/quantum/jobs/{made}/result", **PLANQK)


def services(url: str) -> None:
    """An execution of a service with a data pool, which goes afterwards."""
    with httpx2.Client(base_url=url, timeout=60, headers=PLANQK) as client:
        pool = client.post("/platform/datapools", json={"name": "of the soak"}).json()["id"]
        added = client.post(f"/platform/datapools/{pool}/files", files={"file": ("a.csv", b"1,2\n")})
        added.raise_for_status()
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    body = {"data": {"values": [1, 2, 3]}, "files": {"id": pool, "ref": "DATAPOOL"}}
    execution = ask(f"{url}/services/soak/", body, **bearer)["id"]
    wait(f"{url}/services/soak/{execution}", **bearer)
    if ask(f"{url}/services/soak/{execution}/result", **bearer)["sum"] != 6 + len("1,2\n"):
        raise KeyError(execution)
    ask(f"{url}/platform/datapools/{pool}", method="DELETE", **PLANQK)


def operators(url: str) -> None:
    """What operators look at and change: health, storage, lists, faults, tokens, a namespace with a task."""
    for path in ("health", "emulator/storage", "emulator/jobs", "emulator/queues", "admin/devices", "admin/users"):
        ask(f"{url}/{path}", **ADMIN)
    urllib.request.urlopen(f"{url}/metrics", timeout=60).read()
    ask(f"{url}/emulator/namespaces/soak", {"replace": True}, "PUT", **ADMIN)
    tasks(f"{url}/namespaces/soak")
    ask(f"{url}/emulator/namespaces/soak", method="DELETE", **ADMIN)


def refused(url: str) -> None:
    """Requests that are none."""
    for path, body in (("/task", {"device": "nothing"}), ("/api/v1/jobs", {}), ("/nowhere", None)):
        try:
            ask(f"{url}{path}", body)
        except urllib.error.HTTPError as error:
            error.read()
            error.close()


CLIENTS: tuple[Callable[[str], None], ...] = (
    tasks,
    user,
    provider,
    runtime,
    sessions,
    quantum,
    services,
    operators,
    refused,
)
