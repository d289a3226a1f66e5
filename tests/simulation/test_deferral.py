"""Dynamic circuits as channels: exactly what branch by branch comes out, with readout errors on what steers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr

from qumulus.catalogue.ideal import IDEAL
from qumulus.core.programs import LOCAL_MODE_NOISE
from qumulus.simulation.branches import Evolution
from qumulus.simulation.circuits import scan
from qumulus.simulation.dense import contract
from qumulus.simulation.devices import DeviceModel, device_model
from qumulus.simulation.expectation import expectation
from qumulus.simulation.sampling import sample
from qumulus.simulation.tasks import Task

from .circuits import ghz_by_parities, isa, long_range_cnot, teleportation
from .reference import by_value, total_variation
from .test_dynamic import repetition_code, until_zero

SIMULATOR = device_model(IDEAL)


def branched(task: Task) -> np.ndarray:
    """The probabilities of all bits, branch by branch."""
    states = Evolution(task.active, task.binding, 1e8).run(task.readings)
    return by_value(*states, task.active.terminal, task.active.n_bits)


def contracted(task: Task) -> np.ndarray:
    """The same from the channels; bits that nothing writes are 0."""
    probabilities, qubits = np.ones(()), list[int]()
    for factor in contract(task.fused, task.outputs):
        probabilities, qubits = np.multiply.outer(probabilities, factor.tensor), [*qubits, *factor.qubits]
    found = np.zeros(1 << task.active.n_bits)
    places = np.array([task.channels.terminal[qubit] for qubit in qubits])
    for outcome in np.ndindex(probabilities.shape):
        found[int((np.array(outcome) << places).sum())] += probabilities[outcome]
    return found


def same(circuit: QuantumCircuit, model: DeviceModel, **binding: float) -> bool:
    values = {parameter: binding[parameter.name] for parameter in circuit.parameters}
    task = Task(scan(circuit, model), circuit, 1, binding=values)
    assert task.active.dynamic
    return total_variation(contracted(task), branched(task)) < 1e-12


def switched() -> QuantumCircuit:
    """A switch over two bits with a default, an else, and a condition on a whole register."""
    circuit = QuantumCircuit(QuantumRegister(4), ClassicalRegister(2, "a"), ClassicalRegister(2, "b"))
    a, b = circuit.cregs
    circuit.sx([0, 1, 2])
    circuit.measure([0, 1], a)
    with circuit.switch(a) as case:
        with case(0, 3):
            circuit.x(2)
        with case(1):
            circuit.sx(2)
            circuit.reset(0)
        with case(case.DEFAULT):
            circuit.x(3)
    circuit.measure(0, a[0])
    with circuit.if_test((a, 2)) as otherwise:
        circuit.x(3)
    with otherwise:
        circuit.sx(2)
        with circuit.if_test((a[0], 0)):
            circuit.x(1)
    circuit.measure([2, 3], b)
    return circuit


def expressions() -> QuantumCircuit:
    """And, or, not, parities, comparisons, stored bits; a bit is written again after it steered."""
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(3, "a"), ClassicalRegister(3, "b"))
    a, b = circuit.cregs
    kept = circuit.add_var("kept", expr.lift(False))
    circuit.sx(range(3))
    circuit.measure(range(3), a)
    circuit.store(kept, expr.bit_xor(a[0], expr.logic_not(a[2])))
    circuit.store(b[2], expr.bit_and(a[1], a[2]))
    with circuit.if_test(expr.logic_or(expr.bit_xor(a[0], a[1]), expr.equal(a, 5))):
        circuit.x(0)
    circuit.measure(0, a[1])
    with circuit.if_test(expr.not_equal(expr.logic_and(kept, a[1]), expr.bit_or(a[2], b[2]))):
        circuit.sx(1)
    circuit.store(a[0], expr.lift(True))
    with circuit.if_test(expr.bit_xor(kept, a[0])):
        circuit.x(2)
    circuit.measure([1, 2], b[:2])
    return circuit


def turned() -> QuantumCircuit:
    """A turn by a parameter under a condition, of a qubit that waits."""
    circuit = QuantumCircuit(2, 2)
    circuit.sx(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 0)):
        circuit.sx(1)
        circuit.rz(Parameter("angle"), 1)
        circuit.sx(1)
        circuit.delay(3, 1, unit="us")
    circuit.measure(0, 0)
    circuit.measure(1, 1)
    return circuit


CIRCUITS: dict[str, Callable[[], QuantumCircuit]] = {
    "teleportation": teleportation,
    "correction by switch": repetition_code,
    "long-range CNOT": lambda: long_range_cnot(4),
    "GHZ by parities": lambda: ghz_by_parities(5),
    "switch and else": switched,
    "expressions": expressions,
    "a turned qubit": turned,
}


@pytest.mark.parametrize("kind", CIRCUITS)
@pytest.mark.parametrize("name", ["manila", "kingston", IDEAL])
def test_channels_give_what_branches_give(name: str, kind: str) -> None:
    """Gates of the device stand where they may; each bit that steers was misread as on the device."""
    assert same(CIRCUITS[kind](), device_model(name), angle=0.7)


@pytest.mark.parametrize("distance", [3, 4])
@pytest.mark.parametrize("name", ["brisbane", "kingston"])
def test_feed_forward_in_the_gates_of_a_device_is_exact(name: str, distance: int) -> None:
    model = device_model(name)
    assert same(isa(long_range_cnot(distance), model), model)


def test_a_misread_bit_steers_and_the_flip_has_its_error_only_where_it_happens() -> None:
    """The probability of 1 after |0⟩ was read and flipped where it was misread, by hand."""
    model = device_model("brisbane")
    circuit = QuantumCircuit(2, 2)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    task = Task(scan(circuit, model), circuit, 1)
    (factor,) = contract(task.fused, task.outputs)
    misread = model.noise.confusion[0, 1, 0]
    flipped = model.noise.channel("x", (1,)) @ [1.0, 0.0, 0.0, -1.0]
    one = (model.noise.confusion[1] @ [(1 + flipped[3]) / 2, (1 - flipped[3]) / 2])[1]
    joint = factor.tensor if task.channels.terminal[factor.qubits[0]] == 0 else factor.tensor.T
    np.testing.assert_allclose(joint[1], [misread * (1 - one), misread * one], atol=1e-14)
    np.testing.assert_allclose(joint[0, 1], (1 - misread) * model.noise.confusion[1, 1, 0], atol=1e-14)


@pytest.mark.parametrize("method", ["chain", "chain-cut", "trajectories", "dense"])
def test_each_method_for_channels_takes_feed_forward(method: str) -> None:
    model, shots = device_model("brisbane"), 50_000
    circuit = isa(long_range_cnot(3), model)
    task = Task(scan(circuit, model), circuit, shots)
    exact, bits = branched(task), sample(circuit, model, shots=shots, seed=2, method=method)
    whole = np.concatenate([bits.bits[register.name] for register in circuit.cregs], axis=1)
    found = np.bincount(whole @ (1 << np.arange(whole.shape[1])), minlength=len(exact)) / shots
    floor = float(np.sqrt(2 * exact * (1 - exact) / (np.pi * shots)).sum() / 2)
    assert total_variation(found, exact) < 1.3 * floor


def test_exact_values_after_feed_forward_need_no_branches() -> None:
    """The Bell pair that a CNOT over four qubits makes, noisy: each correlation as branch by branch."""
    model = device_model("brisbane")
    circuit = isa(long_range_cnot(3), model)
    ends = [circuit.find_bit(line.qubits[0]).index for line in circuit.data if line.name == "measure"][-2:]
    labels = [
        {"".join(letter if qubit in ends else "I" for qubit in reversed(range(circuit.num_qubits))): 1.0}
        for letter in "XYZ"
    ]
    by_branches, by_chain, by_contraction = (
        expectation(circuit, labels, model, shots=None, method=method).values
        for method in ("branches", "chain", "dense")
    )
    np.testing.assert_allclose(by_chain, by_branches, atol=1e-12)
    np.testing.assert_allclose(by_contraction, by_branches, atol=1e-12)
    assert by_branches.min() < -0.5
    assert by_branches[0] > 0.5


@pytest.mark.parametrize("distance", [20, 60])
def test_a_long_range_cnot_makes_a_bell_pair_at_any_distance(distance: int) -> None:
    """Without noise both ends always agree, and as X does: no misplaced correction over all the parities."""
    circuit = long_range_cnot(distance)
    samples = sample(circuit, SIMULATOR, shots=200, seed=1)
    ends = samples.bits["ends"]
    np.testing.assert_array_equal(ends[:, 0], ends[:, 1])
    assert 0.3 < ends[:, 0].mean() < 0.7
    both = "X" + "I" * (distance - 1) + "X"
    assert expectation(circuit, [{both: 1.0}], SIMULATOR, shots=None).values[0] == pytest.approx(1.0)


def test_a_wide_noisy_circuit_with_feed_forward_is_answered_exactly() -> None:
    """Forty qubits of the device: far beyond branches. Frames of Paulis are an independent way, but for the twirl."""
    model, shots = device_model("kingston"), 20_000
    circuit = isa(long_range_cnot(40), model)
    samples = sample(circuit, model, shots=shots, seed=1)
    assert samples.metadata["approximation"] is None
    assert samples.metadata["method"] == "chain"
    ends = samples.bits["ends"]
    framed = sample(circuit, model, shots=shots, seed=1, method="stabilizer").bits["ends"]
    agree, expected = ((found[:, 0] == found[:, 1]).mean() for found in (ends, framed))
    assert agree == pytest.approx(expected, abs=0.02)
    assert 0.53 < agree < 0.6


def each_bit_by_itself(model: DeviceModel) -> QuantumCircuit:
    """Parities by one condition a bit, X and Z in turn, with a gate between that they do not pass."""
    circuit = QuantumCircuit(5, 5)
    circuit.sx([0, 1, 2])
    circuit.measure([0, 1, 2], [0, 1, 2])
    circuit.sx(3)
    for bit in circuit.clbits[:3]:
        with circuit.if_test((bit, 1)):
            circuit.rz(np.pi, 3)
            circuit.x(4)
        with circuit.if_test((bit, 0)) as otherwise:
            circuit.rz(np.pi, 4)
        with otherwise:
            circuit.rz(-np.pi, 3)
    circuit.sx(3)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.rz(np.pi, 3)
    circuit.sx([3, 4])
    circuit.measure([3, 4], [3, 4])
    return circuit if model.ideal else isa(circuit, model)


@pytest.mark.parametrize("name", ["manila", IDEAL])
def test_flips_free_of_noise_stand_under_the_sum_of_their_conditions(name: str) -> None:
    model = device_model(name, noise=LOCAL_MODE_NOISE)  # without what qubits wait between the conditions
    circuit = each_bit_by_itself(model)
    assert same(circuit, model)
    steps = Task(scan(circuit, model), circuit, 1).channels.steps
    on_qubit = [step for step in steps if len(step.qubits) == 2 and step.name == "wire"]
    assert len(on_qubit) < 12


def test_a_loop_with_a_condition_stays_dynamic() -> None:
    circuit = until_zero()
    assert Task(scan(circuit, SIMULATOR), circuit, 1).deferred is None
