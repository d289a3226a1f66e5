"""What a job sees of the schedule: the noise of waits, pulses in them, timing and stretches in the metadata."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.circuit.classical import expr
from qiskit.quantum_info import SparsePauliOp

from qumulus.core.programs import LOCAL_MODE_NOISE
from qumulus.core.results import Failure
from qumulus.simulation.devices import DeviceModel, device_model
from qumulus.simulation.programs.runtime.decoupling import Decoupling, decoupled
from qumulus.simulation.timeline import timeline
from simulation.circuits import bell, isa

from .runtime import estimator, job, result, run, sampler
from .test_runtime_executor import ExecutorOptions, QuantumProgram, params

BRISBANE = device_model("brisbane")
FIRST, SECOND = next(iter(BRISBANE.target["ecr"]))
APART = next(qubit for qubit in range(BRISBANE.n_qubits) if qubit not in (FIRST, SECOND))
BOTH = {"scheduler_timing": True, "stretch_values": True}


def waiting(gates: int = 60) -> QuantumCircuit:
    """An excited qubit that waits while others have gates."""
    circuit = QuantumCircuit(BRISBANE.n_qubits, 1)
    circuit.x(APART)
    circuit.barrier()
    for _ in range(gates):
        circuit.ecr(FIRST, SECOND)
    circuit.barrier()
    circuit.measure(APART, 0)
    return circuit


def kept(options: dict[str, Any] | None = None, **settings: Any) -> float:
    return float(result(sampler([(waiting(), None, 100_000)], options, **settings))[0].data.c.bitcount().mean())


def test_a_qubit_that_waits_decays_by_default_and_does_not_as_in_local_mode() -> None:
    noise = BRISBANE.noise
    assert noise is not None
    time = 60 * noise.gates["ecr", (FIRST, SECOND)].length
    still = kept({"experimental": {"noise": "local-mode"}})
    assert kept(noise="local-mode") == pytest.approx(still, abs=4e-3)
    floor = noise.confusion[APART, 1, 0]
    assert (kept() - floor) / (still - floor) == pytest.approx(np.exp(-time / noise.t1[APART]), abs=1e-2)
    assert kept({"experimental": {"noise": "device"}}, noise="local-mode") == pytest.approx(kept(), abs=4e-3)


def test_the_metadata_name_the_noise() -> None:
    job = sampler([(waiting(), None, 10)], {"experimental": {"noise": "local-mode"}})
    assert result(job)[0].metadata["simulation"]["noise"] == "local-mode"
    assert result(sampler([(waiting(), None, 10)]))[0].metadata["simulation"]["noise"] == "device"


def test_a_noise_that_does_not_exist_fails_with_the_names() -> None:
    outcome = run(sampler([(waiting(), None, 10)], {"experimental": {"noise": "magic"}}))
    assert outcome.failure is Failure.PROGRAM
    assert "There is no noise 'magic': choose one of device, local-mode" in (outcome.reason or "")


@pytest.mark.parametrize(
    "options", [{"execution": BOTH}, {"experimental": {"execution": BOTH}}], ids=["merged by the client", "as sent raw"]
)
def test_the_timing_of_a_circuit_is_in_its_metadata(options: dict[str, Any]) -> None:
    log: list[str] = []
    circuit = isa(bell(), BRISBANE)
    assert run(sampler([(circuit, None, 10)], options), log).succeeded
    assert not any("no effect" in line for line in log)
    told = result(sampler([(circuit, None, 10)], options))[0].metadata["compilation"]
    assert told["stretch_values"] == []
    assert told["scheduler_timing"]["circuit_duration"] == timeline(circuit, BRISBANE).length
    lines = told["scheduler_timing"]["timing"].splitlines()
    assert all(len(line.split(",")) == 6 for line in lines)
    assert sum(",capture" in line for line in lines) == 2
    assert "compilation" not in result(sampler([(circuit, None, 10)]))[0].metadata


def test_the_timing_of_a_delay_by_a_parameter_is_that_of_the_first_values() -> None:
    """QPY keeps no unit of a delay by a parameter: it counts in dt."""
    circuit, time = QuantumCircuit(1), Parameter("time")
    circuit.delay(time, 0)
    circuit.measure_all()
    told = result(sampler([(circuit, [[80], [160]], 10)], {"execution": BOTH}))[0].metadata["compilation"]
    assert (
        told["scheduler_timing"]["circuit_duration"] == 80 + timeline(isa(bell(), BRISBANE), BRISBANE).timed[-1].length
    )


def test_a_stretch_is_resolved_and_told() -> None:
    circuit = QuantumCircuit(BRISBANE.n_qubits, 2)
    a = circuit.add_stretch("a")
    circuit.barrier(FIRST, APART)
    circuit.delay(8000, FIRST)
    circuit.delay(a, APART)
    circuit.x(APART)
    circuit.delay(expr.mul(a, 2), APART)
    circuit.x(APART)
    circuit.delay(a, APART)
    circuit.barrier(FIRST, APART)
    circuit.measure([FIRST, APART], [0, 1])
    (told,) = result(sampler([(circuit, None, 10)], {"execution": BOTH}))[0].metadata["compilation"]["stretch_values"]
    assert told == {
        "name": "a",
        "value": 1940,
        "remainder": 0,
        "expanded_values": [[0, 1940], [2060, 3880], [6060, 1940]],
    }


def pulses(circuit: QuantumCircuit, qubit: int) -> int:
    return sum(line.name == "x" and circuit.find_bit(line.qubits[0]).index == qubit for line in circuit.data)


@pytest.mark.parametrize(("sequence", "number"), [("XX", 2), ("XpXm", 2), ("XY4", 4)])
@pytest.mark.parametrize("slack", ["middle", "edges"])
def test_pulses_go_into_waits_and_the_circuit_lasts_as_long(sequence: Any, number: int, slack: Any) -> None:
    found = decoupled(waiting(), Decoupling(sequence, slack), BRISBANE)
    assert pulses(found, APART) == 1 + number
    assert timeline(found, BRISBANE).length == timeline(waiting(), BRISBANE).length


def test_under_the_noise_of_local_mode_only_delays_of_the_circuit_take_pulses() -> None:
    model: DeviceModel = device_model("brisbane", noise=LOCAL_MODE_NOISE)
    assert pulses(decoupled(waiting(), Decoupling("XX", "middle"), model), APART) == 1
    circuit = QuantumCircuit(1)
    circuit.delay(10_000, 0)
    assert pulses(decoupled(circuit, Decoupling("XX", "middle"), model), 0) == 2


def test_a_delay_and_a_wait_beside_it_are_one_wait() -> None:
    circuit = QuantumCircuit(BRISBANE.n_qubits)
    circuit.x([FIRST, SECOND])
    circuit.delay(4000, FIRST)
    circuit.barrier(FIRST, SECOND)
    circuit.delay(9000, SECOND)
    circuit.barrier(FIRST, SECOND)
    circuit.x(FIRST)
    found = decoupled(circuit, Decoupling("XX", "middle"), BRISBANE)
    assert pulses(found, FIRST) == 2 + 2
    assert timeline(found, BRISBANE).length == timeline(circuit, BRISBANE).length


@pytest.mark.parametrize(("skip", "number"), [(False, 2), (True, 0)])
def test_a_qubit_in_its_ground_state_is_left_alone_where_the_options_say_so(skip: bool, number: int) -> None:
    circuit = QuantumCircuit(BRISBANE.n_qubits)
    circuit.barrier()
    for _ in range(20):
        circuit.ecr(FIRST, SECOND)
    circuit.barrier()
    circuit.sx(APART)
    found = decoupled(circuit, Decoupling("XX", "middle", skip_reset=skip), BRISBANE)
    assert pulses(found, APART) == number


def test_a_schedule_as_soon_as_possible_lets_qubits_wait_behind_their_gates() -> None:
    circuit = QuantumCircuit(BRISBANE.n_qubits, 2)
    circuit.x(FIRST)
    circuit.delay(40_000, SECOND)
    circuit.ecr(FIRST, SECOND)
    circuit.measure([FIRST, SECOND], [0, 1])
    late, soon = (decoupled(circuit, Decoupling("XX", "middle", method), BRISBANE) for method in ("alap", "asap"))
    assert [line.name for line in late.data if line.qubits[0] == circuit.qubits[FIRST]][:2] == ["delay", "x"]
    assert [line.name for line in soon.data if line.qubits[0] == circuit.qubits[FIRST]][:2] == ["x", "delay"]


def test_the_estimator_sees_the_noise_that_is_asked_for() -> None:
    circuit = waiting().remove_final_measurements(inplace=False)
    observable = SparsePauliOp("".join("Z" if q == APART else "I" for q in reversed(range(BRISBANE.n_qubits))))
    values = [
        result(estimator([(circuit, observable, None, 5e-3)], {"experimental": {"noise": noise}}, 0))[0].data.evs
        for noise in ("device", "local-mode")
    ]
    assert values[0] > values[1] + 0.1


def test_a_number_of_seconds_that_lost_its_unit_on_the_way_is_the_input_that_is_to_blame() -> None:
    circuit = QuantumCircuit(1)
    circuit.delay(0.01, 0, unit="s")
    circuit.measure_all()
    outcome = run(sampler([(circuit, None, 10)]))
    assert outcome.failure is Failure.PROGRAM
    assert "A delay of 0.01 came without its unit" in (outcome.reason or "")


@pytest.mark.parametrize("factor", [1, 4500])
def test_a_parameter_that_may_have_lost_its_unit_on_the_way_is_taken_in_dt_and_the_log_says_so(factor: int) -> None:
    circuit, log, time = QuantumCircuit(1), list[str](), Parameter("time")
    circuit.delay(time if factor == 1 else factor * time, 0, unit="us" if factor == 1 else "dt")
    circuit.measure_all()
    assert run(sampler([(circuit, [4.0], 10)]), log).succeeded
    assert any("values are taken in dt" in line for line in log) == (factor == 1)


def test_a_sweep_over_delays_decays_by_t1() -> None:
    circuit, time = QuantumCircuit(1), Parameter("time")
    circuit.x(0)
    circuit.delay(time, 0)
    circuit.measure_all()
    noise = BRISBANE.noise
    assert noise is not None
    lengths = np.array([[0], [1], [2]]) * round(noise.t1[0] / BRISBANE.cycle)
    bits = result(sampler([(circuit, lengths, 100_000)]))[0].data.meas
    excited = np.array([bits[k].bitcount().mean() for k in range(3)]) - noise.confusion[0, 1, 0]
    np.testing.assert_allclose(excited / excited[0], np.exp(-np.arange(3)), atol=1e-2)


def test_a_dry_run_tells_the_schedule() -> None:
    circuit = isa(bell(), BRISBANE)
    options = {"experimental": {"execution": BOTH}}
    (dry,), (real,) = (result(sampler([(circuit, None, 50)], options, dry_run=kind)) for kind in (True, False))
    assert dry.metadata["compilation"] == real.metadata["compilation"]
    assert dry.metadata["simulation"] == {"dry_run": True}


def test_a_dry_run_of_the_executor_tells_the_schedule() -> None:
    program = QuantumProgram(shots=20)
    program.append_circuit_item(isa(bell(), BRISBANE))
    asked = params(program, options=ExecutorOptions(experimental={"execution": BOTH}))
    dry, real = (
        json.loads(run(job(asked, kind="executor", dry_run=kind)).result)["data"][0]["metadata"]
        for kind in (True, False)
    )
    assert dry["scheduler_timing"]["circuit_duration"] > 0
    assert dry == real
