"""Probabilistic error cancellation, and the metadata of layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from qumulus.core.results import Failure
from qumulus.simulation.devices import device_model
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.programs.runtime.cancellation import Cancelled, LayerNoise, layer_noise
from qumulus.simulation.programs.runtime.resilience import Cancellation
from simulation.circuits import isa, su2

from .runtime import estimator, result, run

BRISBANE = device_model("brisbane")
PEC: dict[str, Any] = {"resilience": {"pec_mitigation": True, "pec": {"max_overhead": None}}}
LABELS = ("ZZII", "IZZI", "XXII", "ZZZZ", "IIYY")


def prepared() -> tuple[QuantumCircuit, list[SparsePauliOp], np.ndarray]:
    """A circuit, observables on its physical qubits, and their values without noise."""
    plain = su2(4, 3).remove_final_measurements(inplace=False)
    circuit = isa(plain, BRISBANE)
    observables = [SparsePauliOp(label).apply_layout(circuit.layout) for label in LABELS]
    state = Statevector(plain)
    return circuit, observables, np.array([state.expectation_value(SparsePauliOp(label)).real for label in LABELS])


def mitigated(options: dict[str, Any], **settings: Any) -> Any:
    circuit, observables, _ = prepared()
    return result(estimator([(circuit, observables, None, 0.01)], options, 1, **settings))[0]


def test_the_value_is_the_one_without_the_noise_of_the_gates_on_two_qubits() -> None:
    *_, ideal = prepared()
    raw, cancelled = mitigated({}), mitigated(PEC)
    assert np.abs(cancelled.data.evs - ideal).max() < 5 * cancelled.data.stds.max()
    assert np.abs(raw.data.evs - ideal).mean() > 2 * np.abs(cancelled.data.evs - ideal).mean()


def test_values_scatter_as_their_standard_errors_say() -> None:
    runs = [mitigated(PEC, seed=seed).data for seed in range(40)]
    values, told = np.array([run.evs for run in runs]), np.array([run.stds for run in runs])
    ratio = values.std(axis=0, ddof=1) / told.mean(axis=0)
    assert (ratio > 0.7).all()
    assert (ratio < 1.35).all()


def test_randomizations_grow_by_the_overhead_and_the_variance_is_its_part_of_the_shots() -> None:
    raw, cancelled = mitigated({"twirling": {"enable_gates": True}}), mitigated(PEC)
    scaling = cancelled.metadata["resilience"]["pec"]["num_randomizations_scaling"]
    noise = cancelled.metadata["resilience"]["layer_noise"]
    assert scaling == pytest.approx(noise["noise_overhead"])
    assert scaling > 1.2
    assert cancelled.metadata["num_randomizations"] == int(np.ceil(raw.metadata["num_randomizations"] * scaling))
    shots = raw.metadata["shots"] * scaling
    assert cancelled.metadata["shots"] == int(np.ceil(shots))
    factor = (cancelled.data.stds**2 * shots / (scaling - cancelled.data.evs**2)).mean()
    assert factor > 1.0  # readout mitigation adds to the variance γ²/shots of the cancellation
    assert factor < 2.5


def test_the_overhead_is_that_of_all_layers() -> None:
    noise = mitigated(PEC).metadata["resilience"]["layer_noise"]
    assert (
        noise["total_mitigated_layers"]
        >= noise["unique_mitigated_layers"]
        == len(noise["unique_mitigated_layers_noise_overhead"])
    )
    circuit, *_ = prepared()
    found = layer_noise(circuit, BRISBANE, "active-accum")
    assert noise["noise_overhead"] == pytest.approx(
        float(np.prod([each**count for each, count in zip(found.overheads, found.counts, strict=True)]))
    )
    assert found.overhead > layer_noise(circuit, BRISBANE, "active").overhead  # waiting qubits decay, too


def test_the_noise_that_the_overhead_does_not_allow_to_cancel_stays() -> None:
    options = {"resilience": {"pec_mitigation": True, "pec": {"max_overhead": 1.1}}}
    found = mitigated(options)
    assert found.metadata["resilience"]["pec"]["num_randomizations_scaling"] == pytest.approx(1.1)
    *_, ideal = prepared()
    assert np.abs(found.data.evs - ideal).mean() > np.abs(mitigated(PEC).data.evs - ideal).mean()


@pytest.mark.parametrize(
    ("gain", "most", "expected"),
    [
        (None, 100.0, (0.0, 16.0)),
        (None, 4.0, (0.5, 4.0)),
        (None, 0.5, (1.0, 1.0)),
        (None, None, (0.0, 16.0)),
        (0.25, 2.0, (0.25, 8.0)),
        (1.5, None, (1.5, 1.0)),
    ],
)
def test_the_gain_follows_from_the_overhead_that_is_allowed(
    gain: float | None, most: float | None, expected: tuple[float, float]
) -> None:
    found = Cancelled.of(LayerNoise((4.0,), (2,)), Cancellation(gain, most))
    assert (found.gain, found.overhead) == pytest.approx(expected)


def test_noise_without_an_inverse_is_cancelled_only_where_the_overhead_has_a_limit() -> None:
    noise = LayerNoise((float("inf"),), (1,))
    assert Cancelled.of(noise, Cancellation(None, 100.0)).gain == 1.0
    assert noise.metadata()["noise_overhead"] == "infinity"
    with pytest.raises(ProgramError, match="too strong to be cancelled"):
        Cancelled.of(noise, Cancellation(None, None))


def test_a_dynamic_circuit_is_refused() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    outcome = run(estimator([(circuit, SparsePauliOp("ZZ"))], PEC, 1))
    assert outcome.failure is Failure.PROGRAM
    assert "dynamic circuits is not learned" in (outcome.reason or "")


def test_cancellation_and_extrapolation_together_are_refused_and_the_level_alone_means_cancellation() -> None:
    circuit, observables, _ = prepared()
    both = {"resilience": {"pec_mitigation": True, "zne_mitigation": True}}
    assert run(estimator([(circuit, observables)], both, 1)).failure is Failure.PROGRAM
    found = result(estimator([(circuit, observables, None, 0.1)], PEC, 2))
    assert found.metadata["resilience"]["pec_mitigation"] is True
    assert found.metadata["resilience"]["zne_mitigation"] is False


def test_error_amplification_tells_of_its_layers_too() -> None:
    options = {"resilience": {"zne_mitigation": True, "zne": {"amplifier": "pea"}}}
    told = mitigated(options).metadata["resilience"]
    assert told["layer_noise"]["total_mitigated_layers"] > 0
    assert "extrapolator" in told["zne"]
