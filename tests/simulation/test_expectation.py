"""Expectation values: exact against the density matrix, by shots against exact."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from multiprocessing import get_context

import numpy as np
import pytest
from qiskit.circuit import CircuitInstruction, Clbit, Parameter, QuantumCircuit, Reset
from qiskit.quantum_info import Clifford, Pauli, SparsePauliOp, Statevector
from qiskit_aer import AerSimulator

from qumulus.catalogue.ideal import IDEAL
from qumulus.core.programs import LOCAL_MODE_NOISE, Limits
from qumulus.execution import process
from qumulus.simulation.aer import noise_model
from qumulus.simulation.bases import without_final_measurements
from qumulus.simulation.choice import METHODS
from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import device_model
from qumulus.simulation.errors import ProgramError, Refused
from qumulus.simulation.expectation import expectation, expectation_sweep, shots_for
from qumulus.simulation.tasks import Task

from .circuits import isa, su2, teleportation

SIMULATOR = device_model(IDEAL)


def prepared(n_qubits: int) -> QuantumCircuit:
    return su2(n_qubits).remove_final_measurements(inplace=False)


def spread(label: str, circuit: QuantumCircuit) -> str:
    """A string on virtual qubits as one on the physical qubits of a transpiled circuit."""
    return SparsePauliOp(label).apply_layout(circuit.layout).paulis[0].to_label()


def test_every_string_is_exact_on_the_ideal_simulator() -> None:
    circuit = prepared(3)
    labels = ["".join(letters) for letters in product("IXYZ", repeat=3)]
    found = expectation(circuit, [{label: 1.0} for label in labels], SIMULATOR, shots=None)
    expected = [Statevector(circuit).expectation_value(SparsePauliOp(label)).real for label in labels]
    np.testing.assert_allclose(found.values, expected, atol=1e-12)
    assert not found.standard_errors.any()


def test_aer_gives_exact_values_where_there_is_no_noise() -> None:
    circuit, labels = prepared(4), [{"XIYZ": 1.0}, {"ZZII": 0.5, "1IIl": 2.0}]
    by_aer = expectation(circuit, labels, SIMULATOR, shots=None, method="ideal")
    by_contraction = expectation(circuit, labels, SIMULATOR, shots=None, method="dense")
    np.testing.assert_allclose(by_aer.values, by_contraction.values, atol=1e-12)


def test_projectors_count_one_outcome() -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.sx(1)
    found = expectation(
        circuit, [{"I+": 1.0}, {"I-": 1.0}, {"I0": 1.0}, {"l0": 1.0}, {"rI": 2.0}], SIMULATOR, shots=None
    )
    np.testing.assert_allclose(found.values, [1.0, 0.0, 0.5, 0.5, 0.0], atol=1e-12)


@pytest.mark.parametrize("name", ["brisbane", "fez", "kingston", "almaden"])
def test_a_noisy_value_is_what_the_device_would_read(name: str) -> None:
    """Against Aer: the density matrix after the turning gates with their errors, then the confusion of each qubit."""
    model = device_model(name, noise=LOCAL_MODE_NOISE)
    circuit = isa(prepared(4), model)
    labels = [spread(label, circuit) for label in ("IIZZ", "XIXI", "YXZI", "ZZZZ", "IIYI")]
    found = expectation(circuit, [{label: 1.0} for label in labels], model, shots=None).values
    for label, value in zip(labels, found, strict=True):
        assert value == pytest.approx(_by_density_matrix(circuit, label, model), abs=1e-6)


def _by_density_matrix(circuit: QuantumCircuit, label: str, model) -> float:
    support = [qubit for qubit, letter in enumerate(reversed(label)) if letter != "I"]
    turned = circuit.copy()
    active = {circuit.find_bit(qubit).index for instruction in circuit.data for qubit in instruction.qubits}
    noise = noise_model(model, active)
    for qubit in support:
        letter = label[::-1][qubit]
        if letter != "Z" and "sx" in model.target.operation_names:
            if letter == "X":
                turned.rz(np.pi / 2, qubit)
            turned.sx(qubit)
        elif letter != "Z":
            turned.append(
                model.target.operation_from_name("u2").__class__(0, np.pi if letter == "X" else np.pi / 2), [qubit]
            )
        error = noise._local_quantum_errors.get("measure", {}).get((qubit,))
        if error is not None:
            turned.append(error.to_instruction(), [qubit])
    turned.save_probabilities(support)
    data = AerSimulator(method="density_matrix", noise_model=noise).run(turned).result().data(0)
    tensor = np.asarray(data["probabilities"]).reshape((2,) * len(support))
    for axis, qubit in enumerate(reversed(support)):
        tensor = np.moveaxis(np.tensordot(model.noise.confusion[qubit], tensor, axes=(1, axis)), 0, axis)
    for _ in support:
        tensor = tensor[0] - tensor[1]
    return float(tensor)


def test_shots_scatter_around_the_exact_value_by_the_standard_error() -> None:
    model = device_model("brisbane")
    circuit = isa(prepared(3), model)
    observable = {spread(label, circuit): c for label, c in {"IZZ": 0.5, "XXI": -1.0, "ZZI": 0.3, "III": 2.0}.items()}
    exact = expectation(circuit, [observable], model, shots=None).values[0]
    runs = [expectation(circuit, [observable], model, shots=400, seed=(1, k)) for k in range(40)]
    deviations = np.array([(run.values[0] - exact) / run.standard_errors[0] for run in runs])
    assert abs(deviations.mean()) < 0.6
    assert 0.7 < deviations.std() < 1.4


def test_a_dynamic_circuit_has_exact_values_too() -> None:
    circuit = teleportation()
    circuit.data.pop()  # the last measurement: the teleported qubit stays
    found = expectation(circuit, [{"ZII": 1.0}, {"XII": 1.0}], SIMULATOR, shots=None)
    np.testing.assert_allclose(found.values, [np.cos(1.1), np.sin(1.1)], atol=1e-12)


def before_the_end(what: str, n_qubits: int) -> QuantumCircuit:
    circuit = prepared(n_qubits)
    if what == "a bit steers":
        circuit.add_bits([Clbit()])
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.x(1)
    elif what == "a reset in the middle":
        circuit.reset(0)
        circuit.ry(0.5, 0)
    elif what == "a qubit that is read and turned":
        circuit.add_bits([Clbit()])
        circuit.measure(0, 0)
        circuit.h(0)
    elif what == "a reset at the start":
        circuit.data.insert(0, CircuitInstruction(Reset(), [circuit.qubits[0]]))
    return circuit


@pytest.mark.parametrize(
    "what", ["a bit steers", "a reset in the middle", "a qubit that is read and turned", "a reset at the start"]
)
def test_an_exact_value_is_never_a_mean_over_shots(what: str) -> None:
    """On few qubits Aer's state vector agrees or is not asked; on more, where it is the fastest, no run differs from another."""
    last = "I" if what == "a qubit that is read and turned" else "Z"
    observable = [{"ZZZ" + last: 1.0}]
    expected = expectation(before_the_end(what, 4), observable, SIMULATOR, shots=None, method="branches").values
    with suppress(ProgramError):
        by_aer = expectation(before_the_end(what, 4), observable, SIMULATOR, shots=None, method="ideal").values
        np.testing.assert_allclose(by_aer, expected, atol=1e-12)
    circuit = before_the_end(what, 9)
    found = [expectation(circuit, [{"Z" * 8 + last: 1.0}], SIMULATOR, shots=None).values for _ in range(2)]
    np.testing.assert_allclose(*found, atol=1e-12)


@pytest.mark.parametrize("name", ["brisbane", "kingston", IDEAL])
@pytest.mark.parametrize("shots", [None, 300])
def test_measurements_at_the_end_of_a_circuit_change_no_value(name: str, shots: int | None) -> None:
    """With a barrier before them, as `measure_all` writes them: the service leaves them out, and so are they here."""
    model = device_model(name)
    bare = isa(prepared(4), model) if not model.ideal else prepared(4)
    measured = bare.copy()
    measured.measure_all()
    labels = [{"I" * (bare.num_qubits - 4) + label: 1.0} for label in ("XXII", "IZZI", "IIIY")]
    plain = expectation(bare, labels, model, shots=shots, seed=3)
    found = expectation(measured, labels, model, shots=shots, seed=3)
    np.testing.assert_array_equal(found.values, plain.values)
    assert found.metadata["method"] == plain.metadata["method"]


def test_a_measurement_that_something_follows_or_reads_is_no_final_one() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.h(0)
    circuit.x(1)
    circuit.measure(1, 1)
    with circuit.if_test((circuit.clbits[1], 1)):
        circuit.h(0)
    circuit.measure(0, 0)
    assert without_final_measurements(circuit).count_ops() == {"h": 2, "x": 1, "measure": 2, "if_else": 1}
    assert circuit.count_ops()["measure"] == 3


@pytest.mark.parametrize("method", ["dense", "chain", "trajectories", "stabilizer"])
def test_a_reading_in_the_middle_that_nobody_reads_only_dephases(method: str) -> None:
    """All methods for circuits without feed-forward take it; the values are those of the one that follows the readings."""
    model = device_model("kingston")
    circuit = QuantumCircuit(2, 1)
    circuit.sx(0)
    circuit.measure(0, 0)
    circuit.sx(0)
    circuit.cz(0, 1)
    circuit.sx(1)
    observables = [{"IZ": 1.0}, {"ZI": 1.0}, {"XX": 1.0}]
    expected = expectation(circuit, observables, model, shots=None, method="branches").values
    if method in ("dense", "chain"):
        found = expectation(circuit, observables, model, shots=None, method=method)
        np.testing.assert_allclose(found.values, expected, atol=1e-12)
    else:
        found = expectation(circuit, observables, model, shots=40_000, method=method)
        np.testing.assert_allclose(found.values, expected, atol=0.02)
    assert abs(expected[0]) < 0.05


def test_a_circuit_of_many_qubits_that_ends_in_measurements_is_as_easy_as_without() -> None:
    model = device_model("kingston")
    circuit = QuantumCircuit(20)
    circuit.h(0)
    for qubit in range(19):
        circuit.cx(qubit, qubit + 1)
    circuit.ry(0.3, range(20))
    circuit.measure_all()
    placed = isa(circuit, model)
    label = SparsePauliOp("ZZ" + "I" * 18).apply_layout(placed.layout).paulis[0].to_label()
    found = expectation(placed, [{label: 1.0}], model, shots=100)
    assert found.metadata["estimated_seconds"] < 0.1


def wide_clifford(n_qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(n_qubits)
    for layer in range(3):
        circuit.h(range(n_qubits))
        circuit.s(range(n_qubits))
        for qubit in range(n_qubits):
            circuit.cz(qubit, (qubit + 13 + layer) % n_qubits)
    return circuit


def test_an_exact_value_of_a_wide_clifford_circuit_is_too_much_for_the_state_vector() -> None:
    circuit = wide_clifford(40)
    with pytest.raises(Refused, match="40 active qubits"):
        expectation(circuit, [{"Z" * 40: 1.0}], SIMULATOR, shots=None, method="ideal")
    assert expectation(circuit, [{"Z" * 40: 1.0}], SIMULATOR, shots=100, method="ideal").shots == 100


def test_stabilizers_give_exact_values_of_wide_clifford_circuits() -> None:
    """What the inverse of the circuit turns to Z on the first qubit is 1; what anticommutes with it is 0."""
    n_qubits = 100
    circuit = wide_clifford(n_qubits)
    stabilizer = Pauli("I" * (n_qubits - 1) + "Z").evolve(Clifford(circuit), frame="s")
    other = Pauli("I" * (n_qubits - 1) + "X").evolve(Clifford(circuit), frame="s")
    labels = [Pauli((p.z, p.x)).to_label() for p in (stabilizer, other)]
    found = expectation(circuit, [{label: 1.0} for label in labels], SIMULATOR, shots=None)
    sign = {0: 1.0, 2: -1.0}[(stabilizer.phase + 0) % 4]
    np.testing.assert_array_equal(found.values, [sign, 0.0])
    assert found.metadata["method"] == "tableau"
    assert found.metadata["approximation"] is None


def test_stabilizers_know_projectors_resets_and_readings_that_nobody_reads() -> None:
    circuit = QuantumCircuit(4, 1)
    circuit.h(0)
    circuit.cx(0, [1, 2])
    circuit.rx(np.pi / 2, 3)
    circuit.reset(2)
    circuit.measure(1, 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.x(0)
    labels = ["IZZI", "I00I", "I01Z", "r01I", "l0I+", "-Z1X", "III1", "XIIX", "Y1Z0"]
    observables = [{label: 1.5, "IIII": 0.25} for label in labels]
    expected = expectation(circuit, observables, SIMULATOR, shots=None, method="dense").values
    found = expectation(circuit, observables, SIMULATOR, shots=None, method="tableau").values
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert len(set(expected.round(6))) > 3


def test_stabilizers_object_to_what_is_no_clifford_circuit() -> None:
    circuit = QuantumCircuit(1)
    circuit.t(0)
    for shots, said in ((None, "t is not a Clifford gate"), (10, "t is not a Clifford gate")):
        with pytest.raises(ProgramError, match=said):
            expectation(circuit, [{"X": 1.0}], SIMULATOR, shots=shots, method="tableau")


def grown_and_estimated(n_qubits: int) -> tuple[float, float]:
    """Bytes by which an exact value makes a process grow, and what the estimate says."""
    circuit = prepared(n_qubits)
    expectation(prepared(4), [{"ZZZZ": 1.0}], SIMULATOR, shots=None, method="ideal")  # loads what is loaded once
    process.forget_peak()
    before = process.highest_bytes()
    expectation(circuit, [{"Z" * n_qubits: 1.0}], SIMULATOR, shots=None, method="ideal")
    grown = process.highest_bytes() - before
    turned = circuit.copy()
    turned.measure_all()
    estimate = METHODS["ideal"].estimate(Task(scan(turned, SIMULATOR), turned, 0))
    return grown, estimate.memory_bytes


def test_the_memory_of_an_exact_value_is_estimated_with_its_probabilities() -> None:
    with get_context("spawn").Pool(1) as pool:
        grown, estimated = pool.apply(grown_and_estimated, (21,))
    assert grown < 1.3 * estimated


def test_a_sweep_gives_each_set_its_own_observables() -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(1)
    circuit.ry(angle, 0)
    cases = [({angle: 0.3}, [{"Z": 1.0}]), ({angle: 0.7}, [{"X": 1.0}, {"Z": 2.0}])]
    first, second = expectation_sweep(circuit, cases, SIMULATOR, shots=None)
    np.testing.assert_allclose(first.values, [np.cos(0.3)], atol=1e-12)
    np.testing.assert_allclose(second.values, [np.sin(0.7), 2 * np.cos(0.7)], atol=1e-12)


def test_a_precision_is_a_number_of_shots() -> None:
    assert shots_for(0.1) == 100
    assert shots_for(0.0) is None
    with pytest.raises(ProgramError, match="not possible"):
        shots_for(-0.1)


def test_an_observable_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ProgramError, match="one letter a qubit"):
        expectation(QuantumCircuit(1), [{"ZZ": 1.0}], SIMULATOR, shots=None)
    with pytest.raises(ProgramError, match="one letter a qubit"):
        expectation(QuantumCircuit(1), [{"Q": 1.0}], SIMULATOR, shots=None)


def test_a_sweep_that_takes_too_long_as_a_whole_is_refused() -> None:
    model = device_model("brisbane")
    circuit = isa(prepared(14), model)
    cases = [({}, [{spread("Z" * 14, circuit): 1.0}])] * 10_000
    with pytest.raises(Refused, match="10000 runs of the circuit with 14 active qubits"):
        expectation_sweep(circuit, cases, model, shots=None, limits=Limits(seconds=5))
