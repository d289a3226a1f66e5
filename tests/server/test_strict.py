"""A cloud answers approximately what it cannot in time, unless it is told to refuse that."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from qiskit.quantum_info import SparsePauliOp

from asking import ask
from qumulus.clients import DEFAULT_TOKEN
from qumulus.simulation.devices import device_model
from servers import Server
from simulation.circuits import kicked_ising
from simulation.programs.runtime import estimator

CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/00000000000000000000000000000000:00000000-0000-4000-8000-000000000000::"
IBM = {"Authorization": f"Bearer {DEFAULT_TOKEN}", "Service_CRN": CRN, "IBM_API_Version": "2025-05-01"}


def too_much() -> dict:
    observable = SparsePauliOp.from_sparse_list([("Z", [62], 1.0)], 127)
    return json.loads(estimator([(kicked_ising(device_model("brisbane"), 12, 0.7), observable)]).payload)


@pytest.mark.parametrize(("strict", "ends"), [("", "Completed"), ("true", "Failed")])
def test_what_is_too_much_is_approximated_or_refused_as_the_setting_says(tmp_path: Path, strict: str, ends: str):
    environment = {"QUMULUS_PUB_BUDGET_SECONDS": "3"} | ({"QUMULUS_STRICT_SIMULATION": strict} if strict else {})
    with Server(tmp_path / "state", environment=environment) as server:
        status, job = ask(server, "POST", "/api/v1/jobs", too_much(), **IBM)
        assert status == 200, job
        deadline = time.monotonic() + 90
        while (state := ask(server, "GET", f"/api/v1/jobs/{job['id']}", **IBM)[1]["state"])["status"] not in {
            "Completed",
            "Failed",
        }:
            assert time.monotonic() < deadline, state
            time.sleep(0.3)
        assert state["status"] == ends
        if strict:
            assert "No method simulates this circuit" in state["reason"]
            assert state["reason"].count(". ") == 1
