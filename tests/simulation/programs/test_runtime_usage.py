"""Usage: what the service counts of a job, by its formula and whatever machine simulates."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from qumulus.core.results import Failure
from qumulus.simulation.devices import device_model
from qumulus.simulation.programs.runtime.usage import SUB_JOB_EXECUTIONS, Load, quantum_seconds

from . import runtime

DELAY = 250e-6
MODEL = device_model("brisbane")
MEASURED = MODEL.cycles("measure", (0,)) * MODEL.cycle
RESET = MODEL.cycles("reset", (0,)) * MODEL.cycle


def flipped(*, parameter: bool = False) -> QuantumCircuit:
    """A circuit of one pulse and a measurement on the device's first qubit."""
    circuit = QuantumCircuit(127, 1)
    circuit.x(0)
    if parameter:
        circuit.rz(Parameter("a"), 0)
    circuit.measure(0, 0)
    return circuit


def pulse() -> float:
    return MODEL.cycles("x", (0,)) * MODEL.cycle


def usage(program) -> float:
    outcome = runtime.run(program)
    assert outcome.succeeded, outcome.reason
    return outcome.run_seconds


def test_a_job_is_counted_by_the_formula_and_not_by_the_time_that_it_took():
    once = RESET + pulse() + MEASURED
    seconds = usage(runtime.sampler([flipped()], {"default_shots": 1000}))
    assert seconds == pytest.approx(2 + 1000 * (DELAY + once), rel=1e-9)
    assert usage(runtime.sampler([flipped()], {"default_shots": 1000})) == seconds


def test_the_time_of_the_executions_is_told_apart():
    outcome = runtime.run(runtime.sampler([flipped()], {"default_shots": 1000}))
    assert outcome.metadata["executing"] == pytest.approx(outcome.run_seconds - 2)


def test_sets_of_values_and_the_delay_between_shots_count():
    values = np.zeros((3, 1))
    options = {"default_shots": 100, "execution": {"rep_delay": 0.001, "init_qubits": True}}
    seconds = usage(runtime.sampler([(flipped(parameter=True), values)], options))
    assert seconds == pytest.approx(2 + 300 * (0.001 + RESET + pulse() + MEASURED), rel=1e-9)


def test_a_delay_makes_a_circuit_longer():
    waits = flipped()
    waits.delay(100_000, 0, "dt")
    waits.measure(0, 0)
    longer = usage(runtime.sampler([waits], {"default_shots": 1000}))
    assert longer == pytest.approx(
        2 + 1000 * (DELAY + RESET + pulse() + 2 * MEASURED + 100_000 * MODEL.cycle), rel=1e-9
    )


def test_bases_noise_factors_and_the_calibration_of_the_readout_count():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    isa = transpile(circuit, target=MODEL.target, initial_layout=[1, 0], seed_transpiler=1)
    observable = SparsePauliOp(["ZZ", "XX", "ZI"]).apply_layout(isa.layout)  # two bases
    by_level = [
        runtime.run(runtime.estimator([(isa, observable, None, 1 / 32)], resilience_level=level)) for level in range(3)
    ]
    executions = [outcome.metadata["circuits"]["executions"] for outcome in by_level]
    assert executions == [2 * 1024, 3 * 1024, 7 * 1024]
    seconds = [outcome.run_seconds for outcome in by_level]
    once = (seconds[0] - 2) / executions[0]
    assert DELAY + MEASURED < once < DELAY + MEASURED + 5e-6
    assert seconds[2] - seconds[1] > 4 * 1024 * once  # folded circuits last longer


def test_the_learner_of_noise_measures_each_layer_in_nine_bases_at_each_depth():
    circuit = QuantumCircuit(127)
    circuit.ecr(1, 0)
    options = {"num_randomizations": 2, "shots_per_randomization": 10, "layer_pair_depths": [0, 3]}
    params = {"circuits": [circuit], "options": options}
    seconds = usage(runtime.job(params, kind="noise-learner"))
    gate = MODEL.cycles("ecr", (1, 0)) * MODEL.cycle
    assert seconds == pytest.approx(2 + 9 * 20 * (2 * (DELAY + RESET + MEASURED) + 6 * gate), rel=1e-9)


def test_a_large_job_is_divided():
    executions = 2 * SUB_JOB_EXECUTIONS + 1
    assert quantum_seconds([Load(executions, 0.0)], 0.0) == 6.0
    assert quantum_seconds([], 0.00025) == 2.0


def test_what_is_not_valid_is_not_charged():
    circuit = QuantumCircuit(127, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    outcome = runtime.run(runtime.sampler([circuit]))
    assert (outcome.failure, outcome.run_seconds) == (Failure.PROGRAM, 0.0)
    assert sum(outcome.metadata["timings"].values()) > 0


def test_a_job_that_would_have_the_device_for_too_long_is_ended_with_what_it_may_use():
    log: list[str] = []
    outcome = runtime.run(runtime.sampler([flipped()], {"default_shots": 100_000}, most_usage=10), log)
    assert (outcome.failure, outcome.run_seconds, outcome.result) == (Failure.TIME, 10, b"")
    assert "max_execution_time" in (outcome.reason or "")
    assert any(line.startswith("Estimated usage: ") for line in log)


def test_a_dry_run_is_not_charged():
    outcome, real = (runtime.run(runtime.sampler([flipped()], dry_run=kind)) for kind in (True, False))
    assert (outcome.succeeded, outcome.run_seconds) == (True, 0.0)
    assert outcome.metadata["would_use"] == real.run_seconds > 0  # but told what it would use


def test_the_metrics_tell_the_width_of_circuits():
    outcome = runtime.run(runtime.sampler([flipped()]))
    assert outcome.metadata["circuits"]["qubits"] == [127]
