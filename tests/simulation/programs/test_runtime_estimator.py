"""The estimator of Qiskit Runtime, asked by the real client's encoder and read by its decoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from qumulus.core.results import Failure
from qumulus.simulation.devices import device_model
from qumulus.simulation.expectation import expectation
from simulation.circuits import ghz, isa, su2

from .runtime import estimator, result, run

BRISBANE = device_model("brisbane")
LEVELS = (0, 1, 2)


def prepared(n_qubits: int = 3) -> tuple[QuantumCircuit, QuantumCircuit]:
    """A circuit without measurements, and the same on the device."""
    circuit = su2(n_qubits).remove_final_measurements(inplace=False)
    return circuit, isa(circuit, BRISBANE)


def rotation() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("angle"), 0)
    return isa(circuit, BRISBANE)


def placed(observable: SparsePauliOp, circuit: QuantumCircuit) -> SparsePauliOp:
    return observable.apply_layout(circuit.layout)


def exact(circuit: QuantumCircuit, observable: SparsePauliOp) -> float:
    """What the device would read on average, without any mitigation."""
    terms = dict(zip(observable.paulis.to_labels(), observable.coeffs.real, strict=True))
    return float(expectation(circuit, [terms], BRISBANE, shots=None).values[0])


@pytest.mark.parametrize("level", LEVELS)
def test_a_single_value_is_an_array_without_dimensions(level: int) -> None:
    _, circuit = prepared()
    data = result(estimator([(circuit, placed(SparsePauliOp("ZZI"), circuit))], resilience_level=level))[0].data
    for values in (data.evs, data.stds):
        assert isinstance(values, np.ndarray)
        assert values.shape == ()


def test_without_mitigation_the_value_is_what_the_device_reads() -> None:
    _, circuit = prepared()
    observable = placed(SparsePauliOp.from_list([("ZZI", 0.7), ("IXX", -0.4), ("III", 0.2), ("IYZ", 0.1)]), circuit)
    data = result(estimator([(circuit, observable)], resilience_level=0))[0].data
    assert data.evs == pytest.approx(exact(circuit, observable), abs=4 * data.stds)
    assert 0 < data.stds < 2 / 64


def test_executions_count_bases_noise_factors_sets_of_values_and_the_calibration() -> None:
    """Two bases of one circuit, and two sets of values of another in one basis; each calibrates its readout once."""
    _, circuit = prepared()
    observable = placed(SparsePauliOp.from_list([("ZZI", 0.7), ("IXX", -0.4), ("ZII", 0.2)]), circuit)
    turned = rotation()
    pubs = [(circuit, observable), (turned, placed(SparsePauliOp("Z"), turned), [[0.1], [0.2]])]
    for level, factors, calibrations in ((0, 1, 0), (1, 1, 2), (2, 3, 2)):
        program = estimator(pubs, {"default_shots": 128}, resilience_level=level)
        assert run(program).metadata["circuits"]["executions"] == (factors * 4 + calibrations) * 128
        assert [pub.metadata["shots"] for pub in result(program)] == [128, 128]


def test_a_precision_of_zero_gives_the_exact_value() -> None:
    _, circuit = prepared()
    observable = placed(SparsePauliOp("XXZ"), circuit)
    found = result(estimator([(circuit, observable, None, 0.0)], resilience_level=0))[0]
    assert found.data.evs == pytest.approx(exact(circuit, observable), abs=1e-12)
    assert found.data.stds == 0.0
    assert found.metadata["shots"] is None


def test_readout_mitigation_takes_the_reading_errors_away_and_leaves_those_of_the_gates() -> None:
    ideal, circuit = prepared()
    observable = placed(SparsePauliOp("ZZZ"), circuit)
    raw, mitigated = (
        float(result(estimator([(circuit, observable, None, 0.0)], resilience_level=level))[0].data.evs)
        for level in (0, 1)
    )
    truth = Statevector(ideal).expectation_value(SparsePauliOp("ZZZ")).real
    noise = np.prod([2 * BRISBANE.noise.confusion[q].trace() / 2 - 1 for q in circuit.layout.final_index_layout()])
    assert abs(mitigated - truth) < abs(raw - truth)
    assert raw / mitigated == pytest.approx(noise, rel=0.02)


def test_projectors_are_mitigated_as_the_paulis_that_they_are_made_of() -> None:
    circuit = isa(QuantumCircuit(2), BRISBANE)
    paulis = SparsePauliOp.from_list([("II", 0.25), ("IZ", 0.25), ("ZI", 0.25), ("ZZ", 0.25)]).apply_layout(
        circuit.layout
    )
    qubits = circuit.layout.final_index_layout()
    projector = "".join("0" if q in qubits else "I" for q in reversed(range(127)))
    data = result(estimator([(circuit, [{projector: 1.0}, paulis], None, 0.0)], resilience_level=1))[0].data
    np.testing.assert_allclose(data.evs, [1.0, 1.0], atol=1e-3)
    assert data.evs[0] == pytest.approx(data.evs[1], abs=1e-12)


def test_extrapolation_comes_nearer_to_the_truth_than_readout_mitigation_alone() -> None:
    ideal, circuit = prepared(4)
    labels = ["ZZII", "IZZI", "XXII", "ZIIZ", "YYII"]
    observables = [placed(SparsePauliOp(label), circuit) for label in labels]
    truth = [Statevector(ideal).expectation_value(SparsePauliOp(label)).real for label in labels]
    distance = {
        level: np.abs(
            result(estimator([(circuit, observables, None, 0.0)], resilience_level=level))[0].data.evs - truth
        )
        for level in (1, 2)
    }
    assert distance[2].sum() < distance[1].sum() / 3


def test_extrapolation_reports_what_it_was_extrapolated_from() -> None:
    _, circuit = prepared()
    observables = [placed(SparsePauliOp(label), circuit) for label in ("ZZI", "IXX")]
    options = {"resilience": {"zne": {"noise_factors": [1, 2, 3], "extrapolator": ["linear", "polynomial_degree_2"]}}}
    found = result(estimator([(circuit, observables)], options, resilience_level=2))
    data = found[0].data
    assert data.evs.shape == (2,)
    assert data.evs_noise_factors.shape == data.stds_noise_factors.shape == (2, 3)
    assert data.evs_extrapolated.shape == data.stds_extrapolated.shape == (2, 2, 4)
    np.testing.assert_allclose(data.evs, data.evs_extrapolated[:, 0, 0])
    assert (data.stds > data.stds_noise_factors[:, 0]).all()
    zne = found.metadata["resilience"]["zne"]
    assert zne["noise_factors"] == [1.0, 2.0, 3.0]
    assert zne["extrapolated_noise_factors"] == [0.0, 1.0, 2.0, 3.0]
    assert found[0].metadata["resilience"]["zne"]["extrapolator"] == ["linear"]


@pytest.mark.parametrize("amplifier", ["gate_folding", "gate_folding_front", "gate_folding_back", "pea"])
def test_each_amplifier_makes_the_errors_grow_with_the_factor(amplifier: str) -> None:
    ideal, circuit = prepared()
    options = {"resilience": {"zne": {"amplifier": amplifier, "noise_factors": [1, 1.5, 3, 5]}}}
    observable = placed(SparsePauliOp("ZZZ"), circuit)
    values = result(estimator([(circuit, observable, None, 0.0)], options, resilience_level=2))[
        0
    ].data.evs_noise_factors
    truth = Statevector(ideal).expectation_value(SparsePauliOp("ZZZ")).real
    distance = np.abs(values - truth)
    assert (np.diff(distance) > 0).all()


@pytest.mark.parametrize(
    ("level", "options"),
    [
        (0, {}),
        (1, {}),
        (2, {"resilience": {"zne": {"extrapolator": "linear"}}}),
        (2, {"resilience": {"zne": {"extrapolator": "exponential"}}}),
    ],
    ids=["raw", "readout", "linear", "exponential"],
)
def test_values_scatter_by_their_standard_errors(level: int, options: dict[str, Any]) -> None:
    """Over 80 seeds the deviations from the exact value, in standard errors, have a spread of one."""
    circuit = isa(ghz(3).remove_final_measurements(inplace=False), BRISBANE)
    observable = placed(SparsePauliOp.from_list([("ZZI", 0.7), ("IZZ", 0.5), ("ZIZ", -0.4), ("XXX", 0.3)]), circuit)
    truth = float(result(estimator([(circuit, observable, None, 0.0)], options, level))[0].data.evs)
    found = [result(estimator([(circuit, observable)], options, level, seed=seed))[0].data for seed in range(80)]
    deviations = np.array([(data.evs - truth) / data.stds for data in found])
    assert abs(deviations.mean()) < 4 / np.sqrt(len(found))
    assert deviations.std() == pytest.approx(1.0, abs=0.33)


def test_arrays_of_observables_and_of_values_are_broadcast() -> None:
    circuit = rotation()
    z, y = (placed(SparsePauliOp(label), circuit) for label in "ZY")
    angles = np.linspace(0, np.pi, 4)
    found = result(estimator([(circuit, [[z], [y]], angles)], resilience_level=1))[0].data
    assert found.evs.shape == found.stds.shape == (2, 4)
    np.testing.assert_allclose(found.evs[0], np.cos(angles), atol=0.1)
    np.testing.assert_allclose(found.evs[1], -np.sin(angles), atol=0.1)


def test_each_pub_has_its_own_precision_and_the_default_is_one_64th() -> None:
    circuit = rotation().assign_parameters([1.0])
    z = placed(SparsePauliOp("Z"), rotation())
    found = result(estimator([(circuit, z), (circuit, z, None, 0.1)], resilience_level=0))
    assert [pub.metadata["shots"] for pub in found] == [4096, 100]
    assert [pub.metadata["target_precision"] for pub in found] == [0.015625, 0.1]


@pytest.mark.parametrize(
    ("options", "shots"),
    [
        ({"default_precision": 0.1}, 100),
        ({"default_shots": 50}, 50),
        ({"twirling": {"num_randomizations": 5, "shots_per_randomization": 7}}, 35),
    ],
)
def test_the_options_say_how_many_shots_there_are(options: dict[str, Any], shots: int) -> None:
    circuit = rotation().assign_parameters([1.0])
    z = placed(SparsePauliOp("Z"), rotation())
    assert result(estimator([(circuit, z)], options, resilience_level=0))[0].metadata["shots"] == shots


def test_the_precision_of_a_pub_is_obeyed_whatever_the_randomizations_are() -> None:
    circuit = rotation().assign_parameters([1.0])
    z = placed(SparsePauliOp("Z"), rotation())
    twirling = {"num_randomizations": 5, "shots_per_randomization": 7}
    found = result(estimator([(circuit, z, None, 0.02)], {"twirling": twirling}))[0]
    assert found.metadata["shots"] == 2506  # 7 of each of 358 randomizations, at least 2500
    assert found.metadata["num_randomizations"] == 358
    assert found.data.stds < 0.03


def test_the_metadata_says_what_was_mitigated_at_each_level() -> None:
    circuit = rotation().assign_parameters([1.0])
    z = placed(SparsePauliOp("Z"), rotation())
    found = [result(estimator([(circuit, z)], resilience_level=level)).metadata for level in LEVELS]
    assert [m["resilience"]["measure_mitigation"] for m in found] == [False, True, True]
    assert [m["resilience"]["zne_mitigation"] for m in found] == [False, False, True]
    assert [m["twirling"]["enable_measure"] for m in found] == [False, True, True]
    assert [m["twirling"]["enable_gates"] for m in found] == [False, False, True]
    assert all(m["version"] == 2 for m in found)


def test_the_usual_level_is_one() -> None:
    circuit = rotation().assign_parameters([1.0])
    z = placed(SparsePauliOp("Z"), rotation())
    assert result(estimator([(circuit, z)])).metadata["resilience"]["measure_mitigation"] is True


def test_an_observable_of_the_identity_alone_is_exact() -> None:
    circuit = rotation().assign_parameters([1.0])
    identity = SparsePauliOp("I" * 127, 2.5)
    for level in LEVELS:
        data = result(estimator([(circuit, identity)], resilience_level=level))[0].data
        assert data.evs == 2.5
        assert data.stds == 0.0


@pytest.mark.parametrize(
    ("options", "level", "words"),
    [
        ({"resilience": {"pec_mitigation": True, "pec": {"noise_gain": -1}}}, 1, "options.resilience.pec.noise_gain"),
        ({"resilience": {"zne": {"amplifier": "magic"}}}, 2, "options.resilience.zne.amplifier"),
        ({"resilience": {"zne": {"noise_factors": [0.5, 1]}}}, 2, "must all be >= 1"),
        ({"default_precision": 0}, 1, "options.default_precision"),
        ({}, 3, "resilience level 3 does not exist"),
        ({}, "1", "resilience level 1 does not exist"),
    ],
)
def test_what_is_not_simulated_fails_the_job_with_a_sentence(options: dict[str, Any], level: Any, words: str) -> None:
    circuit = rotation().assign_parameters([1.0])
    outcome = run(estimator([(circuit, placed(SparsePauliOp("Z"), rotation()))], options, resilience_level=level))
    assert outcome.failure is Failure.PROGRAM
    assert outcome.reason_code == 1002
    assert words in outcome.reason


@pytest.mark.parametrize(("amplifier", "words"), [("gate_folding", "under a condition are not folded"), ("pea", None)])
def test_a_dynamic_circuit_is_extrapolated_only_by_amplified_errors(amplifier: str, words: str | None) -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], True)):
        circuit.x(1)
    placed_circuit = isa(circuit, BRISBANE)
    observable = placed(SparsePauliOp("ZI"), placed_circuit)
    options = {"resilience": {"zne": {"amplifier": amplifier}}}
    outcome = run(estimator([(placed_circuit, observable)], options, resilience_level=2))
    assert outcome.succeeded is (words is None)
    assert words is None or words in outcome.reason


@pytest.mark.parametrize(
    ("observables", "words"),
    [
        ({"ZZ": 1.0}, "does not match the number of qubits of an observable (2)"),
        ({"Q" * 127: 1.0}, "does not fit a circuit of 127 qubits"),
        ({"Z" * 127: "much"}, "finite numbers"),
        ({"Z" * 127: {"__type__": "complex", "__value__": [0, 1]}}, "real coefficients"),
        ([[{"Z" * 127: 1.0}], []], "rows differ"),
        (5, "object of strings"),
        ({}, "object of strings"),
        ({"0" * 13 + "I" * 114: 1.0}, "13 projectors"),
    ],
)
def test_an_observable_that_is_none_fails_the_job(observables: Any, words: str) -> None:
    circuit = rotation().assign_parameters([1.0])
    outcome = run(estimator([[circuit, observables, []]]))
    assert outcome.failure is Failure.PROGRAM
    assert outcome.reason_code == (1501 if "(2)" in words else 1002)
    assert words in outcome.reason


def test_observables_and_values_that_do_not_broadcast_fail_the_job() -> None:
    circuit = rotation()
    z = {"Z" * 127: 1.0}
    outcome = run(estimator([[circuit, [z, z], [[1.0], [2.0], [3.0]]]]))
    assert outcome.failure is Failure.PROGRAM
    assert "cannot be broadcast together" in outcome.reason


def test_a_precision_that_takes_more_shots_than_memory_is_refused_before_anything_is_drawn() -> None:
    circuit = rotation().assign_parameters([1.0])
    outcome = run(estimator([(circuit, placed(SparsePauliOp("Z"), rotation()), None, 1e-9)]))
    assert outcome.failure is Failure.REFUSED
    assert "ask for a larger precision" in outcome.reason


def test_a_text_in_the_qubits_of_the_device_goes_with_observables_on_the_whole_device() -> None:
    """As the REST guide has it: the text names the qubits that it uses, and the observables have the layout of the circuit."""
    flipped = 'OPENQASM 3.0; include "stdgates.inc"; x $1;'
    whole = result(estimator([[flipped, {"I" * 125 + "ZI": 1.0}, [], 0.0]], resilience_level=0))[0].data.evs
    narrow = result(estimator([[flipped, {"ZI": 1.0}, [], 0.0]], resilience_level=0))[0].data.evs
    assert whole == narrow
    assert -1 <= whole < -0.8
    wrong = run(estimator([[flipped, {"I" * 124 + "ZI": 1.0}]]))
    assert "(2) does not match the number of qubits of an observable (126)" in (wrong.reason or "")


def test_no_sets_of_values_give_empty_arrays() -> None:
    circuit = rotation()
    observable = SparsePauliOp("Z").apply_layout(circuit.layout)
    data = result(estimator([(circuit, observable, np.zeros((0, 1)))]))[0].data
    assert data.evs.shape == data.stds.shape == (0,)
