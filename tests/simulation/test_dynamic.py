"""Dynamic circuits: each construct of Qiskit's control flow against Aer, and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr, types
from qiskit.transpiler import generate_preset_pass_manager

from qumulus.catalogue.ideal import IDEAL
from qumulus.simulation.branches import Evolution
from qumulus.simulation.circuits import scan
from qumulus.simulation.components import components
from qumulus.simulation.devices import device_model
from qumulus.simulation.errors import GaveUp, ProgramError, Refused
from qumulus.simulation.expectation import expectation
from qumulus.simulation.sampling import sample
from qumulus.simulation.tasks import Task

from .circuits import isa, teleportation

SIMULATOR = device_model(IDEAL)
MANILA = device_model("manila")


def repetition_code() -> QuantumCircuit:
    """Three data qubits, a syndrome read twice and reset between, each time with a correction."""
    data, ancilla = QuantumRegister(3, "data"), QuantumRegister(2, "ancilla")
    syndrome, result = ClassicalRegister(2, "syndrome"), ClassicalRegister(3, "result")
    circuit = QuantumCircuit(data, ancilla, syndrome, result)
    circuit.x(data[1])
    for _ in range(2):
        for where, pair in ((0, (0, 1)), (1, (1, 2))):
            for qubit in pair:
                circuit.cx(data[qubit], ancilla[where])
        circuit.measure(ancilla, syndrome)
        circuit.reset(ancilla)
        circuit.delay(2000, data[0], unit="ns")
        with circuit.switch(syndrome) as case:
            with case(0b01):
                circuit.x(data[0])
            with case(0b11):
                circuit.x(data[1])
            with case(0b10):
                circuit.x(data[2])
    circuit.measure(data, result)
    return circuit


def until_zero() -> QuantumCircuit:
    """Flip coins until one shows 0; how often is read from the second register."""
    qubits, coin, turns = QuantumRegister(2), ClassicalRegister(1, "coin"), ClassicalRegister(1, "turns")
    circuit = QuantumCircuit(qubits, coin, turns)
    circuit.sx(0)
    circuit.measure(0, coin)
    with circuit.while_loop((coin, 1)):
        circuit.x(1)
        circuit.sx(0)
        circuit.measure(0, coin)
    circuit.measure(1, turns)
    return circuit


def counted() -> QuantumCircuit:
    """For loop, else, expressions over registers and bits."""
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "a"), ClassicalRegister(2, "b"))
    a, b = circuit.cregs
    with circuit.for_loop(range(3)):
        circuit.sx(0)
        circuit.measure(0, a[0])
        circuit.sx(1)
        circuit.measure(1, a[1])
        with circuit.if_test(expr.logic_and(expr.less(a, 3), expr.logic_not(a[0]))) as otherwise:
            circuit.x(0)
        with otherwise:
            circuit.x(1)
    circuit.measure([0, 1], b)
    return circuit


CIRCUITS = {c.__name__: c for c in (repetition_code, until_zero, counted)}


@pytest.mark.parametrize("kind", CIRCUITS)
def test_control_flow_agrees_with_aer(kind: str) -> None:
    """Gates of the device stand where they may, others have no noise there: both simulators read the same circuit."""
    circuit, shots = CIRCUITS[kind](), 20_000
    theirs = sample(circuit, MANILA, shots=shots, seed=5, method="aer").counts()
    ours = sample(circuit, MANILA, shots=2_000_000, seed=1, method="branches").counts()
    likely = {k: shots * n / 2e6 for k, n in ours.items() if shots * n / 2e6 >= 5}
    chi_squared = sum((theirs.get(k, 0) - n) ** 2 / n for k, n in likely.items())
    degrees = max(len(likely) - 1, 1)
    assert chi_squared < degrees + 3.5 * np.sqrt(2 * degrees)
    assert sum(n for k, n in theirs.items() if k not in likely) < 0.02 * shots + 20


def test_a_variable_counts() -> None:
    """At least two of three fair coins show 1 half of the time. Aer has no addition to compare with."""
    circuit = QuantumCircuit(1, 2)
    ones = circuit.add_var("ones", expr.lift(0, types.Uint(2)))
    for _ in range(3):
        circuit.h(0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.store(ones, expr.add(ones, expr.lift(1, types.Uint(2))))
        circuit.reset(0)
    with circuit.if_test(expr.greater_equal(ones, expr.lift(2, types.Uint(2)))):
        circuit.x(0)
    circuit.measure(0, 1)
    task = Task(scan(circuit, SIMULATOR), circuit, 1)
    _, states = Evolution(task.active, {}, 1e6).run(task.readings)
    np.testing.assert_allclose(states.sum(axis=0), [0.5, 0.5], atol=1e-12)


def test_a_stored_value_stays_in_the_bits() -> None:
    """One bit is a copy of another, a register gets a number; neither with nor without a variable may they be lost."""
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "a"), ClassicalRegister(2, "b"))
    a, b = circuit.cregs
    circuit.h(0)
    circuit.measure(0, a[0])
    circuit.store(a[1], a[0])
    circuit.store(b, expr.lift(2, types.Uint(2)))
    assert set(sample(circuit, SIMULATOR, shots=200, seed=1, method="branches").counts()) == {"10 00", "10 11"}
    circuit.add_var("any", expr.lift(True))
    assert set(sample(circuit, SIMULATOR, shots=200, seed=1, method="branches").counts()) == {"10 00", "10 11"}


@pytest.mark.parametrize("width", [62, 63, 64, 128])
def test_wide_integers_wrap_around(width: int) -> None:
    """A bit cast to a wide integer, less two, is the last but one of all; and less one, plus one, nothing."""
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "a"), ClassicalRegister(1, "b"))
    kind = types.Uint(width)
    one, bit = expr.lift(1, kind), expr.cast(expr.lift(circuit.cregs[0]), kind)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test(expr.equal(expr.sub(expr.sub(bit, one), one), expr.lift((1 << width) - 1, kind))):
        circuit.x(0)
    circuit.measure(0, 1)
    assert sample(circuit, SIMULATOR, shots=10, seed=1, method="branches").counts() == {"0 1": 10}


def test_aer_is_given_only_gates_that_it_knows_in_bodies_too() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.dcx(0, 1)
    circuit.measure(0, 0)
    expected = sample(circuit, SIMULATOR, shots=10, seed=1, method="branches").counts()
    assert sample(circuit, SIMULATOR, shots=10, seed=1, method="ideal").counts() == expected == {"0": 10}


@pytest.mark.parametrize("inside", [False, True], ids=["after it", "in a body"])
def test_a_barrier_on_a_qubit_of_a_high_number_leaves_a_circuit_as_it_is(inside: bool) -> None:
    """Aer runs barriers, though it names them in no list; nor does a gate that it has to be given in others end there."""
    model = device_model("aachen")
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
        if inside:
            circuit.barrier()
    circuit.barrier()
    circuit.measure(1, 1)
    placed = generate_preset_pass_manager(0, target=model.target, initial_layout=[90, 91]).run(circuit)
    counts = sample(placed, model, shots=200, seed=1, method="aer").counts()
    assert counts["11"] > 150
    placed.dcx(90, 91)
    placed.measure([90, 91], [0, 1])
    assert sum(sample(placed, model, shots=200, seed=1, method="aer").counts().values()) == 200


def test_a_branch_that_changes_no_output_is_left_out() -> None:
    circuit = QuantumCircuit(3, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.h(2)
    circuit.measure(2, 1)
    active = scan(circuit, SIMULATOR)
    assert not active.dynamic
    assert {active.physical[qubit]: bit for qubit, bit in active.terminal.items()} == {0: 0, 2: 1}


def test_a_bit_that_is_perhaps_written_again_is_not_read_at_the_end() -> None:
    """The reading of qubit 1 must not overwrite what the branch stores in the same bit."""
    circuit = QuantumCircuit(3, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.measure(1, 1)
    circuit.x(2)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.measure(2, 1)
    assert sample(circuit, SIMULATOR, shots=10, seed=1, method="branches").counts() == {"11": 10}


def test_a_misread_bit_steers_the_feed_forward() -> None:
    """|0⟩ misread as 1 makes the flip happen: the outcome "1" then comes as often as the misreading, and is misread itself."""
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    circuit.measure(0, 1)
    task = Task(scan(circuit, MANILA), circuit, 1)
    memory, states = Evolution(task.active, {}, 1e6).run(task.readings)
    seen = {int(row[0]): state for row, state in zip(memory, states, strict=True)}
    misread, missed = MANILA.noise.confusion[0, 1, 0], MANILA.noise.confusion[0, 0, 1]
    assert seen[1].sum() == pytest.approx(misread)
    assert seen[1][1] == pytest.approx(misread * (1 - missed), rel=2e-3)  # but for the error of the flip itself


@pytest.mark.parametrize("bits", [1, 62, 63, 70])
def test_equal_memories_are_one_branch(bits: int) -> None:
    circuit = QuantumCircuit(1, bits)
    for _ in range(30):
        circuit.sx(0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.x(0)
    memory, _ = Evolution(scan(circuit, SIMULATOR), {}, 1e6).run({})
    assert len(memory) == 2


def test_a_loop_that_never_ends_is_refused() -> None:
    circuit = QuantumCircuit(1, 1)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.measure(0, 0)
    with pytest.raises(Refused, match="does not end"):
        sample(circuit, SIMULATOR, shots=1, seed=1, method="branches")


def test_more_branches_than_fit_are_refused() -> None:
    circuit = QuantumCircuit(4, 40)
    for bit in range(40):
        circuit.sx(bit % 4)
        circuit.measure(bit % 4, bit)
    task = Task(scan(circuit, SIMULATOR), circuit, 1)
    with pytest.raises(GaveUp, match="branches of"):
        Evolution(task.active, {}, 1e5).run(task.readings)


def test_a_loop_too_long_to_unroll_is_refused() -> None:
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(10**9)):
        circuit.x(0)
    with pytest.raises(Refused, match="unrolled"):
        scan(circuit, SIMULATOR)


def test_a_loop_around_nothing_is_counted_too() -> None:
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(10**15)):
        pass
    with pytest.raises(Refused, match="unrolled"):
        scan(circuit, SIMULATOR)


def test_leaving_a_loop_early_is_said_to_be_missing() -> None:
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(2)):
        circuit.break_loop()
    with pytest.raises(ProgramError, match="leave the loop by its condition"):
        scan(circuit, SIMULATOR)


def side_by_side(number: int) -> QuantumCircuit:
    """Teleportations that have nothing to do with each other."""
    circuit = QuantumCircuit(3 * number, 3 * number)
    for first in range(0, 3 * number, 3):
        own = [first, first + 1, first + 2]
        circuit.compose(teleportation(), own, own, inplace=True)
    return circuit


def test_parts_that_share_nothing_are_simulated_by_themselves() -> None:
    """Eight teleportations: 24 qubits, far too many for one density matrix, and each bit as if it were alone."""
    model = device_model("brisbane")
    placed = isa(side_by_side(8), model)
    assert len(components(scan(placed, model))) == 8
    assert sample(placed, model, shots=100, seed=1).metadata["method"] == "branches"
    shots, expected = 50_000, np.sin(0.55) ** 2
    bits = sample(side_by_side(8), SIMULATOR, shots=shots, seed=1, method="branches").bits["c"][:, 2::3].astype(float)
    np.testing.assert_allclose(bits.mean(axis=0), expected, atol=5 * np.sqrt(expected * (1 - expected) / shots))
    assert np.abs(np.corrcoef(bits.T) - np.eye(8)).max() < 5 / np.sqrt(shots)


def test_parts_have_exact_values_together() -> None:
    circuit = side_by_side(2)
    circuit.data.pop()
    circuit.data = [
        line for line in circuit.data if line.name != "measure" or circuit.find_bit(line.qubits[0]).index % 3 < 2
    ]
    found = expectation(circuit, [{"ZIIZII": 1.0}, {"IIIZII": 1.0}], SIMULATOR, shots=None, method="branches")
    np.testing.assert_allclose(found.values, [np.cos(1.1) ** 2, np.cos(1.1)], atol=1e-12)


def test_parts_that_share_a_classical_bit_stay_together() -> None:
    """A coin on one qubit decides about two others that no gate joins."""
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.measure(0, 0)
    for qubit in (1, 2):
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.x(qubit)
    circuit.measure([1, 2], [1, 2])
    assert len(components(scan(circuit, SIMULATOR))) == 1
    assert set(sample(circuit, SIMULATOR, shots=200, seed=1, method="branches").counts()) == {"000", "111"}


def test_a_condition_that_only_an_expression_names_joins_parts() -> None:
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "a"), ClassicalRegister(1, "b"))
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test(expr.equal(circuit.cregs[0], 1)):
        circuit.x(1)
    circuit.measure(1, circuit.cregs[1][0])
    assert len(components(scan(circuit, SIMULATOR))) == 1
    assert set(sample(circuit, SIMULATOR, shots=200, seed=1, method="branches").counts()) == {"0 00", "1 01"}
