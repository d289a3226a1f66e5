"""Twirled Clifford circuits: the twirl of a channel, its tableau, and how far it is from the real noise."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.classical import expr
from qiskit.quantum_info import random_clifford

from qumulus.core.programs import LOCAL_MODE_NOISE
from qumulus.simulation.branches import Evolution
from qumulus.simulation.choice import choose
from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import device_model
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.noise import depolarizing, relaxation
from qumulus.simulation.sampling import sample
from qumulus.simulation.stabilizer import CHUNK, pauli_probabilities
from qumulus.simulation.tasks import Task

from .circuits import device_ghz, ghz, isa, long_range_cnot, su2
from .reference import by_value
from .test_methods import twirled

SHOTS = 100_000


def distribution(counts: dict[str, int], n_bits: int) -> np.ndarray:
    found = np.zeros(2**n_bits)
    for outcome, number in counts.items():
        found[int(outcome, 2)] = number
    return found / found.sum()


def test_depolarizing_is_equal_chances_of_all_errors() -> None:
    np.testing.assert_allclose(pauli_probabilities(depolarizing(0.16, 2)), [0.85, *[0.01] * 15], atol=1e-15)


def test_the_twirl_of_relaxation_loses_its_direction() -> None:
    probabilities = pauli_probabilities(relaxation(1e-4, 1e-4, 1e-5))
    assert probabilities.sum() == pytest.approx(1.0)
    assert probabilities[1] == pytest.approx(probabilities[2]) == pytest.approx((1 - np.exp(-0.1)) / 4)


@pytest.mark.parametrize("name", ["brisbane", "fez", "manila"])
def test_a_clifford_circuit_comes_near_the_real_noise(name: str) -> None:
    """The bound of the documentation, 1e-2 at ten qubits, and a floor of 0.01 for the shots."""
    model = device_model(name)
    circuit = isa(ghz(5), model)
    twirled = sample(circuit, model, shots=SHOTS, seed=1, method="stabilizer")
    exact = sample(circuit, model, shots=SHOTS, seed=2, method="dense")
    assert np.abs(distribution(twirled.counts(), 5) - distribution(exact.counts(), 5)).sum() / 2 < 0.02
    assert twirled.metadata["approximation"] == "noise twirled to Pauli errors"
    assert "longest_gate_over_t1" in twirled.metadata["accuracy"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_clifford_circuits_keep_their_signs(seed: int) -> None:
    model = device_model("fez")
    circuit = random_clifford(4, seed=seed).to_circuit()
    circuit.measure_all()
    circuit = isa(circuit, model)
    twirled = sample(circuit, model, shots=SHOTS, seed=1, method="stabilizer").counts()
    exact = sample(circuit, model, shots=SHOTS, seed=2, method="dense").counts()
    assert np.abs(distribution(twirled, 4) - distribution(exact, 4)).sum() / 2 < 0.015


def test_measuring_and_resetting_in_the_middle_is_followed() -> None:
    model = device_model("manila", noise=LOCAL_MODE_NOISE)
    circuit = QuantumCircuit(2, 3)
    circuit.sx(0)
    circuit.measure(0, 0)
    circuit.cx(0, 1)
    circuit.reset(0)
    circuit.measure([0, 1], [1, 2])
    twirled = sample(circuit, model, shots=SHOTS, seed=1, method="stabilizer").counts()
    exact = sample(circuit, model, shots=SHOTS, seed=2, method="branches").counts()
    assert np.abs(distribution(twirled, 3) - distribution(exact, 3)).sum() / 2 < 0.015


def noisy_feed_forward() -> QuantumCircuit:
    """Paulis under all kinds of conditions: parities, a default, a nested one, a stored bit; a misread bit steers often."""
    circuit = QuantumCircuit(4, 4)
    a, b = circuit.clbits[:2]
    circuit.sx([0, 1])
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test(expr.bit_xor(a, b)):
        circuit.x(2)
        circuit.delay(20, 2, unit="us")
        with circuit.if_test((a, 1)):
            circuit.z(2)
            circuit.x(3)
    circuit.sx(2)
    with circuit.switch(circuit.cregs[0]) as case:
        with case(1, 2):
            circuit.rz(np.pi, 2)
        with case(case.DEFAULT):
            circuit.x(3)
    circuit.store(a, expr.logic_not(b))
    with circuit.if_test((a, 0)) as otherwise:
        circuit.y(3)
    with otherwise:
        circuit.x(1)
    circuit.sx(2)
    circuit.measure([1, 2, 3], [1, 2, 3])
    return circuit


@pytest.mark.parametrize("name", ["manila", "kingston"])
def test_paulis_under_any_condition_are_followed(name: str) -> None:
    """Against branch by branch with the same twirled noise, so that only the shots differ."""
    model, circuit = twirled(device_model(name)), noisy_feed_forward()
    found = sample(circuit, model, shots=SHOTS, seed=1, method="stabilizer")
    states = Evolution(scan(circuit, model), {}, 1e7).run(Task(scan(circuit, model), circuit, 1).readings)
    exact = by_value(*states, scan(circuit, model).terminal, 4)
    floor = float(np.sqrt(2 * exact * (1 - exact) / (np.pi * SHOTS)).sum() / 2)
    assert np.abs(distribution(found.counts(), 4) - exact).sum() / 2 < 1.5 * floor
    real = sample(circuit, device_model(name), shots=10, seed=1, method="stabilizer").metadata["accuracy"]
    assert real["warning"].startswith("delay on qubit 2")


def test_feed_forward_in_the_gates_of_a_device_is_followed() -> None:
    model = twirled(device_model("brisbane"))
    circuit = isa(long_range_cnot(4), model)
    found = sample(circuit, model, shots=SHOTS, seed=1, method="stabilizer").counts()
    exact = sample(circuit, model, shots=SHOTS, seed=2, method="branches").counts()
    both = [distribution({k.replace(" ", ""): n for k, n in counts.items()}, 5) for counts in (found, exact)]
    assert np.abs(both[0] - both[1]).sum() / 2 < 0.015


def test_more_than_a_pauli_under_a_condition_is_said_to_be_too_much() -> None:
    model = device_model("manila")
    for inner in ("sx", "reset"):
        circuit = QuantumCircuit(2, 2)
        circuit.sx(0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            getattr(circuit, inner)(1)
        circuit.measure(1, 1)
        with pytest.raises(ProgramError, match="more than Pauli gates depends"):
            sample(circuit, model, shots=1, seed=1, method="stabilizer")


def test_the_same_seed_gives_the_same_shots_over_several_chunks() -> None:
    model = device_model("fez")
    circuit = isa(ghz(3), model)
    first, again = (
        sample(circuit, model, shots=2 * CHUNK + 5, seed=4, method="stabilizer").bits["meas"] for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first[:CHUNK] != first[CHUNK : 2 * CHUNK]).any()


def test_the_same_seed_gives_the_same_shots_where_bits_steer() -> None:
    model = device_model("kingston")
    first, again, none = (
        sample(noisy_feed_forward(), model, shots=shots, seed=4, method="stabilizer").bits["c"]
        for shots in (CHUNK + 5, CHUNK + 5, 0)
    )
    np.testing.assert_array_equal(first, again)
    assert len(none) == 0


def test_a_gate_that_is_no_clifford_is_named() -> None:
    model = device_model("brisbane")
    with pytest.raises(ProgramError, match="rz is not a Clifford gate"):
        sample(isa(su2(3), model), model, shots=10, seed=1, method="stabilizer")


def test_a_device_wide_ghz_warns_of_a_qubit_that_relaxes_fast() -> None:
    model = device_model("brisbane")
    metadata = sample(device_ghz(model), model, shots=100, seed=1, method="stabilizer").metadata
    assert "T1" in metadata["accuracy"]["warning"]


def test_the_real_noise_is_preferred_where_it_fits() -> None:
    model = device_model("brisbane")
    assert sample(isa(ghz(12), model), model, shots=10, seed=1).metadata["approximation"] is None


def waiting(seconds: float) -> QuantumCircuit:
    """Twenty-four qubits in a GHZ state that all wait, with more gates across each cut than the exact chain holds."""
    circuit = QuantumCircuit(24)
    for _ in range(6):
        for start in (0, 1):
            for qubit in range(start, 23, 2):
                circuit.cx(qubit, qubit + 1)
        circuit.sx(range(24))
    circuit.delay(seconds, range(24), unit="s")
    circuit.measure_all()
    return circuit


def test_a_delay_counts_in_units_of_t1_too() -> None:
    model = device_model("fez")
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.delay(model.noise.t1[0] / 2, 0, unit="s")
    circuit.measure_all()
    accuracy = sample(circuit, model, shots=10, seed=1, method="stabilizer").metadata["accuracy"]
    assert accuracy["longest_gate_over_t1"] == pytest.approx(0.5)
    assert accuracy["warning"].startswith("delay on qubit 0")


def test_qubits_that_wait_are_twirled_only_where_no_other_way_is_left() -> None:
    model = device_model("brisbane")
    hurrying, idling = (Task(scan(c, model), c, 1000) for c in (isa(waiting(0.0), model), isa(waiting(1e-5), model)))
    first, last = ([method.name for method in choose(task).methods] for task in (hurrying, idling))
    assert last[-1] == "stabilizer"
    assert first.index("stabilizer") < len(first) - 1
