"""Circuits of jobs of every kind, as a drawing needs them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit_ibm_runtime.options_models.executor import ExecutorOptions
from qiskit_ibm_runtime.quantum_program import QuantumProgram
from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS

from qumulus import payloads
from qumulus.core.programs import Program
from qumulus.core.results import Failure, Outcome
from qumulus.payloads.drawings import DRAWING, CircuitToDraw, Stage
from qumulus.payloads.zip_files import pack_json
from qumulus.simulation.devices import device_model
from qumulus.simulation.drawing import MOST_OPERATIONS, as_sent
from qumulus.simulation.programs.drawing import SOURCES
from qumulus.simulation.worker import run
from simulation.circuits import isa

from .runtime import estimator, job, sampler

BELL = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
BELL2 = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'
CONDITIONAL = (
    "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; c[0] = measure q[0]; if (c[0]) { x q[1]; } else { z q[1]; } "
    "c[1] = measure q[1];"
)


def native() -> QuantumCircuit:
    """One that brisbane runs: what a client of IBM's sends."""
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return isa(circuit, device_model("brisbane"))


def executed() -> Program:
    program = QuantumProgram(shots=10)
    program.append_circuit_item(native())
    *_, encoder = (each.encoder for each in QUANTUM_PROGRAM_PARAMS_CONVERTERS.values())
    return job(encoder(program, ExecutorOptions()).model_dump(mode="json"), kind="executor")


def learned() -> Program:
    return job({"circuits": [native()], "options": {}}, kind="noise-learner")


def unmeasured() -> QuantumCircuit:
    return native().remove_final_measurements(inplace=False)


def task(code: str, device: str = "kawasaki") -> Program:
    return Program(job_id="a", kind="openqasm", payload=json.dumps({"code": code}).encode(), device=device)


def archived() -> Program:
    payload = pack_json("input.json", {"program": [BELL, CONDITIONAL]})
    return Program(job_id="a", kind="openqasm.job", payload=payload, device="kawasaki")


def provided() -> Program:
    given = payloads.CIRCUITS.payload(format="OPEN_QASM_V2", input=BELL2, parameters={}, most=10)
    return Program(job_id="a", kind="kipu", payload=given.encode(), device="qulacs", shots=10)


JOBS: Mapping[str, Program] = {
    made.kind: made
    for made in (
        sampler([(native(),)]),
        estimator([(unmeasured(), "Z" + "I" * 126)]),
        executed(),
        learned(),
        task(BELL),
        archived(),
        provided(),
    )
}


def outcome(of: Program, circuit: int = 0, stage: Stage = "sent") -> Outcome:
    wanted = CircuitToDraw(
        kind=of.kind,
        device=of.device,
        calibration=of.calibration,
        options=of.options,
        circuit=circuit,
        stage=stage,
        payload=of.payload,
    )
    program = Program(job_id="b", kind=DRAWING.name, payload=DRAWING.encode(wanted), device="qulacs")
    return run(program, lambda *_: None)


def drawn(of: Program, circuit: int = 0, stage: Stage = "sent") -> dict[str, Any]:
    ended = outcome(of, circuit, stage)
    assert ended.succeeded, ended.reason
    return json.loads(ended.result)


def names(drawing: Mapping[str, Any]) -> list[str]:
    return [operation["name"] for operation in drawing["operations"]]


def test_every_kind_of_job_with_circuits_has_a_test() -> None:
    assert set(JOBS) == set(SOURCES)


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("stage", ["sent", "scheduled"])
def test_a_circuit_of_every_kind_of_job_is_drawn_on_the_wires_that_it_uses(kind: str, stage: Stage) -> None:
    drawing = drawn(JOBS[kind], stage=stage)
    assert len(drawing["qubits"]) == 2
    assert {name for each in drawing["operations"] for name in each["qubits"]} == set(drawing["qubits"])
    assert any(len(each["qubits"]) == 2 for each in drawing["operations"])
    assert (drawing["length"] is None) == (stage == "sent")


def test_a_circuit_is_drawn_in_the_words_of_who_sent_it() -> None:
    drawing = drawn(JOBS["openqasm"])
    assert (drawing["qubits"], drawing["clbits"]) == (["q[0]", "q[1]"], ["c[0]", "c[1]"])
    assert names(drawing) == ["h", "cx", "measure", "measure"]
    assert drawing["operations"][1]["qubits"] == ["q[0]", "q[1]"]
    assert drawing["cycle"] is None


def test_what_is_scheduled_follows_what_it_waits_for_and_fills_the_length() -> None:
    drawing = drawn(JOBS["runtime.sampler"], stage="scheduled")
    gate = next(each for each in drawing["operations"] if each["name"] == "ecr")
    measurements = [each for each in drawing["operations"] if each["name"] == "measure"]
    assert all(each["begin"] >= gate["begin"] + gate["length"] for each in measurements)
    assert max(each["begin"] + each["length"] for each in drawing["operations"]) == drawing["length"]
    assert drawing["length"] * drawing["cycle"] == pytest.approx(2e-6, rel=0.5)


def test_a_task_is_scheduled_on_the_gates_and_qubits_of_its_device() -> None:
    drawing = drawn(JOBS["openqasm"], stage="scheduled")
    assert {"ecr", "measure"} <= set(names(drawing))
    assert "cx" not in names(drawing)
    assert all(qubit.isdigit() for qubit in drawing["qubits"])


def test_the_branches_of_a_conditional_say_which_they_are_and_end_together() -> None:
    sent = drawn(JOBS["openqasm.job"], circuit=1)
    assert sent["circuits"] == 2
    assert [(each["name"], each["within"]) for each in sent["operations"]] == [
        ("h", None), ("measure", None), ("x", "if"), ("z", "else"), ("measure", None),
    ]  # fmt: skip
    scheduled = drawn(task(CONDITIONAL), stage="scheduled")
    branches = [each for each in scheduled["operations"] if each["within"]]
    assert len({each["begin"] + each["length"] for each in branches}) == 1


def test_a_long_circuit_is_drawn_up_to_a_number_of_operations() -> None:
    circuit = QuantumCircuit(1)
    for _ in range(MOST_OPERATIONS + 3):
        circuit.x(0)
    drawing = as_sent(circuit)
    assert (len(drawing["operations"]), drawing["left"]) == (MOST_OPERATIONS, 3)


@pytest.mark.parametrize(
    ("of", "circuit", "said"),
    [
        (task("OPENQASM 3; nonsense;"), 0, "Line 1, column 13"),
        (task(BELL), 1, "The job has 1 programs: there is none with the number 1."),
        (job({"pubs": []}, kind="sampler"), 0, "The job has 0 pubs: there is none with the number 0."),
        (job({"pubs": [[]]}, kind="sampler"), 0, "The job has 0 members of a pub"),
        (
            job({"pubs": [[{"__type__": "QuantumCircuit", "__value__": b64encode(b"no").decode()}]]}, kind="sampler"),
            0,
            "circuit",
        ),
        (Program(job_id="a", kind="openqasm.job", payload=b"no zip", device="qulacs"), 0, "The input"),
        (Program(job_id="a", kind="service", payload=b"", device="qulacs"), 0, "The job brought no circuits."),
    ],
)
def test_what_can_not_be_drawn_says_why(of: Program, circuit: int, said: str) -> None:
    ended = outcome(of, circuit)
    assert ended.failure is Failure.PROGRAM
    assert said in (ended.reason or "")
