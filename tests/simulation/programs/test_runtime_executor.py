"""The executor of Qiskit Runtime: quantum programs as the real client encodes them, and its own primitives upon it."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime.decoders.executor.decoder import ExecutorResultDecoder
from qiskit_ibm_runtime.decoders.executor_estimator.decoder import ClientSideEstimatorDecoder
from qiskit_ibm_runtime.decoders.executor_sampler.decoder import ClientSideSamplerResultDecoder
from qiskit_ibm_runtime.executor_estimator.prepare import prepare as prepare_estimator
from qiskit_ibm_runtime.executor_sampler.prepare import prepare as prepare_sampler
from qiskit_ibm_runtime.options_models.estimator import EstimatorOptions
from qiskit_ibm_runtime.options_models.executor import ExecutorOptions
from qiskit_ibm_runtime.options_models.sampler import SamplerOptions
from qiskit_ibm_runtime.quantum_program import QuantumProgram
from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS
from samplomatic import Twirl, build

from qumulus.core.programs import Program
from qumulus.core.results import Failure
from qumulus.simulation.devices import device_model
from simulation.circuits import bell, ghz, isa

from .runtime import job, run

BRISBANE = device_model("brisbane")
VERSIONS = tuple(QUANTUM_PROGRAM_PARAMS_CONVERTERS)
NEWEST = VERSIONS[-1]


def params(program: QuantumProgram, version: str = NEWEST, options: ExecutorOptions | None = None) -> dict[str, Any]:
    """The parameters that the client would post."""
    encoder = QUANTUM_PROGRAM_PARAMS_CONVERTERS[version].encoder
    return encoder(program, options or ExecutorOptions()).model_dump(mode="json")


def executor(program: QuantumProgram, version: str = NEWEST, **settings: Any) -> Program:
    return job(params(program, version), kind="executor", **settings)


def result(program: Program) -> Any:
    outcome = run(program)
    assert outcome.succeeded, outcome.reason
    return ExecutorResultDecoder.decode(outcome.result.decode())


def rotation() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("angle"), 0)
    circuit.measure_all()
    return isa(circuit, BRISBANE)


def twirled() -> tuple[QuantumCircuit, Any]:
    """The state 01, on which a gate and its inverse act, all twirled: template and samplex."""
    first, second = 1, 0  # ecr goes from 1 to 0
    circuit = QuantumCircuit(127, 2)
    circuit.x(first)
    for _ in range(2):
        with circuit.box([Twirl()]):
            circuit.ecr(first, second)
    with circuit.box([Twirl()]):
        circuit.measure([first, second], [0, 1])
    return build(circuit)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_circuit_with_arguments_runs_in_every_version_of_the_schema(version: str) -> None:
    program = QuantumProgram(shots=400)
    program.append_circuit_item(rotation(), circuit_arguments=np.array([[[0.0], [np.pi]], [[np.pi], [0.0]]]))
    program.append_circuit_item(isa(bell(), BRISBANE))
    found = result(executor(program, version))
    assert found[0]["meas"].shape == (2, 2, 400, 1)
    assert found[0]["meas"].dtype == bool
    np.testing.assert_allclose(found[0]["meas"].mean(axis=(-1, -2)), [[0, 1], [1, 0]], atol=0.1)
    assert (found[1]["meas"][:, 0] == found[1]["meas"][:, 1]).mean() > 0.85
    chunks = found.metadata.chunk_timing
    assert [(chunk.parts[0].idx_item, chunk.parts[0].size) for chunk in chunks] == [(0, 4), (1, 1)]
    assert all(chunk.start <= chunk.stop for chunk in chunks)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_samplex_is_drawn_and_what_else_it_gives_comes_back(version: str) -> None:
    template, samplex = twirled()
    program = QuantumProgram(shots=50)
    program.append_samplex_item(template, samplex, shape=(20,))
    found = result(executor(program, version))[0]
    assert found["c"].shape == (20, 50, 2)
    flips = found["measurement_flips.c"]
    assert flips.shape == (20, 1, 2)
    assert flips.any()
    assert not flips.all()
    raw, untwirled = found["c"], found["c"] ^ flips
    np.testing.assert_allclose(untwirled.mean(axis=(0, 1)), [1, 0], atol=0.12)
    assert (abs(raw.mean(axis=(0, 1)) - [1, 0]) > 0.2).all()


def test_the_same_seed_draws_the_same_randomizations_and_shots() -> None:
    template, samplex = twirled()
    program = QuantumProgram(shots=20)
    program.append_samplex_item(template, samplex, shape=(3, 2))
    first, again, other = (result(executor(program, seed=seed))[0] for seed in (1, 1, 2))
    for name in first:
        assert (first[name] == again[name]).all()
    assert (first["c"] != other["c"]).any()


def test_what_is_passed_through_and_the_semantic_role_come_back_unchanged() -> None:
    program = QuantumProgram(shots=5, passthrough_data={"a": [1, 2.5, "x", None, True], "b": {"c": np.arange(3.0)}})
    program.append_circuit_item(isa(bell(), BRISBANE))
    program._semantic_role = "a role"
    sent = params(program)
    document = json.loads(run(job(sent, kind="executor")).result)
    assert document["passthrough_data"] == sent["quantum_program"]["passthrough_data"]
    assert document["semantic_role"] == "a role"


@pytest.mark.parametrize("twirling", [{}, {"enable_gates": True, "enable_measure": True}])
def test_the_sampler_on_the_client_side_works_on_it(twirling: dict[str, bool]) -> None:
    circuit = isa(ghz(3), BRISBANE)
    circuit.metadata = {"experiment": 3}
    options = SamplerOptions(twirling=twirling)
    program, executor_options = prepare_sampler([(circuit, None, 2000), (rotation(), [[0.0], [np.pi]], 2000)], options)
    program._semantic_role = "sampler-v2"
    found = ClientSideSamplerResultDecoder.decode(
        result(job(params(program, options=executor_options), kind="executor"))
    )
    counts = found[0].data.meas.get_counts()
    assert sum(counts.values()) >= 2000
    assert counts["000"] + counts["111"] > 0.85 * sum(counts.values())
    assert found[1].data.meas.shape == (2,)
    assert found[1].data.meas.bitcount().mean(axis=-1) == pytest.approx([0, 1], abs=0.1)


@pytest.mark.parametrize("level", [0, 1])
def test_the_estimator_on_the_client_side_works_on_it(level: int) -> None:
    circuit = isa(ghz(3).remove_final_measurements(inplace=False), BRISBANE)
    observables = [SparsePauliOp(label).apply_layout(circuit.layout) for label in ("ZZI", "XXX", "ZII")]
    program, executor_options = prepare_estimator(
        [(circuit, observables)], EstimatorOptions(resilience_level=level, default_shots=4000)
    )
    found = ClientSideEstimatorDecoder.decode(result(job(params(program, options=executor_options), kind="executor")))
    assert found[0].data.evs.shape == (3,)
    np.testing.assert_allclose(found[0].data.evs, [1, 1, 0], atol=0.2 if level == 0 else 0.12)
    assert (found[0].data.stds > 0).all()


def test_an_unknown_version_of_the_schema_is_refused() -> None:
    outcome = run(job({"schema_version": "v9.0"}, kind="executor"))
    assert outcome.failure is Failure.PROGRAM
    assert "v0.1, v0.2, v1.0, v1.1, v2.0" in outcome.reason


def test_the_report_holds_the_schedule_that_the_options_ask_for() -> None:
    program = QuantumProgram(shots=5)
    program.append_circuit_item(isa(bell(), BRISBANE))
    options = ExecutorOptions()
    sent = params(program, options=options)
    sent["options"]["scheduler_timing"] = True
    log: list[str] = []
    outcome = run(job(sent, kind="executor"), log)
    assert outcome.succeeded
    metadata = json.loads(outcome.result)["data"][0]["metadata"]
    assert metadata["stretch_values"] is None
    assert metadata["scheduler_timing"]["circuit_duration"] == 4160  # sx, ecr and sx, then 1.3 µs of readout
    assert metadata["scheduler_timing"]["timing"].startswith("main,")


def test_a_job_may_choose_the_noise() -> None:
    """A qubit waits while another is delayed, which costs nothing as in local mode."""
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.barrier()
    circuit.delay(400_000, 1)
    circuit.barrier()
    circuit.measure(0, 0)
    program = QuantumProgram(shots=2_000)
    program.append_circuit_item(circuit)
    excited = []
    for noise in ("device", "local-mode"):
        options = ExecutorOptions()
        options.experimental = {"noise": noise}
        log: list[str] = []
        outcome = run(job(params(program, options=options), kind="executor"), log)
        assert not any("no effect" in line for line in log)
        excited.append(ExecutorResultDecoder.decode(outcome.result.decode())[0]["c"].mean())
    assert excited[0] < excited[1] - 0.2


def test_an_option_that_nobody_knows_is_logged_and_has_no_effect() -> None:
    log: list[str] = []
    outcome = run(changed(["options", "speed"], "fast"), log)
    assert outcome.succeeded, outcome.reason
    assert log[0] == "Some options have no effect here: options.speed."


def changed(path: list[Any], value: Any) -> Program:
    """A program of a circuit item and a samplex item in which one member is another."""
    template, samplex = twirled()
    program = QuantumProgram(shots=5)
    program.append_circuit_item(rotation(), circuit_arguments=np.array([[0.5]]))
    program.append_samplex_item(template, samplex, shape=(2,))
    sent = params(program)
    place = sent
    for member in path[:-1]:
        place = place[member]
    place[path[-1]] = value
    return job(sent, kind="executor")


QUANTUM = "quantum_program"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ([QUANTUM], 5, "no quantum_program"),
        ([QUANTUM, "items"], [], "no quantum_program"),
        ([QUANTUM, "shots"], 0, "send a positive integer"),
        ([QUANTUM, "meas_level"], "magic", "no meas_level 'magic'"),
        ([QUANTUM, "circuits"], None, "no circuits"),
        ([QUANTUM, "circuits", "b64_data"], "eJw=", "cut off"),
        ([QUANTUM, "circuits", "b64_data"], "%%", "base64"),
        ([QUANTUM, "items", 0, "item_type"], "pulse", "'pulse'"),
        ([QUANTUM, "items", 0, "circuit_arguments"], None, "not a tensor"),
        ([QUANTUM, "items", 0, "circuit_arguments", "shape"], [1, 2], "not what its shape"),
        ([QUANTUM, "items", 0, "circuit_arguments", "dtype"], "O", "unknown dtype"),
        ([QUANTUM, "items", 0, "shape"], [3, "x"], "does not extend"),
        ([QUANTUM, "items", 1, "samplex"], None, "has a samplex"),
        ([QUANTUM, "items", 1, "samplex", "ssv"], 99, "version 99"),
        ([QUANTUM, "items", 1, "samplex", "samplex_json"], "{}", "not valid"),
        ([QUANTUM, "items", 1, "samplex_arguments"], {"foo": 1}, "does not go with its arguments"),
        ([QUANTUM, "items", 1, "samplex_arguments"], {"foo": {"sparse_terms": 1}}, "Pauli-Lindblad"),
        ([QUANTUM, "items", 1, "shape"], ["x"], "does not go with its arguments"),
        (["options", "rep_delay"], "soon", "options.rep_delay"),
    ],
)
def test_a_program_with_a_wrong_member_fails_with_a_sentence(path: list[Any], value: Any, words: str) -> None:
    outcome = run(changed(path, value))
    assert outcome.failure is Failure.PROGRAM
    assert outcome.reason_code == 1002
    assert words in outcome.reason


def test_all_that_a_program_compresses_counts_against_one_limit() -> None:
    program = QuantumProgram(shots=5)
    program.append_circuit_item(rotation(), circuit_arguments=np.zeros((100_000, 1)))
    outcome = run(executor(program, decompressed_bytes=700_000))
    assert outcome.failure is Failure.PROGRAM
    assert "unfolds to more bytes than it may: its circuit_arguments" in outcome.reason


@pytest.mark.parametrize(("version", "newest"), [("v0.1", 16), ("v1.1", 17)])
def test_qpy_that_is_newer_than_the_version_of_the_schema_admits_is_refused(version: str, newest: int) -> None:
    program = QuantumProgram(shots=5)
    program.append_circuit_item(isa(bell(), BRISBANE))
    sent = params(program, version)
    quantum = sent["quantum_program"]
    place, member = (
        (quantum["items"][0]["circuit"], "circuit_b64") if version == "v0.1" else (quantum["circuits"], "b64_data")
    )
    data = bytearray(b64decode(place[member]))
    data[6] = newest + 1
    place[member] = b64encode(bytes(data)).decode()
    outcome = run(job(sent, kind="executor"))
    assert outcome.failure is Failure.PROGRAM
    assert f"the newest is {newest}" in outcome.reason


def test_a_circuit_that_was_not_transpiled_fails_with_the_code_of_the_service() -> None:
    program = QuantumProgram(shots=5)
    program.append_circuit_item(bell())
    outcome = run(executor(program))
    assert outcome.reason_code == 1517
