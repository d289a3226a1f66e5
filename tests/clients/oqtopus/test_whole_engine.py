"""OQTOPUS' engine 2.1.1 whole, unmodified, as the engine of a device: core, tranqu, estimator, mitigator, combiner, and the device gateway.

Their sources are on no index: OQTOPUS_ENGINE_SOURCE, OQTOPUS_TRANQU_SERVER_SOURCE and OQTOPUS_DEVICE_GATEWAY_SOURCE name checkouts, or git
repositories.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from apis.oqtopus.cloud import USER, ended, submitted, unpacked
from clients.oqtopus.engine_parts import parts, running
from servers import Server

DEVICE = "anemone"  # what the device gateway calls its own
HEAD = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c;'
BELL = f"{HEAD} h q[0]; cx q[0], q[1]; c = measure q;"
FLIPPED = f"{HEAD} x q[1]; c = measure q;"
UNTRANSPILED = {"transpiler_lib": None}
MITIGATED = {"ro_error_mitigation": "pseudo_inverse"}
DEFAULT = {"transpiler_lib": "qiskit", "transpiler_options": {"optimization_level": 1}}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A user of a cloud whose device the engine has registered unedited, as docs/oqtopus.md says."""
    folder = tmp_path_factory.mktemp("whole")
    found = parts(folder)
    with (
        Server(folder / "state") as server,
        httpx2.Client(base_url=server.url, timeout=30) as client,
    ):
        told = {"PATH": "/usr/bin:/bin", "QUMULUS_URL": server.url, "QUMULUS_HOME": str(folder / "state")}
        command = [sys.executable, "-m", "qumulus", "devices", "add", DEVICE, "--qubits", "7"]
        added = subprocess.run(command, env=told, capture_output=True, text=True)
        assert added.returncode == 0, added.stdout + added.stderr
        settings = {
            **{f"{name}_REPOSITORY_URL": f"{server.url}/provider" for name in ("JOB", "DEVICE")},
            **{f"{name}_REPOSITORY_API_KEY": "qumulus-provider" for name in ("JOB", "DEVICE")},
            "JOB_FETCHER_INTERVAL_SECONDS": "1",
            "DEVICE_FETCHER_INITIAL_INTERVAL_SECONDS": "1",
            "SSE_HOST_WORK_PATH": str(folder / "sse"),
            "SSE_CONTAINER_IMAGE": "qumulus-tests/none-such",
        }
        with running(found, folder, settings):
            deadline = time.monotonic() + 90
            while client.get(f"/devices/{DEVICE}", headers=USER).json()["status"] != "available":
                assert time.monotonic() < deadline, (folder / "core.log").read_text()[-5000:]
                time.sleep(0.1)
            yield client


def done(client: httpx2.Client, kind: str, content: dict[str, Any], **members: Any) -> tuple[dict[str, Any], Any]:
    """The job once it is final, and its result."""
    job = ended(client, submitted(client, content, device_id=DEVICE, job_type=kind, shots=1000, **members), seconds=120)
    information = job["job_info"]
    return job, unpacked(client.get(information["result"]).content) if "result" in information else None


def test_the_device_tells_of_its_qubits(client: httpx2.Client):
    device = client.get(f"/devices/{DEVICE}", headers=USER).json()
    assert (device["device_type"], device["n_qubits"]) == ("QPU", 7)
    told = unpacked(client.get(device["device_info"]).content)
    assert {"control": 0, "target": 1} in [
        {end: each[end] for end in ("control", "target")} for each in told["couplings"]
    ]
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize("mitigation", [{}, MITIGATED], ids=["plain", "mitigated"])
def test_a_program_is_transpiled_by_tranqu_and_run_by_the_gateway(client: httpx2.Client, mitigation: dict[str, Any]):
    job, result = done(client, "sampling", {"program": [BELL]}, mitigation_info=mitigation)
    assert job["status"] == "succeeded", job["job_info"].get("message")
    counts = result["sampling"]["counts"]
    assert (counts.get("00", 0) + counts.get("11", 0)) / 1000 > 0.9
    assert (job["transpiler_info"], job["mitigation_info"]) == (DEFAULT, mitigation)
    assert "transpile_result" in job["job_info"]
    assert job["execution_time"] > 0
    assert job["submitted_at"] <= job["ready_at"] <= job["running_at"] <= job["ended_at"]


def test_a_program_in_the_devices_gates_runs_as_it_is(client: httpx2.Client):
    job, result = done(client, "sampling", {"program": [FLIPPED]}, transpiler_info=UNTRANSPILED)
    assert job["status"] == "succeeded", job["job_info"].get("message")
    assert result["sampling"]["counts"]["10"] > 800
    assert job["transpiler_info"] == UNTRANSPILED
    assert "transpile_result" not in job["job_info"]


def test_an_operator_is_estimated(client: httpx2.Client):
    operator = [{"pauli": "Z 0 Z 1", "coeff": 2.0}]
    job, result = done(client, "estimation", {"program": [BELL], "operator": operator})
    assert job["status"] == "succeeded", job["job_info"].get("message")
    assert 1.5 < result["estimation"]["exp_value"] <= 2


def test_several_programs_are_combined_on_one_chip(client: httpx2.Client):
    job, result = done(client, "multi_manual", {"program": [FLIPPED, BELL]})
    assert job["status"] == "succeeded", job["job_info"].get("message")
    assert set(result["sampling"]["divided_counts"]) == {"0", "1"}
    assert "combined_program" in job["job_info"]


def test_a_program_of_the_type_sse_is_the_engines_own_which_needs_its_container(client: httpx2.Client):
    job, result = done(client, "sse", {"sse_program": "print('hi')"})
    assert (job["status"], result) == ("failed", None)
    assert job["job_info"]["message"] == "internal server error"  # what it says where it has no such image
    assert job["running_at"] <= job["ended_at"]


def test_what_is_no_program_fails_with_the_engines_words(client: httpx2.Client):
    job, result = done(client, "sampling", {"program": ["OPENQASM 3; what"]})
    assert (job["status"], result) == ("failed", None)
    assert job["job_info"]["message"]
