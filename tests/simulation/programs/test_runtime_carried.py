"""Qubits that nobody resets between shots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime.options_models import ExecutorOptions
from qiskit_ibm_runtime.quantum_program import QuantumProgram

from qumulus.core.results import Failure
from qumulus.simulation.carried import delay_between_shots
from qumulus.simulation.devices import device_model
from simulation.circuits import bell, isa

from .runtime import estimator, job, result, run, sampler
from .test_runtime_executor import params
from .test_runtime_executor import result as executed

BRISBANE = device_model("brisbane")
SHOTS = 40_000


def options(delay: float | None = None, **more: Any) -> dict[str, Any]:
    return {"execution": {"init_qubits": False, **({} if delay is None else {"rep_delay": delay})}, **more}


def flipped() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.measure_all()
    return circuit


def shots(circuit: QuantumCircuit, given: dict[str, Any]) -> np.ndarray:
    bits = result(sampler([(circuit, None, SHOTS)], given))[0].data.meas
    return np.unpackbits(bits.array, axis=-1, bitorder="little")[:, : bits.num_bits].astype(int)


def test_a_qubit_that_is_flipped_in_each_shot_alternates_where_shots_follow_at_once() -> None:
    (read,) = shots(flipped(), options(0.0)).T
    noise = BRISBANE.noise
    assert noise is not None
    assert (read[1:] != read[:-1]).mean() > 1 - 4 * noise.confusion[0].min(axis=0).max()
    assert read.mean() == pytest.approx(0.5, abs=0.03)


def test_it_begins_in_its_ground_state_where_the_delay_is_long() -> None:
    (read,) = shots(flipped(), options(0.1)).T
    (reset,) = shots(flipped(), {}).T
    assert read.mean() == pytest.approx(reset.mean(), abs=0.01)


def test_the_delay_of_the_device_leaves_what_t1_leaves() -> None:
    (read,) = shots(flipped(), options()).T
    noise = BRISBANE.noise
    assert noise is not None
    kept = np.exp(-delay_between_shots(BRISBANE) / noise.t1[0])
    assert delay_between_shots(BRISBANE) == pytest.approx(250e-6)
    excited = 1 / (1 + kept)  # of a chain that is excited unless it still was
    assert read.mean() == pytest.approx(excited, abs=0.03)


def test_correlations_of_a_bell_pair_stay() -> None:
    circuit = isa(bell(), BRISBANE)
    read = shots(circuit, options(0.0))
    same = (read[:, 0] == read[:, 1]).astype(int)
    assert same.mean() > 0.4  # both Bell states come
    assert (same[1:] == same[:-1]).mean() > 0.4


def test_points_and_the_executor_take_it_too() -> None:
    points = result(
        sampler([(flipped(), None, 50)], options(0.0) | {"execution": {"init_qubits": False, "meas_type": "kerneled"}})
    )
    assert points[0].data.meas.shape == (50, 1)
    program = QuantumProgram(shots=2_000)
    program.append_circuit_item(flipped())
    given = ExecutorOptions()
    given.execution.init_qubits, given.execution.rep_delay = False, 0.0
    (item,) = executed(job(params(program, options=given), kind="executor"))
    read = item["meas"][:, 0]
    assert (read[1:] != read[:-1]).mean() > 0.8


def unmeasured() -> QuantumCircuit:
    circuit = isa(bell(), BRISBANE)
    last = max(place for place, line in enumerate(circuit.data) if line.name == "measure")
    del circuit.data[last]
    return circuit


def dynamic() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    circuit.measure(0, 0)
    return circuit


@pytest.mark.parametrize("circuit", [unmeasured(), dynamic()], ids=["not measured", "dynamic"])
def test_a_state_that_is_not_known_at_the_end_is_refused_with_a_sentence(circuit: QuantumCircuit) -> None:
    outcome = run(sampler([(circuit, None, 10)], options()))
    assert outcome.failure is Failure.PROGRAM
    assert "measure all of them once, at the end" in (outcome.reason or "")


def test_too_many_qubits_are_refused() -> None:
    circuit = QuantumCircuit(11)
    circuit.x(range(11))
    circuit.measure_all()
    assert run(sampler([(circuit, None, 10)], options())).failure is Failure.REFUSED


def test_the_estimator_and_the_local_mode_reset_their_qubits() -> None:
    outcome = run(estimator([(flipped().remove_final_measurements(inplace=False), SparsePauliOp("Z"))], options()))
    assert "not estimated" in (outcome.reason or "")
    outcome = run(sampler([(flipped(), None, 10)], options(experimental={"simulation_method": "local-mode"})))
    assert "local mode resets its qubits" in (outcome.reason or "")
