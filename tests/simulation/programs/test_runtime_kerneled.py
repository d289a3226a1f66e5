"""Measurements as points, by the sampler and by the executor."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit_ibm_runtime.quantum_program import QuantumProgram

from qumulus.core.results import Failure
from qumulus.simulation.devices import device_model
from qumulus.simulation.iq import plane
from simulation.circuits import isa

from .runtime import result, run, sampler
from .test_runtime_executor import executor
from .test_runtime_executor import result as executed

BRISBANE = device_model("brisbane")
KERNELED, AVERAGED = ({"execution": {"meas_type": kind}} for kind in ("kerneled", "avg_kerneled"))


def turned() -> QuantumCircuit:
    """Two registers of different widths; the first qubit turns by a parameter."""
    qubits, one, two = QuantumRegister(3), ClassicalRegister(1, "one"), ClassicalRegister(2, "two")
    circuit = QuantumCircuit(qubits, one, two)
    circuit.rx(Parameter("angle"), 0)
    circuit.x(1)
    circuit.measure(0, one[0])
    circuit.measure([1, 2], two)
    return isa(circuit, BRISBANE)


def test_each_register_is_an_array_of_complex_points() -> None:
    data = result(sampler([(turned(), np.zeros((3, 2, 1)), 100)], KERNELED))[0].data
    assert data.shape == (3, 2)
    assert (data.one.shape, data.two.shape) == ((3, 2, 100, 1), (3, 2, 100, 2))
    assert data.one.dtype == complex


def test_averages_have_no_axis_of_shots_and_are_the_means_of_the_points() -> None:
    pubs = [(turned(), np.zeros((3, 1)), 500)]
    points, averaged = (result(sampler(pubs, options, seed=4))[0].data for options in (KERNELED, AVERAGED))
    assert averaged.two.shape == (3, 2)
    np.testing.assert_allclose(averaged.two, points.two.mean(axis=-2))


def test_points_lie_around_the_centres_of_their_states() -> None:
    circuit = turned()
    points = result(sampler([(circuit, [[0.0], [np.pi]], 4_000)], KERNELED))[0].data
    qubit = circuit.layout.final_index_layout()[0]
    where = plane(BRISBANE, [qubit])
    share = where.bits(points.one.reshape(-1, 1)).reshape(2, -1).mean(axis=1)
    confusion = BRISBANE.noise.confusion[qubit]
    np.testing.assert_allclose(share, confusion[1], atol=0.03)


def test_bits_of_a_dynamic_circuit_steer_as_they_are_read() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.sx(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    placed = isa(circuit, device_model("manila"))
    points = result(sampler([(placed, None, 2_000)], KERNELED, device="manila"))[0].data.c
    qubits = placed.layout.final_index_layout()
    bits = plane(device_model("manila"), qubits).bits(points)
    assert (bits[:, 0] == bits[:, 1]).mean() > 0.9


def test_a_bit_that_nothing_reads_into_has_no_point() -> None:
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 1)
    points = result(sampler([(circuit, None, 10)], KERNELED))[0].data.c
    assert (points[:, 0] == 0).all()
    assert (points[:, 1] != 0).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"twirling": {"enable_measure": True}}, "are not twirled"),
        ({"experimental": {"simulation_method": "local-mode"}}, "local mode has no measurements of the type"),
        ({"execution": {"meas_type": "raw"}}, "options.execution.meas_type"),
    ],
)
def test_what_does_not_go_with_points_fails_the_job_with_a_sentence(options: dict, words: str) -> None:
    outcome = run(sampler([(turned(), [[0.0]], 10)], {**KERNELED, **options}))
    assert outcome.failure is Failure.PROGRAM
    assert words in (outcome.reason or "")


def test_a_result_of_points_over_the_limit_is_refused_before_anything_runs() -> None:
    outcome = run(sampler([(turned(), [[0.0]], 100_000)], KERNELED, result_bytes=1 << 20))
    assert outcome.failure is Failure.REFUSED


@pytest.mark.parametrize(
    ("level", "names"),
    [
        ("kerneled", {"one_iq": (1,), "two_iq": (2,)}),
        ("avg_kerneled", {"one_avg_iq": (1,), "two_avg_iq": (2,)}),
        ("both", {"one": (1,), "two": (2,), "one_iq": (1,), "two_iq": (2,)}),
    ],
)
def test_the_executor_names_what_it_returns(level: str, names: dict[str, tuple[int, ...]]) -> None:
    program = QuantumProgram(shots=50, meas_level=level)
    program.append_circuit_item(turned(), circuit_arguments=np.zeros((4, 1)))
    (item,) = executed(executor(program))
    shots = () if level == "avg_kerneled" else (50,)
    assert {name: item[name].shape for name in item} == {name: (4, *shots, *width) for name, width in names.items()}


def test_bits_and_points_of_both_agree() -> None:
    circuit = turned()
    program = QuantumProgram(shots=500, meas_level="both")
    program.append_circuit_item(circuit, circuit_arguments=np.array([[1.5]]))
    (item,) = executed(executor(program))
    where = plane(BRISBANE, [circuit.layout.final_index_layout()[0]])
    np.testing.assert_array_equal(where.bits(item["one_iq"].reshape(-1, 1))[:, 0], item["one"].reshape(-1))
