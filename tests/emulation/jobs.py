"""Jobs of a cloud that a test controls: sent, looked at, waited for."""

from __future__ import annotations

import requests

from dispatchers import wait_for
from qumulus.apis.ibm.instances import LOCAL_CRN

IBM = {"Authorization": "Bearer qumulus-local", "Service-CRN": LOCAL_CRN, "IBM-API-Version": "2025-05-01"}
OQTOPUS = {"q-api-token": "local.qumulus-local"}
BELL = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'


def submit(control, device="qulacs", **members):
    """A task; its id."""
    body = {"code": BELL, "device": device, "n_shots": 10, **members}
    answer = requests.post(f"{control.url}/task", json=body, headers=OQTOPUS, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["task_id"]


def shown(control, job):
    return control.administer("GET", f"/jobs/{job}").json()


def log(control, job):
    return "\n".join(line["text"] for line in control.administer("GET", f"/jobs/{job}/log").json()["lines"])


def ended(control, job, state):
    wait_for(lambda: shown(control, job)["ended_at"], 60, lambda: str(shown(control, job)))
    found = shown(control, job)
    assert found["state"] == state, found
    return found


def in_state(control, job, state):
    wait_for(lambda: shown(control, job)["state"] == state, 30, lambda: str(shown(control, job)))
