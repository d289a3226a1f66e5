"""A job of many pubs on several cores: the same results, whoever ran which part, and whatever happened to them."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime.quantum_program import QuantumProgram

from qumulus.core.programs import Program
from qumulus.payloads import OPENQASM_ARCHIVE
from qumulus.payloads.zip_files import pack_json
from qumulus.simulation.devices import DeviceModel, device_model
from qumulus.simulation.sharing import Part, allowed, parts

from .circuits import isa, su2
from .programs.runtime import estimator, sampler
from .programs.test_runtime_executor import executor

BRISBANE = device_model("brisbane")

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="workers fork helpers on Linux only")


def shared(name: str, processes: int, sent: str = "") -> Any:
    """What a process says in which one of the programs was shared."""
    command = [sys.executable, "-m", "simulation.sharing_programs", name, str(processes)]
    return json.loads(subprocess.check_output(command, input=sent, text=True, timeout=60, cwd="tests"))


def kicked(model: DeviceModel) -> QuantumCircuit:
    """Five qubits with one parameter, as the device takes them."""
    circuit, kick = QuantumCircuit(5), Parameter("kick")
    for _ in range(2):
        circuit.rx(kick, range(5))
        for qubit in range(4):
            circuit.cx(qubit, qubit + 1)
    return isa(circuit, model)


def mitigated_estimation() -> Program:
    """An OQTOPUS job with three bases, each of which is mitigated; it is transpiled, which leaves no threads behind."""
    code = "OPENQASM 3; qubit[2] q; h q[0]; cnot q[0], q[1];"
    mitigation = {"mitigation_info": {"ro_error_mitigation": "pseudo_inverse"}}
    operator = [{"pauli": f"{letter}0 {letter}1", "coeff": 1.0} for letter in "XYZ"]
    return Program(
        job_id="job",
        kind=OPENQASM_ARCHIVE.name,
        payload=pack_json("input.json", {"program": [code], "operator": operator}),
        device="lima",
        shots=500,
        seed=7,
        options={"job_type": "estimation", **mitigation},
    )


def values(found: dict[str, Any]) -> list[Any]:
    return [[members["index"], drawn, none] for members, drawn, none in found["said"]]


def helped(found: dict[str, Any]) -> list[bool]:
    return [members["helped"] for members, *_ in found["said"]]


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    return shared("part", 1)


def test_parts_are_the_same_in_the_same_order_however_many_processes_run_them(alone) -> None:
    together = shared("part", 3)
    assert values(together) == values(alone)
    assert helped(alone) == [False] * 8
    assert helped(together) == [False] + [True] * 7  # after the first it is known what one takes
    assert together["lines"] == alone["lines"]


def test_a_helper_that_dies_costs_no_part(alone) -> None:
    found = shared("dies", 2)
    assert values(found) == values(alone)
    assert helped(found)[3] is False


def test_the_first_part_that_is_wrong_ends_the_job_as_it_would_have() -> None:
    *before, last = shared("fails", 2)["said"]
    assert [members["index"] for members, *_ in before] == [0, 1, 2, 3]
    assert last == "The fifth is wrong."


def test_helpers_have_no_more_memory_at_once_than_the_job(alone) -> None:
    found = shared("needs", 3)
    assert values(found) == values(alone)
    assert max(found["asked"]) <= 100


def test_a_job_has_the_same_results_with_helpers() -> None:
    circuits = [isa(su2(4 + k % 3, 2), BRISBANE) for k in range(4)]
    observable = SparsePauliOp.from_sparse_list([("ZZ", [0, 1], 1.0), ("X", [2], 0.5)], BRISBANE.n_qubits)
    programs = [estimator([(each, observable) for each in circuits])]
    for circuit in circuits:
        circuit.measure_all()
    programs.append(sampler([(each,) for each in circuits]))
    swept = kicked(BRISBANE)
    values = np.linspace(0.1, 1.0, 4)
    programs.append(estimator([(swept, observable, values)]))
    swept = swept.copy()
    swept.measure_all()
    programs.append(sampler([(swept, values)]))
    several = circuits[0].remove_final_measurements(inplace=False)
    letters = [("X", [0], 1.0), ("Y", [0], 0.4), ("Z", [0], 0.2)]
    programs.append(estimator([(several, SparsePauliOp.from_sparse_list(letters, BRISBANE.n_qubits))]))
    program = QuantumProgram(shots=200)
    for each in circuits:
        program.append_circuit_item(each)
    programs += [executor(program), mitigated_estimation()]
    sent = []
    for program in programs:
        members = {name: getattr(program, name) for name in ("job_id", "kind", "device", "shots", "seed", "noise")}
        members |= {"options": dict(program.options), "payload": b64encode(program.payload).decode()}
        sent.append(members)
    ended = shared("jobs", 0, json.dumps(sent))
    for index, said in enumerate(
        ("3 pubs", "3 pubs", "3 sets of values", "3 sets of values", "2 bases", "3 items", "2 bases")
    ):
        alone, together = ended[2 * index : 2 * index + 2]
        assert together["results"] == alone["results"]
        assert any(f"2 processes share {said}" in line for line in together["lines"])
        assert not any("processes" in line for line in alone["lines"])


def test_a_process_with_several_threads_runs_all_parts_itself() -> None:
    ran: list[int] = []

    def work(index: int) -> Part:
        ran.append(index)
        return Part({}, {})

    with allowed(4, 100):
        assert len(list(parts(3, work))) == 3
    assert ran == [0, 1, 2]
