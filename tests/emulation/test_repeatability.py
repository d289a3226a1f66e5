"""Two whole runs with one seed give the same ids, results and lists, to the byte, however many workers there are."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

import databases
from qumulus.apis.ibm.instances import LOCAL_CRN
from servers import Server

ADMIN = {"Authorization": "Bearer qumulus-admin"}
IBM = {"Authorization": "Bearer qumulus-local", "Service-CRN": LOCAL_CRN, "IBM-API-Version": "2025-05-01"}
PLANQK = {"Authorization": "Bearer qumulus-local", "X-Auth-Token": "qumulus-local"}
PROGRAM = b"def run(data):\n    return {'sum': sum(data['values'])}\n"
QASM = "OPENQASM 3; include 'stdgates.inc'; bit[2] c; {gates} c[0] = measure $0; c[1] = measure $1;"
PUBS = [QASM.format(gates=gates) for gates in ("x $0;", "sx $0; rz(0.3) $0; sx $1;")]
TASK = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
WAITS_SECONDS = 60.0

pytestmark = pytest.mark.skipif(databases.kind() == "postgres", reason="a server of its own on SQLite says as much")


class Run:
    """A server from its start on, and all that its jobs left."""

    def __init__(self, home: Path, **settings: str) -> None:
        self._environment = {f"QUMULUS_{name.upper()}": value for name, value in settings.items()}
        self._home = home
        self.printed = ""
        self._asked = 0
        self.left: dict[str, bytes] = {}

    def __call__(self) -> Run:
        with Server(self._home, environment=self._environment) as server:
            self._url = server.url
            self._whole()
            self.printed = server.output()
        here = self._url.encode()  # each server has a port of its own
        self.left = {path: content.replace(here, b"http://cloud") for path, content in self.left.items()}
        return self

    def _ask(self, method: str, path: str, headers: Mapping[str, str] = ADMIN, **more: object) -> requests.Response:
        self._asked += 1
        traced = {**headers, "X-Request-ID": f"{self._asked:032x}"}  # else each request is given one by chance
        answer = requests.request(method, f"{self._url}{path}", headers=traced, timeout=30, **more)  # ty: ignore
        assert answer.ok, answer.text
        return answer

    def _whole(self) -> None:
        """Everything at once: sessions, jobs of two clouds, on real and busy devices."""
        self._ask("PUT", "/emulator/clock", json={"rate": 0, "now": "2026-03-02T08:00:00Z"})
        self._ask("PUT", "/emulator/queues/torino", json={"waiting": 3, "arrivals_per_hour": 60, "run_scale": 1})
        self._ask("POST", "/emulator/calibrations/fez", json={"number": 1, "first_after_hours": 0})
        session = self._ask("POST", "/api/v1/sessions", IBM, json={"backend": "ibm_fez", "mode": "dedicated"}).json()[
            "id"
        ]
        ids = [self._sampled("ibm_fez", session_id=session), self._sampled("ibm_fez"), self._sampled("ibm_torino")]
        body = {"device": "Kawasaki", "n_shots": 500, "code": TASK}
        ids += [self._ask("POST", "/task", {}, json=body).json()["task_id"] for _ in range(3)]
        for job_id in ids:
            self._ask("POST", f"/emulator/clock/advance/{job_id}", json={"until": "ended"})
            self._ended(job_id)
        for job_id in ids:
            self.left[job_id] = self._ask("GET", f"/emulator/jobs/{job_id}/result").content
        self._services()
        for path, headers in (("/api/v1/jobs", IBM), (f"/api/v1/sessions/{session}", IBM), ("/emulator/jobs", ADMIN)):
            self.left[path] = self._ask("GET", path, headers).content

    def _services(self) -> None:
        """Services, pools, applications and their executions; and faults that are drawn, of requests and of jobs."""
        files = {"src/program.py": base64.b64encode(PROGRAM).decode()}
        self.left["service"] = self._ask("PUT", "/emulator/services/sum", json={"files": files}).content
        fault = self._ask("POST", "/emulator/faults", json={"kind": "job-fails", "probability": 0.5}).json()["id"]
        dry = {"kind": "slow", "seconds": 0, "probability": 0.5, "api": "planqk", "dry_run": True}
        self._ask("POST", "/emulator/faults", json=dry)
        begun = []
        for number in range(4):
            body = {"data": {"values": [number]}}
            begun.append(self._ask("POST", "/services/sum/", PLANQK, json=body).json()["id"])
            self._ended(begun[-1], "succeeded", "failed")
        self._ask("POST", "/platform/datapools", PLANQK, json={"name": "numbers"})
        self._ask("POST", "/platform/applications", PLANQK, json={"name": "mine"})
        self._ask("DELETE", f"/emulator/faults/{fault}")
        paths = ["/emulator/faults", "/emulator/queues", *(f"/emulator/jobs/{each}" for each in begun)]
        self.left |= {path: self._ask("GET", path).content for path in paths}
        for path in ("/platform/datapools", "/platform/applications", "/services/sum/"):
            self.left[path] = self._ask("GET", path, PLANQK).content

    def _sampled(self, backend: str, **more: object) -> str:
        params = {"pubs": [[pub, None, 200] for pub in PUBS], "version": 2, "support_qiskit": True}
        body = {"program_id": "sampler", "backend": backend, "params": params, **more}
        return self._ask("POST", "/api/v1/jobs", IBM, json=body).json()["id"]

    def _ended(self, job_id: str, *states: str) -> None:
        until, asked = time.monotonic() + WAITS_SECONDS, self._asked
        while (job := self._ask("GET", f"/emulator/jobs/{job_id}").json())["state"] not in (states or ("succeeded",)):
            assert job["ended_at"] is None, job
            assert time.monotonic() < until
            time.sleep(0.02)
        self._asked = asked  # how often was asked depends on the machine


def test_two_runs_with_one_seed_are_the_same_with_one_and_with_two_workers(tmp_path):
    first = Run(tmp_path / "one", seed="7", workers="1", simulations="1")()
    second = Run(tmp_path / "two", seed="7", workers="2", simulations="2")()
    assert "Seed            7" in first.printed
    assert first.left.keys() == second.left.keys()
    different = [path for path in first.left if first.left[path] != second.left[path]]
    assert [(first.left[path], second.left[path]) for path in different] == []
