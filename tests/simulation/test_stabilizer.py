"""Twirled Clifford circuits: the twirl of a channel, its tableau, and how far it is from the real noise."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import random_clifford

from qumulus.simulation.choice import choose
from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import device_model
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.noise import depolarizing, relaxation
from qumulus.simulation.sampling import sample
from qumulus.simulation.stabilizer import CHUNK, pauli_probabilities
from qumulus.simulation.tasks import Task

from .circuits import device_ghz, ghz, isa, su2

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
    model = device_model("manila")
    circuit = QuantumCircuit(2, 3)
    circuit.sx(0)
    circuit.measure(0, 0)
    circuit.cx(0, 1)
    circuit.reset(0)
    circuit.measure([0, 1], [1, 2])
    twirled = sample(circuit, model, shots=SHOTS, seed=1, method="stabilizer").counts()
    exact = sample(circuit, model, shots=SHOTS, seed=2, method="branches").counts()
    assert np.abs(distribution(twirled, 3) - distribution(exact, 3)).sum() / 2 < 0.015


def test_the_same_seed_gives_the_same_shots_over_several_chunks() -> None:
    model = device_model("fez")
    circuit = isa(ghz(3), model)
    first, again = (
        sample(circuit, model, shots=2 * CHUNK + 5, seed=4, method="stabilizer").bits["meas"] for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first[:CHUNK] != first[CHUNK : 2 * CHUNK]).any()


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
