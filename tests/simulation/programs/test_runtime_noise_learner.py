"""The noise learner of Qiskit Runtime in both forms, and the calibrator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime.decoders.noise_learner import NoiseLearnerResultDecoder
from qiskit_ibm_runtime.decoders.noise_learner_v3.decoder import NoiseLearnerV3ResultDecoder
from qiskit_ibm_runtime.noise_learner_v3.params_converters import NOISE_LEARNER_V3_PARAMS_CONVERTERS
from qiskit_ibm_runtime.options_models.noise_learner_v3 import NoiseLearnerV3Options
from qiskit_ibm_runtime.results import LayerError, PauliLindbladError
from samplomatic import Twirl

from qumulus.core.programs import Program
from qumulus.core.results import Failure
from qumulus.simulation.devices import device_model
from simulation.circuits import bell, isa

from .runtime import estimator, job, run
from .runtime import result as estimated

BRISBANE = device_model("brisbane")
VERSIONS = tuple(NOISE_LEARNER_V3_PARAMS_CONVERTERS)


def legacy(circuits: list[Any], **options: Any) -> Program:
    return job({"circuits": circuits, "options": {**options, "support_qiskit": True}}, kind="noise-learner")


def boxes() -> QuantumCircuit:
    """A layer with an idle qubit and a layer of measurements, on the device's own register."""
    circuit = QuantumCircuit(QuantumRegister(127, "q"), ClassicalRegister(2, "c"))
    with circuit.box([Twirl()]):
        circuit.ecr(4, 3)
        circuit.noop(10)
    with circuit.box([Twirl()]):
        circuit.measure([5, 0], [0, 1])
    return circuit


def third(circuit: QuantumCircuit, version: str = "v0.3") -> Program:
    encoder = NOISE_LEARNER_V3_PARAMS_CONVERTERS[version].encoder
    return job(encoder(list(circuit), NoiseLearnerV3Options()).model_dump(mode="json"), kind="noise-learner")


def result(program: Program, decoder: Any) -> Any:
    outcome = run(program)
    assert outcome.succeeded, outcome.reason
    return decoder.decode(outcome.result.decode())


def fidelity(pauli: str, generators: list[tuple[str, float]]) -> float:
    """How a channel with these rates scales a Pauli string."""
    total = 0.0
    for generator, rate in generators:
        different = sum(a != b for a, b in zip(pauli, generator, strict=True) if "I" not in (a, b))
        total += rate * (different % 2)
    return float(np.exp(-2 * total))


def test_the_rates_of_a_layer_give_the_twirled_error_of_its_gate() -> None:
    circuit = QuantumCircuit(127)
    circuit.ecr(4, 3)
    (layer,) = result(legacy([circuit]), NoiseLearnerResultDecoder).data
    assert layer.qubits == [3, 4]
    assert [(i.name, [layer.circuit.find_bit(q).index for q in i.qubits]) for i in layer.circuit] == [("ecr", [1, 0])]
    generators = list(zip(layer.error.generators.to_labels(), layer.error.rates, strict=True))
    error = BRISBANE.error("ecr", (4, 3))
    for index, label in enumerate(a + b for a in "IXYZ" for b in "IXYZ"):  # qubit 4 first, as a label has it
        assert fidelity(label, generators) == pytest.approx(error[index, index], abs=1e-12)


def test_layers_come_by_their_frequency_and_up_to_the_number_that_is_asked_for() -> None:
    circuit = QuantumCircuit(127)
    for _ in range(3):
        circuit.ecr(4, 3)
    circuit.ecr(4, 15)
    circuit.ecr(21, 20)  # beside the first of the others
    found = result(legacy([circuit], twirling_strategy="active", max_layers_to_learn=None), NoiseLearnerResultDecoder)
    assert [layer.qubits for layer in found.data] == [[3, 4], [3, 4, 20, 21], [4, 15]]
    assert [i.name for i in found.data[1].circuit] == ["ecr", "ecr"]
    two = result(legacy([circuit], twirling_strategy="active", max_layers_to_learn=2), NoiseLearnerResultDecoder)
    assert len(two.data) == 2


@pytest.mark.parametrize(
    ("strategy", "qubits"),
    [
        ("active", [[3, 4], [2, 3]]),
        ("active-accum", [[3, 4], [2, 3, 4]]),
        ("active-circuit", [[2, 3, 4], [2, 3, 4]]),
        ("all", [list(range(127)), list(range(127))]),
    ],
)
def test_the_strategy_of_twirling_says_which_qubits_a_layer_has(strategy: str, qubits: list[list[int]]) -> None:
    circuit = QuantumCircuit(127)
    circuit.ecr(4, 3)
    circuit.ecr(4, 3)
    circuit.ecr(3, 2)
    found = result(legacy([circuit], twirling_strategy=strategy), NoiseLearnerResultDecoder)
    assert [layer.qubits for layer in found.data] == qubits
    assert all((layer.error.rates >= 0).all() for layer in found.data)


def test_the_metadata_says_that_the_rates_were_not_measured() -> None:
    found = result(legacy([isa(bell(), BRISBANE)], num_randomizations=7), NoiseLearnerResultDecoder)
    assert found.metadata["backend"] == "ibm_brisbane"
    assert found.metadata["input_options"]["num_randomizations"] == 7
    assert "not measured" in found.metadata["simulation"]["note"]


@pytest.mark.parametrize("version", VERSIONS)
def test_boxes_of_gates_and_of_measurements_are_learned_in_every_version(version: str) -> None:
    gates, measurements = result(third(boxes(), version), NoiseLearnerV3ResultDecoder).data
    channel = gates.to_pauli_lindblad_map()
    assert channel.num_qubits == 3  # 3, 4 and 10, ascending
    error = BRISBANE.error("ecr", (4, 3))
    generators = [(_label(letters, places, 3), rate) for letters, places, rate in channel.to_sparse_list()]
    for index, label in enumerate(a + b for a in "IXYZ" for b in "IXYZ"):
        assert fidelity("I" + label, generators) == pytest.approx(error[index, index], abs=1e-12)
    assert gates.metadata["learning_protocol"] == "lindblad"
    read = measurements.to_pauli_lindblad_map()
    assert measurements.metadata["learning_protocol"] == "trex"
    misread = (1 - np.exp(-2 * read.rates)) / 2
    expected = [(BRISBANE.noise.confusion[q][1, 0] + BRISBANE.noise.confusion[q][0, 1]) / 2 for q in (0, 5)]
    np.testing.assert_allclose(misread, expected, atol=1e-12)


def _label(letters: str, places: list[int], width: int) -> str:
    label = ["I"] * width
    for letter, place in zip(letters, places, strict=True):
        label[width - 1 - place] = letter
    return "".join(label)


def two_gates_on_a_qubit() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(127, "q"))
    with circuit.box([Twirl()]):
        circuit.ecr(4, 3)
        circuit.ecr(4, 15)
    return circuit


def another_register() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(20, "q"))
    with circuit.box([Twirl()]):
        circuit.ecr(4, 3)
    return circuit


def no_box() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(127, "q"))
    circuit.ecr(4, 3)
    return circuit


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (third(two_gates_on_a_qubit()), "holds one layer"),
        (third(another_register()), "not those of ibm_brisbane"),
        (third(no_box()), "'ecr' is none"),
        (job({"schema_version": "v7"}, kind="noise-learner"), "not 'v7'"),
        (job({"schema_version": ["v0.3"]}, kind="noise-learner"), "knows the schema versions"),
        (job({"schema_version": "v0.3", "instructions": None}, kind="noise-learner"), "base64"),
        (job({"circuits": []}, kind="noise-learner"), "no circuits"),
    ],
)
def test_what_cannot_be_learned_fails_the_job_with_a_sentence(program: Program, words: str) -> None:
    outcome = run(program)
    assert outcome.failure is Failure.PROGRAM
    assert outcome.reason_code == 1002
    assert words in outcome.reason


def test_a_gate_that_the_device_does_not_have_fails_with_the_code_of_the_service() -> None:
    assert run(legacy([bell()])).reason_code == 1517


def test_a_calibration_job_fails_with_a_sentence() -> None:
    outcome = run(job({"schema_version": "v0.1", "options": {}}, kind="calibrate"))
    assert outcome.failure is Failure.PROGRAM
    assert "ibm_brisbane is not calibrated by jobs" in outcome.reason


def extrapolated(learned: Any) -> Program:
    """An estimator job that amplifies learned errors."""
    circuit = isa(bell().remove_final_measurements(inplace=False), BRISBANE)
    observable = SparsePauliOp("ZZ").apply_layout(circuit.layout)
    resilience = {"zne_mitigation": True, "zne": {"amplifier": "pea"}, "layer_noise_model": learned}
    return estimator([(circuit, observable)], {"resilience": resilience})


def test_what_was_learned_is_taken_by_the_estimator_and_given_back_in_its_metadata() -> None:
    learned = result(legacy([isa(bell(), BRISBANE)]), NoiseLearnerResultDecoder)
    brought, own = (estimated(extrapolated(given)) for given in (learned.data, None))
    assert brought[0].data.evs == own[0].data.evs
    assert "layer_noise_model" not in own.metadata["resilience"]
    for told, layer in zip(brought.metadata["resilience"]["layer_noise_model"], learned.data, strict=True):
        assert (told.circuit, told.qubits) == (layer.circuit, layer.qubits)
        assert told.error.generators == layer.error.generators
        assert (told.error.rates == layer.error.rates).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda layer: LayerError(layer.circuit, layer.qubits, PauliLindbladError(layer.error.generators, 2 * layer.error.rates)),
         "A layer noise model of your own is not used"),
        (lambda layer: LayerError(layer.circuit, [70, 71], layer.error), "layers are of the device's gates"),
        (lambda layer: LayerError(QuantumCircuit(2), layer.qubits, layer.error), "A layer noise model of your own"),
    ],
)  # fmt: skip
def test_noise_that_the_device_has_not_fails_the_job(change: Any, words: str) -> None:
    learned = result(legacy([isa(bell(), BRISBANE)]), NoiseLearnerResultDecoder)
    outcome = run(extrapolated([change(layer) for layer in learned.data]))
    assert outcome.failure is Failure.PROGRAM
    assert words in (outcome.reason or "")
