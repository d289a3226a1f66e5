"""Limits of the service itself: what its documents say that hardware does not take fails here with its code and words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit.classical import expr
from qiskit.quantum_info import SparsePauliOp

from qumulus.core.programs import Program
from qumulus.core.results import Failure
from qumulus.payloads import runtime_limits
from qumulus.payloads.runtime_errors import REGISTRY
from qumulus.simulation.devices import device_model
from qumulus.simulation.programs.runtime import service_limits
from qumulus.simulation.programs.runtime.service_limits import ServiceLimits

from . import runtime

FEZ = device_model("fez")


def loop(circuit: QuantumCircuit) -> None:
    with circuit.for_loop(range(2)):
        circuit.x(0)


def repeat(circuit: QuantumCircuit) -> None:
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.x(0)


def switch(circuit: QuantumCircuit) -> None:
    with circuit.switch(circuit.cregs[0]) as case, case(1):
        circuit.x(0)


def nested(circuit: QuantumCircuit) -> None:
    with circuit.if_test((circuit.clbits[0], 1)), circuit.if_test((circuit.clbits[1], 1)):
        circuit.x(0)


def measured(circuit: QuantumCircuit) -> None:
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.measure(1, 1)


def reset(circuit: QuantumCircuit) -> None:
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.reset(1)


def added(circuit: QuantumCircuit) -> None:
    with circuit.if_test(expr.equal(expr.add(circuit.cregs[0], 1), 2)):
        circuit.x(0)


def conditional(circuit: QuantumCircuit) -> None:
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)


def dynamic(body: Callable[[QuantumCircuit], None]) -> QuantumCircuit:
    circuit = QuantumCircuit(127, 2)
    circuit.measure(0, 0)
    body(circuit)
    circuit.measure(1, 1)
    return circuit


def refused(program: Program, code: int, words: str) -> None:
    outcome = runtime.run(program)
    assert outcome.failure is Failure.PROGRAM, outcome
    assert (outcome.reason_code, outcome.run_seconds) == (code, 0.0)
    assert words in (outcome.reason or "")


def sampled(circuit: QuantumCircuit, options: dict[str, Any] | None = None, **settings: Any) -> Program:
    return runtime.sampler([circuit], {"default_shots": 10, **(options or {})}, **{"service_limits": True, **settings})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (loop, "Instruction for_loop is not supported."),
        (repeat, "Instruction while_loop is not supported."),
        (switch, "Instruction switch_case is not supported."),
        (nested, "Instruction if_else is not supported. It stands under a condition; nested conditions"),
        (measured, "Instruction measure is not supported. It stands under a condition"),
        (reset, "Instruction reset is not supported. It stands under a condition"),
        (added, "Instruction if_else is not supported. It computes with numbers"),
    ],
)
def test_control_flow_that_hardware_does_not_take_is_refused_unless_the_limits_are_off(body, words):
    refused(sampled(dynamic(body)), 7001, words)
    off = runtime.run(sampled(dynamic(body), service_limits=False))
    assert off.succeeded or body is repeat  # which the target of the device does not have anyway


def test_one_condition_is_taken_also_of_a_bit_of_a_wide_register():
    assert runtime.run(sampled(dynamic(conditional))).succeeded
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(40))
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    assert runtime.run(sampled(circuit)).succeeded
    with circuit.if_test((circuit.cregs[0], 1)):
        circuit.x(1)
    refused(sampled(circuit), 7001, "It compares 40 bits, and may compare 32")


def test_the_estimator_takes_no_dynamic_circuits():
    circuit = dynamic(conditional)
    observable = SparsePauliOp("I" * 126 + "Z")
    refused(runtime.estimator([(circuit, observable)], service_limits=True), 7001, "use the sampler")
    assert runtime.run(runtime.estimator([(circuit, observable)])).succeeded


def rotated() -> QuantumCircuit:
    circuit = QuantumCircuit(156, 1)
    circuit.rx(0.3, 3)
    circuit.measure(3, 0)
    return circuit


def test_fractional_gates_are_not_twirled():
    words = "Gate twirling does not support fractional gates."
    twirled = {"twirling": {"enable_gates": True}}
    refused(sampled(rotated(), twirled, device="fez"), 1519, words)
    assert runtime.run(sampled(rotated(), {"twirling": {"enable_measure": True}}, device="fez")).succeeded
    bare = rotated().remove_final_measurements(inplace=False)
    pub = (bare, SparsePauliOp("I" * 152 + "ZIII"))
    for level, fails in ((0, False), (1, False), (2, True)):
        program = runtime.estimator([pub], resilience_level=level, device="fez", service_limits=True)
        if fails:
            refused(program, 1519, words)
        else:
            assert runtime.run(program).succeeded
    params = {"circuits": [bare]}
    refused(runtime.job(params, kind="noise-learner", device="fez", service_limits=True), 1519, words)


def test_gate_twirling_does_not_go_with_stretches_nor_measurement_twirling_with_store():
    circuit = QuantumCircuit(127, 1)
    circuit.delay(circuit.add_stretch("a"), 0)
    circuit.measure(0, 0)
    refused(sampled(circuit, {"twirling": {"enable_gates": True}}), 1002, "stretches")
    stored = QuantumCircuit(QuantumRegister(127), ClassicalRegister(1, "c"), ClassicalRegister(1, "t"))
    stored.measure(0, 0)
    stored.store(stored.cregs[1], stored.cregs[0])
    refused(sampled(stored, {"twirling": {"enable_measure": True}}), 1002, "store")


def test_decoupling_does_not_go_with_dynamic_circuits():
    refused(sampled(dynamic(conditional), {"dynamical_decoupling": {"enable": True}}), 1002, "dynamic circuits")


def test_a_sampler_job_may_have_ten_million_executions():
    circuit = QuantumCircuit(127, 1)
    circuit.measure(0, 0)
    words = "Too many shots given (10000001 > 10000000)."
    program = runtime.sampler([(circuit, None, 10_000_000), (circuit, None, 1)], service_limits=True)
    refused(program, 6000, words)
    twirled = {"twirling": {"enable_measure": True, "num_randomizations": 1000, "shots_per_randomization": 10_001}}
    refused(sampled(circuit, twirled), 6000, "Too many shots given (10001000 > 10000000)")


def test_shots_over_the_max_shots_of_the_configuration_are_taken():
    circuit = QuantumCircuit(127, 1)
    circuit.measure(0, 0)
    assert runtime.run(sampled(circuit, {"default_shots": 100_001})).succeeded


def test_a_delay_between_shots_that_the_device_does_not_have_is_refused():
    execution = {"execution": {"rep_delay": 0.5}}
    circuit = QuantumCircuit(127, 1)
    circuit.measure(0, 0)
    refused(sampled(circuit, execution), 8030, "Repetition delay (0.5 s) is not supported. It may be 0 to 0.0005 s")


def test_a_job_may_have_three_hours_of_usage():
    circuit = QuantumCircuit(127, 1)
    circuit.delay(1_000_000_000, 0, "dt")
    circuit.measure(0, 0)
    outcome = runtime.run(sampled(circuit, {"default_shots": 100_000}, most_usage=1e6))
    assert (outcome.failure, outcome.run_seconds) == (Failure.TIME, 10_800)


def test_circuits_with_too_many_gates_are_refused(monkeypatch):
    small = {"RZ_GATES": 3, "SX_GATES": 3, "TWO_QUBIT_GATES": 3, "QUBIT_INSTRUCTIONS": 200}
    for name, value in small.items():
        monkeypatch.setattr(service_limits.limits, name, getattr(runtime_limits, name)._replace(value=value))
    checks = ServiceLimits(FEZ)
    for gate, words in (("rz", "4 rz gates and may have 3"), ("sx", "4 sx gates and may have 3"), ("cz", "may have 3")):
        circuit = QuantumCircuit(2)
        for _ in range(4):
            getattr(circuit, gate)(*{"rz": (0.1, 0), "sx": (0,), "cz": (0, 1)}[gate])
        with pytest.raises(Exception, match=words) as caught:
            checks.sizes([circuit], reset=True)
        assert getattr(caught.value, "code", None) == 8031
    measured = QuantumCircuit(1, 1)
    for _ in range(16):
        measured.measure(0, 0)
    checks.sizes([measured], reset=False)
    with pytest.raises(Exception, match="A qubit has 210 instructions of the control system and may have 200"):
        checks.sizes([measured], reset=True)
    folded = QuantumCircuit(2)
    folded.cz(0, 1)
    checks.sizes([folded], reset=False, folded=3.0)
    with pytest.raises(Exception, match="may have 3"):
        checks.sizes([folded], reset=False, folded=9.0)


def test_programs_of_the_executor_are_held_to_the_limits_of_control_flow():
    checks = ServiceLimits(FEZ)
    boxed = QuantumCircuit(1, 1)
    with boxed.box(), boxed.for_loop(range(2)):
        boxed.x(0)
    with pytest.raises(Exception, match="for_loop"):
        checks.dynamic(boxed)


def test_inputs_of_the_first_primitives_are_told_apart():
    outcome = runtime.run(runtime.job({"circuits": [], "parameters": []}, kind="sampler"))
    assert (outcome.reason_code, outcome.reason) == (1515, REGISTRY[1515].message)


def test_broken_programs_and_observables_of_another_width_have_codes_of_their_own():
    broken = runtime.run(runtime.job({"pubs": [["OPENQASM 3.0; nothing"]]}, kind="sampler"))
    assert broken.reason_code == 1603
    assert (broken.reason or "").startswith("Job not valid. Error loading QASM circuit: ")
    bell = QuantumCircuit(2)
    bell.h(0)
    isa = transpile(bell, target=device_model("brisbane").target)
    narrow = runtime.run(runtime.estimator([[isa, {"ZZ": 1.0}]]))
    assert (narrow.reason_code, "(127)" in (narrow.reason or "")) == (1501, True)


def test_every_limit_names_a_source_and_a_code_that_the_registry_has():
    known = [value for value in vars(runtime_limits).values() if isinstance(value, runtime_limits.Limit)]
    assert len(known) > 12
    for limit in known:
        assert limit.source.startswith("https://"), limit
        assert limit.code is None or limit.code in REGISTRY, limit
        assert np.datetime64(limit.as_of) <= np.datetime64("2026-12"), limit
