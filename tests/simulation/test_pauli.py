"""Pauli propagation: against the exact value where that is known, and how honest it is about its error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from time import perf_counter

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qumulus.catalogue.ideal import IDEAL
from qumulus.core.programs import Limits
from qumulus.simulation import chains, correlations, dense, pauli
from qumulus.simulation.circuits import scan
from qumulus.simulation.correlations import products
from qumulus.simulation.devices import DeviceModel, device_model, twirled
from qumulus.simulation.errors import GaveUp, ProgramError, Refused
from qumulus.simulation.expectation import expectation
from qumulus.simulation.propagation import OutOfRoom, OutOfTime, PauliSum, Strings, propagate, steps_of
from qumulus.simulation.sampling import sample
from qumulus.simulation.scatter import scattered
from qumulus.simulation.tasks import Covariance, Task, Weights

from .accuracy import record
from .circuits import isa, ising, kicked_ising, su2, teleportation

BRISBANE = device_model("brisbane")
SIGN = np.array([1.0, -1.0])
CASES = 500
TITLE = "Pauli propagation against the exact value"


def task_of(circuit: QuantumCircuit, model: DeviceModel, shots: int = 0, **settings: object) -> Task:
    return Task(scan(circuit, model), circuit, shots, **settings)  # type: ignore[arg-type]


def strings(task: Task, *groups: tuple[int, ...]) -> list[Weights]:
    """Z on physical qubits."""
    place = {physical: index for index, physical in enumerate(task.active.physical)}
    return [{place[qubit]: SIGN for qubit in group} for group in groups]


def value(circuit: QuantumCircuit, qubits: tuple[int, ...], model: DeviceModel, **settings: object) -> float:
    letters = "".join("Z" if qubit in qubits else "I" for qubit in reversed(range(circuit.num_qubits)))
    return float(expectation(circuit, [{letters: 1.0}], model, shots=None, **settings).values[0])  # type: ignore[arg-type]


# -- exactness -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["brisbane", "fez", IDEAL])
@pytest.mark.parametrize("kind", ["su2", "ising"])
def test_without_a_threshold_it_is_exact(device: str, kind: str) -> None:
    model = device_model(device)
    made = su2(5, 2) if kind == "su2" else ising(5, 4)
    task = task_of(made if model.ideal else isa(made, model), model)
    measured = list(task.active.terminal)
    terms: list[Weights] = [{measured[0]: SIGN}, dict.fromkeys(measured, SIGN), {measured[2]: np.array([1.0, 0.0])}]
    passes = pauli.Passes(task, terms, threshold=1e-11)
    passes.refine(0.0, 10.0)
    np.testing.assert_allclose(passes.values, dense.METHOD.expect(task, terms).values, atol=1e-9)


def test_letters_in_several_words_are_kept_apart() -> None:
    """64 qubits stand in two words; ZZ of a pair in both, through a block that joins them."""
    circuit = QuantumCircuit(64, 64)
    for qubit in range(64):
        circuit.ry(float(qubit), qubit)
    circuit.rxx(0.7, 3, 40)
    circuit.rz(0.3, 40)
    circuit.rxx(1.1, 3, 40)
    circuit.measure(range(64), range(64))
    model = device_model(IDEAL)
    task = task_of(circuit, model)
    terms = strings(task, (3, 40), (3,), (40,))
    passes = pauli.Passes(task, terms, threshold=1e-11)
    passes.refine(0.0, 5.0)
    np.testing.assert_allclose(passes.values, dense.METHOD.expect(task, terms).values, atol=1e-8)


# -- honesty -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    error: float
    estimate: float
    bound: float


PATCH = (0, 1, 2, 3, 4, 14, 15, 18)
"""Qubits of Brisbane that hang together."""


@cache
def drawn_cases() -> tuple[Case, ...]:
    """Circuits drawn from several kinds on up to eight qubits, each with terms drawn, after a drawn number of passes."""
    random = np.random.default_rng(17)
    edges = [edge for edge in BRISBANE.target["ecr"] if set(edge) <= set(PATCH)]
    found: list[Case] = []
    for _ in range(CASES // 4):
        circuit = QuantumCircuit(19, len(PATCH))
        kind, layers = random.integers(3), random.integers(2, 14)
        angles = random.uniform(0, 1.6, 3)
        for _ in range(layers):
            for qubit in PATCH:
                turn = (
                    random.uniform(0, 2 * np.pi, 2)
                    if kind == 0
                    else angles[:2]
                    if kind == 1
                    else np.pi / 2 * random.integers(0, 4, 2)
                )
                circuit.rz(float(turn[0]), qubit)
                circuit.sx(qubit)
                circuit.rz(float(turn[1]), qubit)
                circuit.sx(qubit)
                if kind == 2 and random.random() < 0.2:
                    circuit.rz(float(angles[2]), qubit)
            for edge in random.permutation(len(edges))[: 1 + random.integers(len(edges))]:
                circuit.ecr(*edges[edge])
        circuit.measure(PATCH, range(len(PATCH)))
        task = task_of(circuit, BRISBANE)
        measured = list(task.active.terminal)
        terms = [dict.fromkeys(random.permutation(measured)[: random.integers(1, 5)].tolist(), SIGN) for _ in range(4)]
        passes = pauli.Passes(task, terms)
        for _ in range(random.integers(2, 6)):
            passes._pass(np.arange(4), perf_counter() + 60)
        exact = dense.METHOD.expect(task, terms).values
        errors = np.abs(passes.values - exact)
        found += [Case(*figures) for figures in zip(errors, passes.errors, passes.bounds, strict=True)]
    return tuple(found)


def test_the_bound_holds_in_every_drawn_case() -> None:
    cases = drawn_cases()
    assert len(cases) >= CASES
    assert all(case.error <= case.bound + 1e-9 for case in cases)
    assert sum(case.error > 1e-4 for case in cases) > CASES / 4  # there is something to bound


def test_the_estimate_is_exceeded_in_one_case_of_fifty_at_most() -> None:
    cases = drawn_cases()
    beyond = [case for case in cases if case.error > case.estimate + 1e-9]
    record(TITLE, f"{len(cases)} drawn terms, 8 qubits", "beyond the estimate", f"{len(beyond)}")
    record(TITLE, f"{len(cases)} drawn terms, 8 qubits", "beyond the bound", "0")
    assert len(beyond) <= len(cases) / 50
    assert all(case.error <= 3 * case.estimate + 1e-3 for case in cases)


def test_it_agrees_with_the_chain_in_one_dimension() -> None:
    circuit = isa(ising(20, 3), BRISBANE)
    task = task_of(circuit, BRISBANE)
    measured = list(task.active.terminal)
    terms: list[Weights] = [{qubit: SIGN} for qubit in measured] + [{a: SIGN, b: SIGN} for a, b in pairwise(measured)]
    by_chain = chains.TRUNCATED.expect(task, terms)
    found = pauli.Passes(task, terms)
    found.refine(1e-4, 10.0)
    errors = np.abs(found.values - by_chain.values)
    record(TITLE, "Ising, 3 steps, 20 qubits, against chain-cut", "largest error", errors.max())
    assert (errors <= found.errors + 1e-5).all()
    assert errors.max() < 1e-3


def test_it_agrees_with_stabilizers_at_a_clifford_angle_on_the_whole_device() -> None:
    """θ = π/2 makes every gate of the kicked Ising model Clifford; the noise is twirled, as that method has it."""
    model = twirled(BRISBANE, gates=True, measurements=True)
    circuit = kicked_ising(BRISBANE, 5, np.pi / 2, optimization_level=1)
    support = (37, 41, 52, 56, 57, 58, 62, 79)
    exact = value(circuit, support, model, method="pauli")
    circuit.measure_all()
    bits = sample(circuit, model, shots=40_000, seed=1, method="stabilizer").bits["meas"]
    by_shots = (1.0 - 2.0 * (bits[:, list(support)].sum(axis=1) % 2)).mean()
    assert exact == pytest.approx(by_shots, abs=0.02)


def test_it_agrees_with_the_light_cone() -> None:
    circuit = kicked_ising(BRISBANE, 2, 0.7)
    found = value(circuit, (62,), BRISBANE, method="pauli")
    exact = value(circuit, (62,), BRISBANE, method="exact")
    record(TITLE, "kicked Ising, 2 steps, 127 qubits, against the light cone", "largest error", abs(found - exact))
    assert found == pytest.approx(exact, abs=1e-4)


# -- choosing it ---------------------------------------------------------------------------------------------------------

ANSWERS = Limits(approximate=True, pub_budget=2.0)


def test_the_utility_experiment_is_answered_and_says_how_accurately() -> None:
    circuit = kicked_ising(BRISBANE, 20, 0.6)
    letters = "".join("Z" if qubit == 62 else "I" for qubit in reversed(range(127)))
    found = expectation(circuit, [{letters: 1.0}], BRISBANE, shots=1000, seed=1, limits=ANSWERS)
    assert found.metadata["method"] == "pauli"
    assert found.metadata["approximation"] == pauli.METHOD.approximation
    assert 0 < found.metadata["accuracy"]["error_estimate"] <= found.metadata["accuracy"]["error_bound"]
    assert 0.05 < found.values[0] < 0.7
    assert found.standard_errors[0] == pytest.approx(np.sqrt((1 - found.values[0] ** 2) / 1000))


@pytest.mark.parametrize(
    ("method", "limits"), [("exact", ANSWERS), ("auto", Limits(seconds=600.0))], ids=["by the job", "by the cloud"]
)
def test_who_wants_it_exact_or_not_at_all_gets_a_refusal(method: str, limits: Limits) -> None:
    with pytest.raises(Refused, match="Use fewer qubits"):
        value(kicked_ising(BRISBANE, 20, 0.6), (62,), BRISBANE, method=method, limits=limits)


def test_what_is_exact_at_once_stays_exact() -> None:
    circuit = isa(su2(4).remove_final_measurements(inplace=False), BRISBANE)
    found = expectation(circuit, [{"Z" * 127: 1.0}], BRISBANE, shots=None, limits=ANSWERS)
    assert found.metadata["approximation"] is None


def test_the_same_seed_gives_the_same_values() -> None:
    circuit = kicked_ising(BRISBANE, 3, 0.5)
    observable = {"".join("Z" if qubit in (62, 63) else "I" for qubit in reversed(range(127))): 1.0}
    first, second, other = (
        expectation(circuit, [observable], BRISBANE, shots=500, seed=seed, method="pauli").values for seed in (4, 4, 5)
    )
    assert first == second
    assert first != other


def test_shots_are_no_answer_of_it() -> None:
    circuit = isa(su2(3), BRISBANE)
    with pytest.raises(ProgramError, match="mean values only"):
        sample(circuit, BRISBANE, shots=10, seed=1, method="pauli")


def test_a_dynamic_circuit_is_propagated_where_its_measurements_can_be_deferred() -> None:
    circuit = teleportation()
    circuit.data.pop()
    found = expectation(circuit, [{"ZII": 1.0}, {"XII": 1.0}], device_model(IDEAL), shots=None, method="pauli")
    np.testing.assert_allclose(found.values, [np.cos(1.1), np.sin(1.1)], atol=1e-9)


# -- limits --------------------------------------------------------------------------------------------------------------


def hard() -> tuple[Task, list[Weights]]:
    circuit = isa(su2(8, 6), BRISBANE)
    task = task_of(circuit, BRISBANE)
    return task, [dict.fromkeys(list(task.active.terminal), SIGN)]


def test_a_sum_stays_within_its_room() -> None:
    task, terms = hard()
    start, _ = pauli.read_out(terms, task.outputs, task.active.n_qubits, 1e-9)
    with pytest.raises(OutOfRoom):
        propagate(
            8, steps_of(task.fused.blocks), start, 1, threshold=1e-9, most_strings=5000, deadline=perf_counter() + 60
        )


def test_a_propagation_ends_at_its_deadline() -> None:
    task, terms = hard()
    start, _ = pauli.read_out(terms, task.outputs, task.active.n_qubits, 1e-9)
    with pytest.raises(OutOfTime):
        propagate(8, steps_of(task.fused.blocks), start, 1, threshold=1e-9, most_strings=10**6, deadline=perf_counter())


def test_what_is_not_accurate_enough_gives_way_to_another_method() -> None:
    task, terms = hard()
    task.budget = 0.05
    with pytest.raises(GaveUp, match="leaves an error"):
        pauli.METHOD.expect(task, terms)
    task.at_any_accuracy = True
    means = pauli.METHOD.expect(task, terms)
    assert means.accuracy["error_estimate"] > pauli.EXACT_TOLERANCE
    assert "time did not suffice" in means.accuracy["warning"]


def test_equal_strings_that_relaxation_left_are_added_up() -> None:
    words = np.array([[3, 3, 12, 3]], np.uint64)  # Z on qubit 0 three times, on qubit 1 once
    state = PauliSum(2, Strings(words, np.array([0.5, 0.25, 0.1, 0.25]), np.zeros(4, np.int64)), 1, 1e-6, 100)
    state._merge()
    assert state.count == 2
    np.testing.assert_allclose(state.values(), [1.1])


# -- the scatter of sums ---


def chain_of_letters(n_qubits: int) -> dict[str, float]:
    """Z of each qubit and ZZ of neighbours, with coefficients of both signs."""
    strings = {
        "".join("Z" if k in (q, q + 1) else "I" for k in reversed(range(n_qubits))): 0.7 for q in range(n_qubits - 1)
    }
    return strings | {"".join("Z" if k == q else "I" for k in reversed(range(n_qubits))): -0.4 for q in range(n_qubits)}


@pytest.mark.parametrize("device", ["brisbane", IDEAL])
def test_terms_of_an_observable_scatter_together_as_shots_do(device: str) -> None:
    model = device_model(device)
    circuit = ising(5, 3).remove_final_measurements(inplace=False)
    observable = chain_of_letters(5)
    if not model.ideal:
        circuit = isa(circuit, model)
        found = SparsePauliOp(list(observable), list(observable.values())).apply_layout(circuit.layout)
        observable = dict(found.to_list())
    method = "ideal" if model.ideal else "dense"
    by_shots = expectation(circuit, [observable], model, shots=20_000, method=method)
    by_means = expectation(circuit, [observable], model, shots=20_000, method="pauli")
    expected = float(by_shots.standard_errors[0])
    independent = np.sqrt(sum(value**2 for value in observable.values()) / 20_000)
    assert abs(expected / independent - 1) > 0.2  # correlation counts
    assert float(by_means.standard_errors[0]) == pytest.approx(expected, rel=0.05)
    assert abs(float(by_means.values[0]) - float(by_shots.values[0])) < 6 * expected
    assert by_means.metadata["accuracy"]["correlated_pairs"] > 0


def test_means_that_are_correlated_are_drawn_together() -> None:
    """Two of three terms; the third one scatters by itself."""
    terms: list[Weights] = [{0: SIGN}, {0: SIGN, 1: SIGN}, {2: SIGN}]
    means, covariance = np.array([0.3, -0.2, 0.5]), Covariance(np.array([[0, 1]]), np.array([-0.6]))
    runs = [scattered(means, terms, 400, (1, k), covariance) for k in range(2000)]
    expected = np.diag(1 - means**2) / 400
    expected[0, 1] = expected[1, 0] = -0.6 / 400
    drawn = np.array([found for found, _ in runs])
    np.testing.assert_allclose(drawn.mean(axis=0), means, atol=0.005)
    np.testing.assert_allclose(np.cov(drawn, rowvar=False), expected, atol=2e-4)
    np.testing.assert_allclose(np.mean([told for _, told in runs], axis=0), expected, atol=5e-5)


def test_covariances_that_cannot_be_together_give_a_matrix_that_can() -> None:
    """Three terms cannot all be opposites of each other."""
    covariance = Covariance(np.array([[0, 1], [1, 2], [0, 2]]), np.full(3, -0.9))
    _, told = scattered(np.zeros(3), [{k: SIGN} for k in range(3)], 1000, 1, covariance)
    assert np.linalg.eigvalsh(told)[0] > -1e-12


def test_terms_in_separate_light_cones_are_not_correlated() -> None:
    circuit = QuantumCircuit(6, 6)
    for qubit in range(0, 6, 2):
        circuit.ry(0.7, qubit)
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(6), range(6))
    task = task_of(circuit, device_model(IDEAL))
    task.shots, task.sums = 100, [{0: 1.0, 1: 1.0, 2: -2.0}]
    found = products(task, strings(task, (0, 1), (1,), (2,)), task.fused.blocks)
    assert found is not None
    assert found.pairs.tolist() == [[0, 1]]
    assert [sorted(term) for term in found.terms] == [[task.active.physical.index(0)]]  # Z0 Z1 times Z1


def test_too_many_terms_scatter_as_if_they_were_independent_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlations, "MOST_PAIRS", 2)
    circuit = ising(5, 2).remove_final_measurements(inplace=False)
    found = expectation(circuit, [chain_of_letters(5)], device_model(IDEAL), shots=500, method="pauli")
    assert "independent" in found.metadata["accuracy"]["standard_errors"]


# -- scatter -------------------------------------------------------------------------------------------------------------


def test_means_scatter_as_shots_would() -> None:
    terms: list[Weights] = [{0: SIGN}, {0: np.array([1.0, 0.0])}]
    runs = np.array([scattered(np.array([0.3, 0.2]), terms, 400, (1, k))[0] for k in range(2000)])
    np.testing.assert_allclose(runs.mean(axis=0), [0.3, 0.2], atol=0.005)
    np.testing.assert_allclose(runs.std(axis=0), [np.sqrt((1 - 0.09) / 400), np.sqrt(0.16 / 400)], rtol=0.06)
    _, covariance = scattered(np.array([0.3, 0.2]), terms, 100_000, 1)
    np.testing.assert_allclose(np.diag(covariance) * 100_000, [1 - 0.09, 0.16], rtol=0.02)
