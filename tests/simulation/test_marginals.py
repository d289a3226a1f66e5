"""Shots with the right marginals where no distribution is in reach."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from scipy.special import ndtr
from scipy.stats import multivariate_normal

from qumulus.core.programs import Limits
from qumulus.simulation import dense
from qumulus.simulation.circuits import scan
from qumulus.simulation.copula import Copula, both_below
from qumulus.simulation.devices import device_model
from qumulus.simulation.errors import ProgramError, Refused
from qumulus.simulation.expectation import expectation
from qumulus.simulation.marginals import Model
from qumulus.simulation.sampling import sample
from qumulus.simulation.tasks import Task

from .accuracy import record
from .circuits import brickwork, isa, qaoa, su2

BRISBANE = device_model("brisbane")
ANSWERS = Limits(approximate=True, pub_budget=20.0)
SOON = Limits(approximate=True, pub_budget=0.5)
SHOTS = 40_000
CASES = 500
SIGN = np.array([1.0, -1.0])


def measured(circuit: QuantumCircuit) -> QuantumCircuit:
    found = circuit.copy()
    found.measure_all()
    return found


def signs(circuit: QuantumCircuit, method: str, seed: int = 1) -> np.ndarray:
    return 1.0 - 2.0 * sample(circuit, BRISBANE, shots=SHOTS, seed=seed, method=method).bits["meas"]


def test_means_and_pairs_of_a_few_qubits_are_those_of_the_device() -> None:
    circuit = isa(brickwork(6, 4), BRISBANE)
    exact, found = signs(circuit, "dense"), signs(circuit, "marginals")
    scatter = 5 * np.sqrt(2 / SHOTS)
    np.testing.assert_allclose(found.mean(axis=0), exact.mean(axis=0), atol=scatter)
    np.testing.assert_allclose(found.T @ found / SHOTS, exact.T @ exact / SHOTS, atol=scatter)


def test_the_bound_holds_for_every_drawn_marginal() -> None:
    """Means and pairs of circuits drawn on up to eight qubits, with shots drawn that decide how accurate they have to be."""
    random, beyond, drawn = np.random.default_rng(23), 0, 0
    while drawn < CASES:
        width, depth = int(random.integers(5, 9)), int(random.integers(2, 9))
        circuit = isa(brickwork(width, depth, int(random.integers(1 << 30))), BRISBANE)
        task = Task(scan(circuit, BRISBANE), circuit, int(random.integers(10, 1000)), SOON)
        model = Model.of(task)
        copula, accuracy = model.copula, model.accuracy()
        pairs = [(model.measured[a], model.measured[b]) for a, b in copula.pairs]
        terms = [{qubit: SIGN} for qubit in model.measured] + [dict.fromkeys(pair, SIGN) for pair in pairs]
        exact = dense.METHOD.expect(task, terms).values
        zero = ndtr(copula.thresholds)
        both = both_below(
            *copula.thresholds[copula.pairs.T], copula.correlation[tuple(copula.pairs.T)].clip(-0.9999, 0.9999)
        )
        singles = 2 * zero - 1
        found = np.concatenate([singles, 1 - 2 * zero[copula.pairs].sum(axis=1) + 4 * both])
        errors = np.abs(found - exact)
        assert (errors <= accuracy["error_bound"] + 1e-6).all()
        beyond += int((errors > accuracy["error_estimate"]).sum())
        drawn += len(errors)
    record("marginals against the exact values", f"{drawn} drawn marginals", "beyond the estimate", f"{beyond}")
    record("marginals against the exact values", f"{drawn} drawn marginals", "beyond the bound", "0")
    assert beyond <= drawn / 50


def test_what_was_approximated_is_said() -> None:
    found = sample(isa(su2(4), BRISBANE), BRISBANE, shots=100, seed=1, method="marginals")
    assert "pairs" in found.metadata["approximation"]
    assert found.metadata["accuracy"]["pairs"] == 6
    assert found.metadata["accuracy"]["error_estimate"] < 0.05
    assert "simulation_method" in found.metadata["accuracy"]["warning"]


def test_the_same_seed_gives_the_same_shots() -> None:
    circuit = isa(su2(4), BRISBANE)
    first, second, other = (
        sample(circuit, BRISBANE, shots=500, seed=seed, method="marginals").counts() for seed in (1, 1, 2)
    )
    assert first == second != other


@pytest.mark.parametrize("layers", [1, 2])
def test_the_cost_of_a_device_wide_qaoa_is_that_of_the_estimator(layers: int) -> None:
    """Within half a percent of the cost, and the scatter of the shots."""
    circuit = qaoa(BRISBANE, layers)
    edges = {tuple(sorted(edge)) for edge in BRISBANE.target.build_coupling_map().get_edges()}
    strings = {"".join("Z" if qubit in edge else "I" for qubit in reversed(range(127))): 1.0 for edge in edges}
    exact = expectation(circuit, [strings], BRISBANE, shots=None, limits=ANSWERS)
    assert exact.metadata["accuracy"]["error_estimate"] < 1e-2  # of a cost of many; the time of this machine decides
    found = sample(measured(circuit), BRISBANE, shots=SHOTS, seed=1, limits=ANSWERS)
    assert found.metadata["method"] == "marginals"
    readings = 1.0 - 2.0 * found.bits["meas"]
    costs = sum(readings[:, a] * readings[:, b] for a, b in edges)
    difference = abs(costs.mean() - exact.values[0])
    scatter = costs.std() / np.sqrt(SHOTS)
    title = "cost of a QAOA on 127 qubits, by shots against by the estimator"
    record(title, f"p = {layers}", "cost", exact.values[0])
    record(title, f"p = {layers}", "difference", difference)
    record(title, f"p = {layers}", "scatter of the shots", scatter)
    assert difference < 0.005 * abs(exact.values[0]) + 3 * scatter


# Within an hour the truncated chain would be tried first, which on a quick machine takes most of a minute.
@pytest.mark.parametrize(("method", "limits"), [("exact", ANSWERS), ("auto", Limits(seconds=60.0))])
def test_who_wants_them_exact_or_not_at_all_gets_a_refusal(method: str, limits: Limits) -> None:
    circuit = measured(isa(brickwork(40, 40), BRISBANE))
    with pytest.raises(Refused, match="Use fewer qubits"):
        sample(circuit, BRISBANE, shots=100, seed=1, method=method, limits=limits)


def test_means_have_a_better_method() -> None:
    circuit = isa(su2(3).remove_final_measurements(inplace=False), BRISBANE)
    with pytest.raises(ProgramError, match="better method"):
        expectation(circuit, [{"Z" * 127: 1.0}], BRISBANE, shots=10, method="marginals")


# -- the normal variables beneath ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("correlation", [-0.99, -0.6, 0.0, 0.3, 0.9, 0.99])
@pytest.mark.parametrize(("first", "second"), [(0.0, 0.0), (1.2, -0.4), (-2.0, -1.0)])
def test_both_variables_are_below_as_often_as_scipy_says(first: float, second: float, correlation: float) -> None:
    found = both_below(np.array([first]), np.array([second]), np.array([correlation]))[0]
    expected = multivariate_normal(cov=[[1.0, correlation], [correlation, 1.0]]).cdf([first, second])
    assert found == pytest.approx(expected, abs=1e-5)


def test_bits_have_the_means_and_the_correlations_of_a_ring_that_they_were_given() -> None:
    """Of a ring with frustration, which no tree of pairs could have."""
    random = np.random.default_rng(1)
    pairs = np.array([(k, (k + 1) % 12) for k in range(12)])
    means = random.uniform(-0.2, 0.2, 12)
    products = np.where(np.arange(12) % 3 == 0, -0.5, 0.45)
    copula = Copula(means, pairs, products)
    assert np.abs(copula.deviations).max() < 1e-6
    drawn = 1.0 - 2.0 * copula.draw(200_000, random)
    np.testing.assert_allclose(drawn.mean(axis=0), means, atol=0.012)
    np.testing.assert_allclose((drawn[:, pairs[:, 0]] * drawn[:, pairs[:, 1]]).mean(axis=0), products, atol=0.012)


def test_correlations_that_cannot_be_together_are_shrunk_and_said_so() -> None:
    """Three bits cannot all differ from each other."""
    copula = Copula(np.zeros(3), np.array([(0, 1), (1, 2), (0, 2)]), np.full(3, -0.9))
    assert np.abs(copula.deviations).max() > 0.1
    drawn = 1.0 - 2.0 * copula.draw(50_000, np.random.default_rng(1))
    expected = -0.9 + copula.deviations
    np.testing.assert_allclose([(drawn[:, a] * drawn[:, b]).mean() for a, b in copula.pairs], expected, atol=0.02)


@pytest.mark.parametrize("mean", [1.0, -1.0])
def test_a_bit_that_is_certain_stays_so(mean: float) -> None:
    copula = Copula(np.array([mean, 0.0]), np.array([(0, 1)]), np.array([0.0]))
    assert set(copula.draw(1000, np.random.default_rng(1))[:, 0]) == {0 if mean > 0 else 1}
