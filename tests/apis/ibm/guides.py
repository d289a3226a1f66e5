"""What the guides on the REST API have their readers send, in our words."""

from __future__ import annotations

import time
from typing import Any

import httpx2

from apis.ibm.cloud import FINAL

FLIPPED = 'OPENQASM 3.0; include "stdgates.inc"; bit[1] c; input float theta; x $3; rz(theta) $3; c[0] = measure $3;'
TURNED = FLIPPED.partition("c[0]")[0]  # the same for an estimator, which reads by itself

DECOUPLING = {
    "dynamical_decoupling": {
        "enable": True,
        "sequence_type": "XpXm",
        "extra_slack_distribution": "middle",
        "scheduling_method": "alap",
    }
}
TWIRLING = {
    "twirling": {
        "enable_gates": True,
        "enable_measure": True,
        "num_randomizations": "auto",
        "shots_per_randomization": "auto",
        "strategy": "active-accum",
    }
}
IN_A_SESSION = {
    "transpilation": {"optimization_level": 1},
    "twirling": {"enable_gates": True, "enable_measure": True},
}


def z(qubit: int) -> dict[str, float]:
    """The observable Z of a qubit of ibm_brisbane."""
    return {"I" * (126 - qubit) + "Z" + "I" * qubit: 1.0}


def result(rest: httpx2.Client, program: str, params: dict[str, Any], **members: Any) -> Any:
    """The result of a job, fetched as the guides fetch it."""
    body = {"program_id": program, "backend": "ibm_brisbane", "params": params, **members}
    answer = rest.post("/jobs", json=body)
    assert answer.status_code == 200, answer.text
    job_id = answer.json()["id"]
    deadline = time.monotonic() + 60
    while (state := rest.get(f"/jobs/{job_id}").json()["state"])["status"] not in FINAL:
        assert time.monotonic() < deadline, state
    assert state["status"] == "Completed", state
    return rest.get(f"/jobs/{job_id}/results").json()
