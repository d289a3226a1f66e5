"""The sixteen public black-box scenarios of OQTOPUS: set-up, seven of sampling, five of sse, two of estimation, one of several programs.

Whoever runs the originals names this server, its token and a device, as they do: in small letters here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from apis.oqtopus.cloud import USER, ended, submitted, unpacked
from clients.environments import CLIENTS, environment
from qumulus.apis.oqtopus.programs import CONTAINER
from servers import Server

DEVICE = "kawasaki"
STANDARD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'
TWO = STANDARD + "qubit[2] q;\nbit[2] c;\n"
BELL = TWO + "h q[0];\ncx q[0], q[1];\nc = measure q;\n"
NATIVE = TWO + "cx q[0], q[1];\nc = measure q;\n"
MISSPELT = BELL.replace("qubit", "quit")
FLIPPED = TWO + "x q[1];\nc = measure q;\n"
HALF = TWO + "h q[1];\nc = measure q;\n"
OPERATOR = [{"pauli": "X 0 X 1", "coeff": 1.5}, {"pauli": "Y 0 Z 1", "coeff": 1.2}]
DEFAULT = {"transpiler_lib": "qiskit", "transpiler_options": {"optimization_level": 1}}
LAID_OUT = {"transpiler_lib": "qiskit", "transpiler_options": {"initial_layout": [0, 1]}}
UNTRANSPILED = {"transpiler_lib": None}
MITIGATED = {"ro_error_mitigation": "pseudo_inverse"}

LOOP = """
import time
import traceback
import cirq, matplotlib, networkx, numpy, openfermion, openjij, pandas, pennylane, polars, pyqubo, qiskit, qulacs, scipy, sklearn, skqulacs, tqdm
from quri_parts.circuit import QuantumCircuit
from quri_parts.core.operator import Operator, pauli_label
from quri_parts_oqtopus.backend import OqtopusConfig, OqtopusEstimationBackend, OqtopusSamplingBackend

for i in range(3):
    print(f"## Start iteration {i} ##")
    try:
        circuit = QuantumCircuit(2)
        %s
        print(job)
        result = job.result()
        print("#### Result:")
        print(%s)
    except Exception:
        print(traceback.format_exc())
        print("#### FAILED")

print("## Finish ##")
"""
ANY_GATES = "circuit.add_H_gate(0); circuit.add_CNOT_gate(0, 1); circuit.add_RY_gate(1, 0.1 * i)"
NATIVE_GATES = "circuit.add_X_gate(0); circuit.add_CNOT_gate(0, 1)"
SAMPLE = "; job = OqtopusSamplingBackend().sample(circuit, shots=10 * i + 100, name='test circuit', device_id='', %s)"
ESTIMATE = (
    "; operator = Operator({pauli_label('X0 X1'): 1, pauli_label('Z0 Z1'): 1})"
    "; job = OqtopusEstimationBackend().estimate(circuit, shots=1000, device_id='sse', operator=operator)"
)


def sampler(gates: str, options: str) -> str:
    return LOOP % (gates + SAMPLE % options, "result.counts")


MITIGATING = sampler(ANY_GATES, "transpiler_info={}, mitigation_info={'ro_error_mitigation': 'pseudo_inverse'}")
TRANSPILING = sampler(ANY_GATES, "transpiler_info={}")
NATIVE_PROGRAM = sampler(NATIVE_GATES, "transpiler_info={'transpiler_lib': None}")
FOREIGN_PROGRAM = sampler(ANY_GATES, "transpiler_info={'transpiler_lib': None}")
ESTIMATING = LOOP % (ANY_GATES.rpartition(";")[0] + ESTIMATE, "result.exp_value, result.stds")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is sent, and what the final job has to show."""

    kind: str
    content: dict[str, Any]
    transpiler: dict[str, Any] = field(default_factory=dict)
    mitigation: dict[str, Any] = field(default_factory=dict)
    status: str = "succeeded"
    used: dict[str, Any] = field(default_factory=lambda: DEFAULT)
    transpiled: bool = True
    result: str = "sampling"


SCENARIOS = {
    "sampling-default-transpiler": Scenario(kind="sampling", content={"program": [BELL]}),
    "sampling-qiskit-transpiler": Scenario(kind="sampling", content={"program": [BELL]}, transpiler=DEFAULT),
    "sampling-qiskit-transpiler-mitigation": Scenario(
        kind="sampling", content={"program": [BELL]}, transpiler=DEFAULT, mitigation=MITIGATED
    ),
    "sampling-custom-transpiler": Scenario(
        kind="sampling", content={"program": [BELL]}, transpiler=LAID_OUT, used=LAID_OUT
    ),
    "sampling-no-transpiler": Scenario(
        kind="sampling", content={"program": [NATIVE]}, transpiler=UNTRANSPILED, used=UNTRANSPILED, transpiled=False
    ),
    "sampling-no-transpiler-mitigation": Scenario(
        kind="sampling",
        content={"program": [NATIVE]},
        transpiler=UNTRANSPILED,
        mitigation=MITIGATED,
        used=UNTRANSPILED,
        transpiled=False,
    ),
    "sampling-with-invalid-qasm": Scenario(
        kind="sampling", content={"program": [MISSPELT]}, transpiler=DEFAULT, status="failed", transpiled=False
    ),
    "estimation": Scenario(kind="estimation", content={"program": [BELL], "operator": OPERATOR}, result="estimation"),
    "estimation-qiskit-transpiler": Scenario(
        kind="estimation",
        content={"program": [BELL], "operator": OPERATOR},
        transpiler=DEFAULT,
        result="estimation",
    ),
    "mp": Scenario(kind="multi_manual", content={"program": [FLIPPED, HALF]}, transpiler=DEFAULT),
    "sse": Scenario(kind="sse", content={"sse_program": MITIGATING}),
    "sse-estimation": Scenario(kind="sse", content={"sse_program": ESTIMATING}, result="estimation"),
    "sse-no-transpiler": Scenario(
        kind="sse", content={"sse_program": NATIVE_PROGRAM}, used=UNTRANSPILED, transpiled=False
    ),
    "sse-no-transpiler-failed": Scenario(
        kind="sse", content={"sse_program": FOREIGN_PROGRAM}, status="failed", used=UNTRANSPILED, transpiled=False
    ),
    "sse-non-zero-exit-failed": Scenario(
        kind="sse", content={"sse_program": TRANSPILING + "raise SystemExit(1)\n"}, status="failed", transpiled=False
    ),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    settings = {
        "QUMULUS_DEVICE_INFO": "inline",  # the originals read it so
        "QUMULUS_SSE_PYTHON": str(environment("sse-oqtopus")),
    }
    home = tmp_path_factory.mktemp("scenarios") / "state"
    with Server(home, environment=settings) as server, httpx2.Client(base_url=server.url, timeout=30) as client:
        yield client


def test_the_programs_have_what_the_named_set_installs() -> None:
    assert tuple(CLIENTS["sse-oqtopus"]["requires"]) == CONTAINER


def test_setup(client: httpx2.Client) -> None:
    answer = client.get("/devices", headers=USER)
    assert answer.status_code == 200
    (device,) = (each for each in answer.json() if each["device_id"].lower() == DEVICE)
    assert device["status"] == "available"
    assert {0, 1} <= {qubit["id"] for qubit in json.loads(device["device_info"])["qubits"]}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_job(client: httpx2.Client, name: str) -> None:
    scenario = SCENARIOS[name]
    asked = {
        "name": name,
        "description": f"description of {name}",
        "device_id": DEVICE,
        "job_type": scenario.kind,
        "shots": 1000,
        "mitigation_info": scenario.mitigation,
        "simulator_info": {},
        "transpiler_info": scenario.transpiler,
    }
    job_id = submitted(client, scenario.content, **asked)
    job = ended(client, job_id, seconds=100)  # the originals look twenty times, five seconds apart
    information = job["job_info"]
    assert job["status"] == scenario.status, information.get("message")
    assert job == job | asked | {"transpiler_info": scenario.used}
    present = {"input"}
    if scenario.status == "succeeded":
        present |= {"result"}
        present |= {"sse": {"sse_log"}, "multi_manual": {"combined_program"}}.get(scenario.kind, set())
    if scenario.transpiled:
        present |= {"transpile_result"}
    assert set(information) - {"message"} == present
    if scenario.status == "failed" and scenario.kind != "sse":
        assert job["submitted_at"] <= job["ready_at"]
        assert {"running_at", "execution_time"} & set(job) == set()
    else:
        assert job["submitted_at"] <= job["ready_at"] <= job["running_at"] <= job["ended_at"]
        assert job["execution_time"] > 0
    if scenario.status == "succeeded":
        result = unpacked(client.get(information["result"]).content)
        assert result[scenario.result] is not None
