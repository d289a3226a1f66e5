"""The sampler of Qiskit Runtime, asked by the real client's encoder and read by its decoder."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr
from qiskit.quantum_info import Statevector
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import SamplerV2
from qiskit_ibm_runtime.execution_span import DoubleSliceSpan, TwirledSliceSpan, TwirledSliceSpanV2
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from qumulus.core.results import Failure
from qumulus.simulation.devices import CATALOGUE, device_model
from qumulus.simulation.target import build_target
from simulation.circuits import bell, ghz, isa, su2

from .runtime import result, run, sampler

BRISBANE, FEZ, MANILA = device_model("brisbane"), device_model("fez"), device_model("manila")
FEZ_PAIR = (145, 146)


def rotation() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("angle"), 0)
    circuit.measure_all()
    return isa(circuit, BRISBANE)


def two_parameters() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.rx(Parameter("a"), 0)
    circuit.rx(Parameter("b"), 1)
    circuit.measure_all()
    return isa(circuit, BRISBANE)


def test_a_bell_pair_comes_back_correlated_with_the_errors_of_the_device() -> None:
    counts = result(sampler([(isa(bell(), BRISBANE), None, 4096)]))[0].data.meas.get_counts()
    assert sum(counts.values()) == 4096
    assert counts["00"] + counts["11"] > 3700
    assert counts.get("01", 0) + counts.get("10", 0) > 0


def test_the_same_seed_gives_the_same_shots_and_another_one_others() -> None:
    circuit = isa(bell(), BRISBANE)
    first, again, other = (
        result(sampler([(circuit, None, 200)], seed=seed))[0].data.meas.array.tobytes() for seed in (5, 5, 6)
    )
    assert first == again != other


def test_the_seed_of_the_options_counts_more_than_that_of_the_job() -> None:
    circuit, options = isa(bell(), BRISBANE), {"simulator": {"seed_simulator": 5}}
    own = result(sampler([(circuit, None, 200)], seed=5))[0].data.meas
    for seed in (None, 1, 7):
        assert own == result(sampler([(circuit, None, 200)], options, seed=seed))[0].data.meas


def test_each_pub_has_its_own_number_of_shots_and_the_default_is_4096() -> None:
    circuit = isa(bell(), BRISBANE)
    shots = [pub.data.meas.num_shots for pub in result(sampler([(circuit, None, 10), circuit, (circuit, None, 20)]))]
    assert shots == [10, 4096, 20]


def test_the_option_default_shots_counts_where_a_pub_names_none() -> None:
    assert result(sampler([isa(bell(), BRISBANE)], {"default_shots": 7}))[0].data.meas.num_shots == 7


def test_parameter_arrays_keep_their_shape() -> None:
    angles = np.linspace(0, np.pi, 6).reshape(2, 3, 1)
    bits = result(sampler([(rotation(), angles, 2000)]))[0].data.meas
    assert bits.shape == (2, 3)
    excited = bits.bitcount().mean(axis=-1)
    assert excited == pytest.approx(np.sin(angles[..., 0] / 2) ** 2, abs=0.08)


def test_the_last_axis_of_values_runs_over_the_parameters_in_their_order() -> None:
    circuit = two_parameters()
    grid = np.stack(np.meshgrid([0.0, np.pi], [0.0, np.pi, 0.0], indexing="ij"), axis=-1)
    data = result(sampler([(circuit, grid, 500)]))[0].data.meas
    assert data.shape == (2, 3)
    usual = [[_most(data[row, column].get_counts()) for column in range(3)] for row in range(2)]
    assert usual == [["00", "10", "00"], ["01", "11", "01"]]


def _most(counts: dict[str, int]) -> str:
    return max(counts, key=counts.__getitem__)


def test_an_empty_array_of_parameter_sets_gives_no_shots_for_each_register() -> None:
    data = result(sampler([(rotation(), np.zeros((0, 1)), 10)]))[0].data
    assert data.meas.shape == (0,)


def test_each_classical_register_gets_its_own_bits() -> None:
    qubits = QuantumRegister(11)
    low, high = ClassicalRegister(9, "low"), ClassicalRegister(2, "high")
    circuit = QuantumCircuit(qubits, low, high)
    circuit.x([0, 8, 10])
    circuit.measure(qubits[:9], low)
    circuit.measure(qubits[9:], high)
    data = result(sampler([(isa(circuit, BRISBANE), None, 1000)]))[0].data
    assert data.low.num_bits == 9
    assert data.high.num_bits == 2
    assert _most(data.low.get_counts()) == "100000001"
    assert _most(data.high.get_counts()) == "10"


def test_a_dynamic_circuit_acts_on_what_it_measured() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], True)):
        circuit.x(1)
    circuit.measure(1, 1)
    counts = result(sampler([(isa(circuit, BRISBANE), None, 2000)]))[0].data.c.get_counts()
    assert counts["00"] + counts["11"] > 1800


def fractional_pair(theta: float | Parameter) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.rx(np.pi / 2, [0, 1])
    circuit.rzz(theta, 0, 1)
    circuit.rx(np.pi / 2, [0, 1])
    return circuit


def fractional(theta: float | Parameter) -> QuantumCircuit:
    """The same on a device that has its gates."""
    circuit = fractional_pair(theta)
    circuit.measure_all()
    return generate_preset_pass_manager(
        optimization_level=0, target=FEZ.isa_target, initial_layout=FEZ_PAIR, seed_transpiler=1
    ).run(circuit)


def test_fractional_gates_run_on_processors_that_have_them() -> None:
    circuit = fractional(0.5)
    assert {"rx", "rzz"} <= circuit.count_ops().keys()
    counts = result(sampler([(circuit, None, 4000)], device="fez"))[0].data.meas.get_counts()
    ideal = Statevector(fractional_pair(0.5)).probabilities_dict()
    assert {outcome: counts[outcome] / 4000 for outcome in ideal} == pytest.approx(ideal, abs=0.05)


@pytest.mark.parametrize("angle", [-0.1, 1.7])
def test_an_rzz_beyond_its_calibrated_range_fails_the_job(angle: float) -> None:
    circuit = fractional(Parameter("theta"))
    bound = run(sampler([circuit.assign_parameters([angle])], device="fez"))
    given = run(sampler([(circuit, [angle])], device="fez"))
    for outcome in (bound, given):
        assert outcome.failure is Failure.PROGRAM
        assert outcome.reason_code == 1517
        assert f"an angle ({angle}) outside of this range" in outcome.reason
    assert f"via theta={angle}" in given.reason
    assert run(sampler([(circuit, [0.3], 10)], device="fez")).succeeded


def test_a_qubit_that_is_faulty_fails_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    properties = copy.deepcopy(CATALOGUE.calibration("brisbane").properties)
    properties["qubits"][5].append({"name": "operational", "value": 0, "unit": "", "date": ""})
    target = build_target(CATALOGUE.configuration("brisbane"), properties)
    monkeypatch.setitem(BRISBANE.__dict__, "isa_target", target)
    monkeypatch.setitem(BRISBANE.__dict__, "_supported", set())  # what was asked of its own target
    circuit = QuantumCircuit(6, 1)
    circuit.measure(5, 0)
    outcome = run(sampler([circuit]))
    assert outcome.reason_code == 1517
    assert "acts on qubit 5, which is faulty on ibm_brisbane" in outcome.reason


def test_the_metadata_of_the_circuit_and_the_way_of_simulation_come_back() -> None:
    circuit = isa(bell(), BRISBANE)
    circuit.metadata = {"experiment": "one"}
    found = result(sampler([(circuit, None, 10)]))
    assert found.metadata["version"] == 2
    assert found[0].metadata["circuit_metadata"] == {"experiment": "one"}
    assert found[0].metadata["simulation"]["method"] == "dense"
    assert found[0].metadata["simulation"]["seed"] == 1


def test_execution_spans_name_all_shots_of_each_pub() -> None:
    spans = result(sampler([(isa(bell(), BRISBANE), None, 10), (rotation(), [[0.0], [1.0]], 5)])).metadata["execution"][
        "execution_spans"
    ]
    assert spans.pub_idxs == [0, 1]
    assert all(isinstance(span, DoubleSliceSpan) for span in spans)
    assert [span.mask(index).shape for index, span in enumerate(spans)] == [(10,), (2, 5)]
    assert all(span.mask(index).all() for index, span in enumerate(spans))
    assert spans.start <= spans.stop
    assert spans.start.tzinfo is None  # as the service tells it


def test_twirling_gives_the_shots_by_randomizations_and_symmetric_reading_errors() -> None:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    options = {"twirling": {"enable_measure": True}}
    placed = isa(circuit, BRISBANE)
    found = result(sampler([(placed, None, 100_000)], options))
    qubit = placed.layout.final_index_layout()[0]
    confusion = BRISBANE.noise.confusion[qubit]
    mean = (confusion[1, 0] + confusion[0, 1]) / 2
    assert found[0].data.meas.bitcount().mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / 100_000))
    (span,) = found.metadata["execution"]["execution_spans"]
    assert isinstance(span, TwirledSliceSpan)
    assert span.mask(0).shape == (100_000,)
    assert span.mask(0).all()
    assert found[0].metadata["num_randomizations"] == 32
    assert found[0].metadata["simulation"]["twirled"] == ["measurements"]


def test_shots_that_randomizations_do_not_divide_are_all_named_by_the_span() -> None:
    found = result(sampler([(isa(bell(), BRISBANE), None, 100)], {"twirling": {"enable_gates": True}}))
    (span,) = found.metadata["execution"]["execution_spans"]
    assert isinstance(span, TwirledSliceSpanV2)
    assert span.mask(0).shape == (100,)
    assert found[0].data.meas.num_shots == 100


@pytest.mark.parametrize(("shots", "number"), [(100, 10), (50, 7)])
def test_the_shots_of_a_pub_are_obeyed_whatever_the_randomizations_are(shots: int, number: int) -> None:
    twirling = {"enable_measure": True, "num_randomizations": 7, "shots_per_randomization": 10}
    found = result(sampler([(isa(bell(), BRISBANE), None, shots)], {"twirling": twirling}))
    (span,) = found.metadata["execution"]["execution_spans"]
    assert found[0].data.meas.num_shots == shots
    assert span.mask(0).shape == (shots,)
    assert found[0].metadata["num_randomizations"] == number


def test_the_product_of_randomizations_precedes_the_default_of_shots() -> None:
    twirling = {"enable_gates": True, "num_randomizations": 4, "shots_per_randomization": 25}
    assert result(sampler([isa(bell(), BRISBANE)], {"twirling": twirling}))[0].data.meas.num_shots == 100


def test_decoupling_puts_its_pulses_into_the_delays() -> None:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.delay(50, 0, unit="us")
    circuit.measure_all()
    placed = isa(circuit, BRISBANE)
    kept = {
        sequence: result(
            sampler([(placed, None, 50_000)], {"dynamical_decoupling": {"enable": True, "sequence_type": sequence}})
        )[0]
        .data.meas.bitcount()
        .mean()
        for sequence in ("XX", "XpXm", "XY4")
    }
    plain = result(sampler([(placed, None, 50_000)]))[0].data.meas.bitcount().mean()
    # relaxation pulls towards 0; a qubit that spends half of the delay in 0 keeps 1 better
    assert all(share > plain + 0.02 for share in kept.values())


def test_decoupling_of_a_dynamic_circuit_fails_the_job() -> None:
    circuit = QuantumCircuit(1, 1)
    with circuit.if_test((circuit.clbits[0], True)):
        circuit.x(0)
    outcome = run(sampler([isa(circuit, BRISBANE)], {"dynamical_decoupling": {"enable": True}}))
    assert outcome.failure is Failure.PROGRAM
    assert "dynamic circuits" in outcome.reason


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"execution": {"meas_type": "magic"}}, "options.execution.meas_type"),
        ({"execution": {"init_qubits": "no way"}}, "options.execution.init_qubits"),
        ({"default_shots": 0}, "options.default_shots"),
        ({"dynamical_decoupling": {"sequence_type": "YY"}}, "options.dynamical_decoupling.sequence_type"),
    ],
)
def test_an_option_that_cannot_be_is_named_in_the_failure(options: dict, words: str) -> None:
    outcome = run(sampler([isa(bell(), BRISBANE)], options))
    assert outcome.failure is Failure.PROGRAM
    assert words in outcome.reason
    assert outcome.reason_code == 1002


def test_options_that_nobody_knows_are_named_in_the_log_and_have_no_effect() -> None:
    """What stands under the client's ``experimental`` is merged into the options: it may be anything."""
    log: list[str] = []
    options = {"twirling": {"enable_gate": True}, "speed": "fast", "execution": {"fast_parametric_update": True}}
    outcome = run(sampler([isa(bell(), BRISBANE)], options), log)
    assert outcome.succeeded, outcome.reason
    names = "options.twirling.enable_gate, options.speed, options.execution.fast_parametric_update"
    assert log[0] == f"Some options have no effect here: {names}."


def test_every_group_of_options_is_accepted() -> None:
    options = {
        "default_shots": 10,
        "dynamical_decoupling": {
            "enable": True,
            "sequence_type": "XY4",
            "extra_slack_distribution": "edges",
            "scheduling_method": "asap",
            "skip_reset_qubits": True,
        },
        "execution": {"init_qubits": True, "rep_delay": 2.5e-4, "meas_type": "classified"},
        "twirling": {
            "enable_gates": True,
            "enable_measure": True,
            "num_randomizations": "auto",
            "shots_per_randomization": 5,
            "strategy": "all",
        },
        "simulator": {"seed_simulator": 3, "basis_gates": ["cz"], "coupling_map": [[0, 1], [1, 0]]},
        "experimental": {"something": 1},
    }
    log: list[str] = []
    outcome = run(sampler([isa(bell(), BRISBANE)], options), log)
    assert outcome.succeeded, outcome.reason
    assert log[:2] == [
        "Some options have no effect here: options.simulator.coupling_map, options.simulator.basis_gates.",
        "Experimental options have no effect here: something.",
    ]


def test_a_job_may_name_its_method_and_reads_in_its_log_what_that_costs() -> None:
    circuit, log = isa(bell(), FEZ), list[str]()
    options = {"experimental": {"simulation_method": "stabilizer"}}
    outcome = run(sampler([(circuit, None, 100)], options, device="fez"), log)
    assert outcome.succeeded, outcome.reason
    assert outcome.metadata["pubs"][0]["method"] == "stabilizer"
    assert log[1].startswith("Pub 0: stabilizer by stim")
    assert "noise twirled to Pauli errors" in log[1]


def test_a_method_that_does_not_exist_fails_with_the_names() -> None:
    options = {"experimental": {"simulation_method": "magic"}}
    outcome = run(sampler([(isa(bell(), FEZ), None, 100)], options, device="fez"))
    assert outcome.failure is Failure.PROGRAM
    assert outcome.reason is not None
    assert "choose one of auto, exact, dense" in outcome.reason


def test_a_job_may_ask_for_the_counts_of_the_local_mode() -> None:
    """Bit for bit what the client package draws on its own fake backend from the same seed."""
    circuits, values = [isa(bell(), MANILA), isa(ghz(4), MANILA)], np.linspace(0, 1, 6).reshape(3, 2)
    ansatz = QuantumCircuit(2)
    ansatz.rx(Parameter("a"), 0)
    ansatz.rx(Parameter("b"), 1)
    ansatz.measure_all()
    pubs = [*((circuit, None, 300) for circuit in circuits), (isa(ansatz, MANILA), values, 100)]
    theirs = SamplerV2(FakeManilaV2(), options={"simulator": {"seed_simulator": 11}}).run(pubs).result()
    options = {"experimental": {"simulation_method": "local-mode"}, "simulator": {"seed_simulator": 11}}
    ours = result(sampler(pubs, options, device="manila"))
    for one, other in zip(ours, theirs, strict=True):
        assert one.data.meas == other.data.meas
    assert ours[0].metadata["simulation"]["method"] == "local-mode"


def test_the_local_mode_has_no_twirling() -> None:
    options = {"experimental": {"simulation_method": "local-mode"}, "twirling": {"enable_gates": True}}
    outcome = run(sampler([(isa(bell(), MANILA), None, 10)], options, device="manila"))
    assert outcome.failure is Failure.PROGRAM
    assert "turn them off" in (outcome.reason or "")


def test_the_local_mode_too_is_refused_over_the_limits() -> None:
    options = {"experimental": {"simulation_method": "local-mode"}}
    circuit = isa(su2(18, 8, "full"), BRISBANE)
    log: list[str] = []
    outcome = run(sampler([(circuit, None, 100_000)], options, seconds=10), log)
    assert outcome.failure is Failure.REFUSED
    assert any(line.startswith("aer needs") for line in log)


def test_a_job_that_takes_too_long_as_a_whole_is_refused_before_its_first_pub() -> None:
    """Each pub for itself would do; fifty of them, or one with fifty sets, would not."""
    circuit = isa(su2(14, 3), BRISBANE)
    (one,) = run(sampler([(circuit, None, 1000)])).metadata["pubs"]
    limit = 20 * one["seconds"] + 0.2
    alone, many = (run(sampler([(circuit, None, 1000)] * pubs, seconds=limit)) for pubs in (1, 2000))
    assert alone.succeeded, alone.reason
    assert many.failure is Failure.REFUSED
    assert "2000 runs of the circuit with 14 active qubits" in (many.reason or "")
    assert "split it" in (many.reason or "")


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_stored_in_a_register_is_0_in_the_result(whole: bool) -> None:
    register, kept = ClassicalRegister(2, "c"), ClassicalRegister(2, "kept")
    circuit = QuantumCircuit(QuantumRegister(127), register, kept)
    circuit.x(0)
    circuit.measure([0, 1], register)
    if whole:
        circuit.store(kept, register)
    else:
        circuit.store(kept[0], expr.lift(register[0]))
    with circuit.if_test((kept[0], 1)):
        circuit.x(1)
    circuit.measure(1, register[1])
    data = result(sampler([(circuit, None, 50)], noise="device"))[0].data
    assert data.kept.get_counts() == {"00": 50}
    assert data.c.get_counts().get("11", 0) > 35
