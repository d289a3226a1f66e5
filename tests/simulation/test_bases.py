"""Several bases of one circuit: read from one evolution, as if each had been evolved by itself."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qumulus.core.programs import NOISES, Limits
from qumulus.simulation.bases import Evolution, Evolved
from qumulus.simulation.chain import Chain
from qumulus.simulation.choice import Chosen
from qumulus.simulation.devices import DeviceModel, device_model
from qumulus.simulation.errors import GaveUp, Refused
from qumulus.simulation.expectation import expectation, expectation_sweep
from qumulus.simulation.meter import Meter, metered

from .circuits import brickwork, ghz, isa, long_range_cnot, su2

CIRCUITS = {
    "SU(2)": lambda: su2(9, 2),
    "brickwork": lambda: brickwork(8, 4),
    "GHZ": lambda: ghz(10),
}


def placed(circuit: QuantumCircuit, model: DeviceModel) -> QuantumCircuit:
    return isa(circuit.remove_final_measurements(inplace=False), model)


def observables(circuit: QuantumCircuit, n_qubits: int) -> list[dict[str, float]]:
    """Strings of some letters that need six bases, on the qubits where the transpiler put the circuit."""
    random = np.random.default_rng(4)
    labels = ["".join(random.choice(list("IXYZ"), n_qubits)) for _ in range(6)]
    return [{SparsePauliOp(label).apply_layout(circuit.layout).paulis[0].to_label(): 1.0} for label in labels]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one with each evolution of a chain."""
    calls, evolve = list[None](), Chain.of

    def of(*given: object, **named: object) -> Chain:
        calls.append(None)
        return evolve(*given, **named)

    monkeypatch.setattr(Chain, "of", of)
    return calls


@pytest.mark.parametrize("kind", CIRCUITS)
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("name", ["brisbane", "kingston", "almaden"])
def test_one_evolution_gives_the_values_of_all_bases(
    name: str, kind: str, noise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against each term by its own light cone, on devices that turn qubits by sx and by u2, and that err before reading.

    Where circuits are scheduled, a qubit waits for the turns of others, and is read when they are.
    """
    model, circuit = device_model(name, noise=noise), CIRCUITS[kind]()
    n_qubits, circuit = circuit.num_qubits, placed(circuit, model)
    wanted = observables(circuit, n_qubits)
    expected = expectation(circuit, wanted, model, shots=None, method="dense").values
    calls = counted(monkeypatch)
    found = expectation(circuit, wanted, model, shots=None, method="chain")
    np.testing.assert_allclose(found.values, expected, atol=1e-11)
    assert len(calls) == 1
    assert found.metadata["method"] == "chain"
    assert found.metadata["accuracy"]["trace_error"] < 1e-10


def test_a_slow_machine_shares_an_evolution_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both estimates count in its own seconds."""
    monkeypatch.setattr("qumulus.simulation.tasks.slowness", lambda: 5.0)
    model = device_model("brisbane")
    circuit = placed(su2(9, 2), model)
    calls = counted(monkeypatch)
    expectation(circuit, observables(circuit, 9), model, shots=None, method="chain")
    assert len(calls) == 1


def test_one_truncated_evolution_is_as_accurate_as_one_for_each_basis() -> None:
    model = device_model("brisbane")
    circuit = placed(brickwork(8, 8), model)
    wanted = observables(circuit, 8)
    expected = expectation(circuit, wanted, model, shots=None, method="dense").values
    found = expectation(circuit, wanted, model, shots=None, method="chain-cut")
    np.testing.assert_allclose(found.values, expected, atol=1e-4)
    assert found.metadata["accuracy"]["cut"] == 1e-5


def test_shots_of_one_evolution_scatter_by_their_standard_errors() -> None:
    model = device_model("brisbane")
    circuit = placed(su2(9, 2), model)
    wanted = observables(circuit, 9)
    exact = expectation(circuit, wanted, model, shots=None, method="dense").values
    runs = [expectation(circuit, wanted, model, shots=300, seed=(3, k), method="chain") for k in range(12)]
    deviations = np.array([(run.values - exact) / run.standard_errors for run in runs])
    assert abs(deviations.mean()) < 0.5
    assert 0.8 < deviations.std() < 1.2
    again = expectation(circuit, wanted, model, shots=300, seed=(3, 5), method="chain")
    np.testing.assert_array_equal(again.values, runs[5].values)


def test_terms_of_one_basis_keep_their_correlation() -> None:
    """The sum of two terms of one basis has the error of the sum."""
    model = device_model("brisbane")
    circuit = placed(ghz(10), model)
    letters = [SparsePauliOp(s).apply_layout(circuit.layout).paulis[0].to_label() for s in ("Z" * 10, "X" * 10)]
    first, second = (letters[0].replace("Z", "I", k) for k in (2, 4))
    runs = [
        expectation(circuit, [{first: 1.0, second: 1.0}, {letters[1]: 1.0}], model, shots=200, seed=k, method="chain")
        for k in range(30)
    ]
    spread = np.std([run.values[0] for run in runs])
    assert 0.6 < spread / np.mean([run.standard_errors[0] for run in runs]) < 1.5


def test_each_set_of_values_is_evolved_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    model, angle = device_model("brisbane"), Parameter("angle")
    bare = QuantumCircuit(9)
    for qubit in range(8):
        bare.ry(angle * (qubit + 1), qubit)
        bare.cx(qubit, qubit + 1)
    circuit = isa(bare, model)
    cases = [({angle: value}, observables(circuit, 9)) for value in (0.2, 0.9)]
    expected = expectation_sweep(circuit, cases, model, shots=None, method="dense")
    calls = counted(monkeypatch)
    found = expectation_sweep(circuit, cases, model, shots=None, method="chain")
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.values, other.values, atol=1e-11)
    assert len(calls) == 2


def test_bits_that_steer_stay_with_the_circuit_of_each_basis() -> None:
    model = device_model("brisbane")
    circuit = placed(long_range_cnot(4), model)
    ends = [circuit.find_bit(line.qubits[0]).index for line in long_range_ends(circuit)]
    labels = [
        {"".join(letter if q in ends else "I" for q in reversed(range(circuit.num_qubits))): 1.0} for letter in "XYZ"
    ]
    expected = expectation(circuit, labels, model, shots=None, method="branches").values
    found = expectation(circuit, labels, model, shots=None, method="chain").values
    np.testing.assert_allclose(found, expected, atol=1e-11)


def long_range_ends(circuit: QuantumCircuit) -> list:
    """The gates under a condition stand on the two ends."""
    return [line for line in circuit.data if line.name == "if_else"]


def test_a_basis_that_cannot_be_drawn_from_the_shared_state_is_run_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = device_model("brisbane")
    circuit = placed(su2(9, 2), model)
    wanted = observables(circuit, 9)
    monkeypatch.setattr(Evolution, "run", lambda *_: None)
    expected = expectation(circuit, wanted, model, shots=200, seed=1, method="chain")
    monkeypatch.undo()

    def gives_up(*_: object) -> None:
        raise GaveUp("truncation made a probability of -1")

    monkeypatch.setattr(Evolved, "sample", gives_up)
    found = expectation(circuit, wanted, model, shots=200, seed=1, method="chain")
    np.testing.assert_array_equal(found.values, expected.values)


def test_a_mistake_of_ours_in_sharing_leaves_each_basis_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    model, told = device_model("brisbane"), list[str]()
    circuit = placed(su2(9, 2), model)
    wanted = observables(circuit, 9)
    expected = expectation(circuit, wanted, model, shots=None, method="dense").values

    def fails(*_: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(Evolution, "run", fails)
    with metered(Meter(log=lambda text, _: told.append(text))):
        found = expectation(circuit, wanted, model, shots=None, method="chain").values
    np.testing.assert_allclose(found, expected, atol=1e-11)
    assert "ZeroDivisionError: a mistake of ours" in told[0]


def test_a_single_wide_basis_among_narrow_ones_is_run_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """One basis reads forty qubits, the others two each: evolving for all would only make the one more expensive."""
    model = device_model("brisbane")
    circuit = placed(su2(40, 2), model)
    wide = SparsePauliOp("Z" * 40).apply_layout(circuit.layout).paulis[0].to_label()
    narrow = [
        SparsePauliOp(f"{pair}" + "I" * 38).apply_layout(circuit.layout).paulis[0].to_label() for pair in ("XX", "YY")
    ]
    shared = list[Chosen]()
    run = Evolution.run

    def watched(self: Evolution, bases, chosen: Chosen, runs: int) -> Evolved | None:
        found = run(self, bases, chosen, runs)
        if found is not None:
            shared.append(chosen)
        return found

    monkeypatch.setattr(Evolution, "run", watched)
    expectation(circuit, [{wide: 1.0}, *({label: 1.0} for label in narrow)], model, shots=100)
    assert not shared


def test_sets_of_values_that_take_too_long_together_are_refused() -> None:
    model = device_model("brisbane")
    circuit = placed(su2(20, 2), model)
    cases = [({}, observables(circuit, 20))] * 10_000
    with pytest.raises(Refused, match="10000 runs of the circuit"):
        expectation_sweep(circuit, cases, model, shots=None, method="chain", limits=Limits(seconds=20))
