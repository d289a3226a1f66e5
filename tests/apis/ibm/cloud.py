"""What a user of the Qiskit Runtime REST API does over plain HTTP."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx2

from qumulus.apis.ibm.instances import LOCAL_CRN, TEST_CRN

NEWEST = "2026-04-15"
BELL = (  # as `qasm3.dumps` writes a circuit for ibm_brisbane
    'OPENQASM 3.0; include "stdgates.inc"; gate ecr a, b { s a; sx b; cx a, b; x a; } bit[2] c; '
    "rz(pi/2) $1; sx $1; rz(pi/2) $1; ecr $1, $0; x $0; c[0] = measure $0; c[1] = measure $1;"
)
FINAL = ("Completed", "Cancelled", "Failed")


class Runtime:
    """The API for one instance, by one token, in one version."""

    def __init__(
        self, url: str, *, instance: str = TEST_CRN, version: str = NEWEST, token: str = "qumulus-local"
    ) -> None:
        self._url = url
        headers = {"Authorization": f"Bearer {token}", "Service-CRN": instance, "IBM-API-Version": version}
        self._client = httpx2.Client(base_url=f"{url}/v1", headers=headers, timeout=30)

    def of(self, **changed: str) -> Runtime:
        """The same, for another instance, version or token."""
        return Runtime(self._url, **changed)

    def send(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """The answer, whatever its status."""
        return self._client.request(method, path, **arguments)

    def get(self, path: str, **query: Any) -> Any:
        """The body of a successful GET."""
        answer = self.send("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def error(self, method: str, path: str, **arguments: Any) -> tuple[int, int, str]:
        """Status, code and message of an answer that is an error."""
        answer = self.send(method, path, **arguments)
        (error,) = answer.json()["errors"]
        return answer.status_code, error["code"], error["message"]

    def job(self, pubs: Any = None, *, program: str = "sampler", options: Any = None, **members: Any) -> str:
        """Send a job; its id."""
        params = {"pubs": [[BELL, [], 100]] if pubs is None else pubs, "options": options or {}, "version": 2}
        body = {"program_id": program, "backend": "ibm_brisbane", "params": params, **members}
        answer = self.send("POST", "/jobs", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def ended(self, job_id: str, seconds: float = 60) -> Mapping[str, Any]:
        """The job once it is final."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = self.get(f"/jobs/{job_id}")
            if job["state"]["status"] in FINAL:
                return job
        raise AssertionError(f"job {job_id} is still {job['state']}")

    def run(self, *pubs: Any, **members: Any) -> str:
        """Send a job and wait for its success; its id."""
        job = self.ended(self.job(*pubs, **members))
        assert job["state"]["status"] == "Completed", job["state"]
        return job["id"]


__all__ = ["BELL", "LOCAL_CRN", "NEWEST", "TEST_CRN", "Runtime"]
