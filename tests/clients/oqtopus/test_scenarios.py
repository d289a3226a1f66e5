"""What the public black-box scenarios of OQTOPUS hold of a cloud: set-up, sampling, estimation, several programs.

The five scenarios of the job type sse, a Python program that runs beside the devices, are held to what this server says of them.
"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from apis.oqtopus.cloud import USER, ended, submitted, unpacked

STANDARD = 'OPENQASM 3; include "stdgates.inc"; '
BELL = STANDARD + "qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;"
STATE = STANDARD + "qubit[2] q; h q[0]; cx q[0], q[1];"
PHYSICAL = STANDARD + "bit[1] c; sx $0; c[0] = measure $0;"
OPERATOR = [{"pauli": "X 0 X 1", "coeff": 1.5}, {"pauli": "Y 0 Z 1", "coeff": 1.2}]
DEFAULT = {"transpiler_lib": "qiskit", "transpiler_options": {"optimization_level": 1}}
LEVEL_2 = {"transpiler_lib": "qiskit", "transpiler_options": {"optimization_level": 2}}
UNTRANSPILED = {"transpiler_lib": None}
MITIGATED = {"ro_error_mitigation": "pseudo_inverse"}


def finished(
    client: httpx2.Client, content: Any, name: str, device: str = "Kawasaki", **members: Any
) -> dict[str, Any]:
    """The final job, after all that every scenario holds of it."""
    asked = {"name": name, "description": f"description of {name}", "device_id": device, "shots": 1000, **members}
    job = ended(client, submitted(client, content, **asked))
    assert {member: job[member] for member in ("name", "description", "device_id", "shots", "job_type")} == {
        member: asked[member] for member in ("name", "description", "device_id", "shots", "job_type")
    }
    assert job["simulator_info"] == {}
    assert job["mitigation_info"] == members.get("mitigation_info", {})
    assert unpacked(client.get(job["job_info"]["input"]).content) == content
    return job


def succeeded(client: httpx2.Client, content: Any, name: str, **members: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A job that succeeded, and its result."""
    job = finished(client, content, name, **members)
    assert job["status"] == "succeeded", job["job_info"].get("message")
    assert job["execution_time"] > 0
    assert job["submitted_at"] <= job["ready_at"] <= job["running_at"] <= job["ended_at"]
    wanted = members.get("transpiler_info") or DEFAULT
    assert job["transpiler_info"] == wanted
    assert ("transpile_result" in job["job_info"]) == (wanted["transpiler_lib"] is not None)
    assert ("combined_program" in job["job_info"]) == (members["job_type"] == "multi_manual")
    assert "sse_log" not in job["job_info"]
    return job, unpacked(client.get(job["job_info"]["result"]).content)


def failed(client: httpx2.Client, content: Any, name: str, **members: Any) -> dict[str, Any]:
    """A job that failed before it came to the device."""
    job = finished(client, content, name, **members)
    assert job["status"] == "failed"
    assert "running_at" not in job
    assert "execution_time" not in job
    assert job["job_info"]["message"].endswith(".")
    return job


def test_set_up_finds_the_device_and_its_qubits(client: httpx2.Client) -> None:
    (device,) = (each for each in client.get("/devices", headers=USER).json() if each["device_id"] == "Kawasaki")
    assert (device["status"], device["device_type"]) == ("available", "QPU")
    information = unpacked(client.get(device["device_info"]).content)
    assert [qubit["id"] for qubit in information["qubits"]] == list(range(127))
    assert {"control", "target"} <= set(information["couplings"][0])


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("sampling", {}),
        ("sampling without options", {"transpiler_info": {}, "simulator_info": {}, "mitigation_info": {}}),
        ("sampling with a transpiler", {"transpiler_info": LEVEL_2}),
        ("sampling with mitigation", {"mitigation_info": MITIGATED}),
        ("sampling on a simulator", {"device": "qulacs"}),
    ],
)
def test_sampling(client: httpx2.Client, name: str, members: dict[str, Any]) -> None:
    _job, result = succeeded(client, {"program": [BELL]}, name, job_type="sampling", **members)
    assert sum(result["sampling"]["counts"].values()) == 1000
    assert result["sampling"]["counts"]["00"] + result["sampling"]["counts"]["11"] > 800


def test_sampling_untranspiled(client: httpx2.Client) -> None:
    options = {"job_type": "sampling", "transpiler_info": UNTRANSPILED}
    _job, result = succeeded(client, {"program": [PHYSICAL]}, "sampling untranspiled", **options)
    assert set(result["sampling"]["counts"]) == {"0", "1"}


def test_sampling_of_a_program_that_cannot_be_read(client: httpx2.Client) -> None:
    failed(client, {"program": ["OPENQASM 3; qubit[2] q; hh q[0];"]}, "invalid program", job_type="sampling")


@pytest.mark.parametrize("transpiler", [{}, LEVEL_2])
def test_estimation(client: httpx2.Client, transpiler: dict[str, Any]) -> None:
    content = {"program": [STATE], "operator": OPERATOR}
    _job, result = succeeded(client, content, "estimation", job_type="estimation", transpiler_info=transpiler)
    assert 1.0 < result["estimation"]["exp_value"] < 1.7
    assert result["estimation"]["stds"] > 0
    assert result["sampling"] is None


def test_several_programs_on_one_chip(client: httpx2.Client) -> None:
    job, result = succeeded(client, {"program": [BELL, BELL]}, "several programs", job_type="multi_manual")
    divided = result["sampling"]["divided_counts"]
    assert {index: sum(counts.values()) for index, counts in divided.items()} == {"0": 1000, "1": 1000}
    assert all(len(key) == 4 for key in result["sampling"]["counts"])
    assert unpacked(client.get(job["job_info"]["combined_program"]).content).startswith("OPENQASM 3")
    transpiled = unpacked(client.get(job["job_info"]["transpile_result"]).content)
    assert len(set(transpiled["virtual_physical_mapping"]["qubit_mapping"].values())) == 4
    assert transpiled["stats"]["after"]["n_qubits"] == 127


def test_a_python_program_says_that_it_cannot_be_run_here(client: httpx2.Client) -> None:
    job = failed(client, {"sse_program": "print(1)"}, "sse", job_type="sse")
    assert "sse" in job["job_info"]["message"]


@pytest.mark.parametrize(
    ("content", "members", "said"),
    [
        (b"no zip", {}, "not a zip file"),
        ({"program": []}, {}, "no programs"),
        ({"program": [1]}, {}, "no programs"),
        ({"program": [BELL, BELL]}, {}, "use the job type multi_manual"),
        ([], {}, "must be a JSON object"),
        (
            {"program": [STATE], "operator": [{"pauli": "Q 0", "coeff": 1}]},
            {"job_type": "estimation"},
            "no Pauli string",
        ),
        ({"program": [STATE], "operator": [{"pauli": "X 0"}]}, {"job_type": "estimation"}, "a number coeff"),
        ({"program": [STATE], "operator": [{"pauli": "X 5", "coeff": 1}]}, {"job_type": "estimation"}, "beyond"),
        ({"program": [STATE]}, {"job_type": "estimation"}, "no operator"),
        ({"program": [BELL]}, {"transpiler_info": {"transpiler_lib": "other"}}, "is not here"),
        ({"program": [BELL]}, {"mitigation_info": {"ro_error_mitigation": "magic"}}, "is not known here"),
    ],
)
def test_a_wrong_input_fails_with_a_sentence(
    client: httpx2.Client, content: Any, members: dict[str, Any], said: str
) -> None:
    asked = {"device_id": "Kawasaki", "shots": 10, "job_type": "sampling", **members}
    job = ended(client, submitted(client, content, **asked))
    assert job["status"] == "failed"
    assert said in job["job_info"]["message"]
