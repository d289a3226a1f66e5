"""Shots: their form, their seeds, and what is refused."""

from __future__ import annotations

import multiprocessing
import re
from dataclasses import replace

import numpy as np
import pytest
from qiskit.circuit import (
    ClassicalRegister,
    Duration,
    Parameter,
    ParameterExpression,
    QuantumCircuit,
    QuantumRegister,
)
from qiskit.circuit.classical import expr

from qumulus.catalogue.ideal import IDEAL
from qumulus.core.programs import Limits
from qumulus.core.results import Severity
from qumulus.simulation import choice
from qumulus.simulation.circuits import scan
from qumulus.simulation.dense import contract
from qumulus.simulation.devices import DeviceModel, device_model
from qumulus.simulation.errors import ProgramError, Refused
from qumulus.simulation.meter import Meter, metered
from qumulus.simulation.sampling import sample, sample_sweep
from qumulus.simulation.tasks import Task

from .circuits import bell, ghz, isa, su2, teleportation

BRISBANE = device_model("brisbane")
SIMULATOR = device_model(IDEAL)


def test_a_register_reads_as_qiskit_prints_it() -> None:
    first, second = ClassicalRegister(2, "first"), ClassicalRegister(1, "second")
    circuit = QuantumCircuit(QuantumRegister(3), first, second)
    circuit.x(0)
    circuit.measure([0, 1, 2], [0, 1, 2])
    samples = sample(circuit, SIMULATOR, shots=10, seed=1)
    assert samples.counts() == {"0 01": 10}
    assert samples.bits["first"].tolist() == [[1, 0]] * 10
    assert samples.bits["second"].shape == (10, 1)


@pytest.mark.parametrize("model", [SIMULATOR, BRISBANE], ids=["ideal", "noisy"])
@pytest.mark.parametrize(
    "angle",
    [float("nan"), float("inf"), 1 / Parameter("a"), Parameter("a").log(), (1 - Parameter("a")).exp().exp().exp()],
)
def test_an_angle_that_is_no_finite_number_is_refused(angle: ParameterExpression | float, model: DeviceModel) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.sx(0)
    circuit.rz(angle, 0)
    circuit.sx(0)
    circuit.measure(0, 0)
    values = dict.fromkeys(circuit.parameters, -99.0 if "-" in str(angle) or "log" in str(angle) else 0.0)
    with pytest.raises(ProgramError, match="finite"):
        sample(circuit, model, shots=10, seed=1, binding=values)


def test_a_bit_that_nothing_measures_is_zero() -> None:
    circuit = QuantumCircuit(1, 3)
    circuit.x(0)
    circuit.measure(0, 1)
    assert sample(circuit, SIMULATOR, shots=5, seed=1).counts() == {"010": 5}


@pytest.mark.parametrize("method", ["dense", "branches", "aer"])
def test_the_same_seed_gives_the_same_shots(method: str) -> None:
    circuit = isa(bell(), BRISBANE)
    first = sample(circuit, BRISBANE, shots=500, seed=(5, 2), method=method)
    again = sample(circuit, BRISBANE, shots=500, seed=(5, 2), method=method)
    other = sample(circuit, BRISBANE, shots=500, seed=(5, 3), method=method)
    np.testing.assert_array_equal(first.bits["meas"], again.bits["meas"])
    assert (first.bits["meas"] != other.bits["meas"]).any()


def test_neighbouring_seeds_share_no_shots() -> None:
    """Aer seeds shot i with seed + i, so that an unhashed seed + 1 would give the same shots shifted by one."""
    circuit = isa(teleportation(), BRISBANE)
    one, two = (sample(circuit, BRISBANE, shots=400, seed=seed, method="aer").bits["c"] for seed in (1, 2))
    same = (one[1:] == two[:-1]).all(axis=1).mean()
    assert same < 0.5


def _pub(index: int) -> bytes:
    circuit = [isa(bell(), BRISBANE), isa(su2(12), BRISBANE), isa(teleportation(), BRISBANE)][index % 3]
    samples = sample(circuit, BRISBANE, shots=200, seed=(31, index))
    return b"".join(bits.tobytes() for bits in samples.bits.values())


def test_results_depend_neither_on_workers_nor_on_order_nor_on_retries() -> None:
    alone = [_pub(index) for index in range(6)]
    order = [5, 3, 1, 0, 2, 4, 5, 0]
    with multiprocessing.get_context("spawn").Pool(2) as workers:
        spread = workers.map(_pub, order, chunksize=1)
    assert spread == [alone[index] for index in order]


def test_shots_are_independent_in_their_order() -> None:
    bits = sample(isa(bell(), BRISBANE), BRISBANE, shots=20_000, seed=1).bits["meas"][:, 0].astype(float)
    correlation = np.corrcoef(bits[1:], bits[:-1])[0, 1]
    assert abs(correlation) < 4 / np.sqrt(len(bits))


def test_a_sweep_draws_each_set_as_if_it_were_alone() -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(1, 1)
    circuit.sx(0)
    circuit.rz(2 * angle, 0)
    circuit.sx(0)
    circuit.measure(0, 0)
    values = [0.0, 0.4, np.pi / 2]
    swept = sample_sweep(circuit, BRISBANE, [{angle: value} for value in values], shots=200, seed=9)
    for k, value in enumerate(values):
        alone = sample(circuit.assign_parameters({angle: value}), BRISBANE, shots=200, seed=(9, k))
        np.testing.assert_array_equal(swept[k].bits["c"], alone.bits["c"])


def test_metadata_name_method_engine_and_seed() -> None:
    metadata = sample(isa(bell(), BRISBANE), BRISBANE, shots=10, seed=77).metadata
    assert metadata["method"] == "dense"
    assert metadata["engine"].startswith("qumulus ")
    assert metadata["seed"] == 77
    assert metadata["approximation"] is None
    assert metadata["seconds"] > 0


def test_an_ideal_bell_pair_is_always_equal() -> None:
    assert set(sample(bell(), SIMULATOR, shots=1000, seed=1).counts()) == {"00", "11"}


def test_a_wide_ideal_ghz_runs_as_clifford() -> None:
    counts = sample(ghz(24), SIMULATOR, shots=100, seed=1, method="ideal").counts()
    assert set(counts) == {"0" * 24, "1" * 24}


def test_a_circuit_over_the_limits_is_refused_with_the_figures() -> None:
    circuit = isa(su2(16, layers=4, entanglement="full"), BRISBANE)
    with pytest.raises(Refused, match=r"within the limits of .*\. Use fewer qubits") as refused:
        sample(circuit, BRISBANE, shots=1000, seed=1, limits=Limits(seconds=0.01, memory_bytes=1 << 20))
    assert refused.value.message.count(". ") == 1  # two sentences; what each method would take is for the log
    assert any(re.fullmatch(r"dense needs .* s and .* MiB", line) for line in refused.value.lines)


def test_an_unknown_method_is_refused_with_the_names() -> None:
    with pytest.raises(ProgramError, match="choose one of auto, exact, dense"):
        sample(bell(), SIMULATOR, shots=1, seed=1, method="magic")


def test_a_method_that_cannot_is_refused_with_its_reason() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.sx(0)
        circuit.measure(0, 0)
    with pytest.raises(ProgramError, match="measures before its end"):
        sample(circuit, BRISBANE, shots=1, seed=1, method="dense")


def broken(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setitem(choice.METHODS, method, replace(choice.METHODS[method], sample=fails))


def test_a_method_that_fails_by_our_mistake_gives_way_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shots are the next method's, the result warns, and the mistake stands in the job's log."""
    circuit, told = isa(bell(), BRISBANE), list[tuple[str, Severity]]()
    expected = sample(circuit, BRISBANE, shots=100, seed=1, method="branches")
    broken("dense", monkeypatch)
    with metered(Meter(log=lambda text, severity: told.append((text, severity)))):
        found = sample(circuit, BRISBANE, shots=100, seed=1)
    assert found.metadata["method"] == "branches"
    np.testing.assert_array_equal(found.bits["meas"], expected.bits["meas"])
    assert "dense failed because of an error of ours (ZeroDivisionError)" in found.metadata["accuracy"]["warning"]
    ((text, severity),) = told
    assert "ZeroDivisionError: a mistake of ours" in text
    assert severity is Severity.DEBUG


def test_our_mistake_is_raised_where_no_other_method_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    broken("dense", monkeypatch)
    with pytest.raises(ZeroDivisionError):
        sample(isa(bell(), BRISBANE), BRISBANE, shots=100, seed=1, method="dense")
    for method in choice.METHODS:
        broken(method, monkeypatch)
    with pytest.raises(ZeroDivisionError):
        sample(isa(bell(), BRISBANE), BRISBANE, shots=100, seed=1)


def test_a_circuit_wider_than_the_device_is_refused() -> None:
    with pytest.raises(ProgramError, match="only 5"):
        sample(QuantumCircuit(6), device_model("manila"), shots=1, seed=1)


UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9, "ps": 1e12}


@pytest.mark.parametrize("unit", [*UNITS, "dt", "expression"])
def test_a_delay_relaxes_for_its_length_in_any_unit(unit: str) -> None:
    seconds = BRISBANE.noise.t1[0]
    circuit = QuantumCircuit(1)
    circuit.x(0)
    if unit == "expression":
        circuit.delay(expr.lift(Duration.us(seconds * 1e6)), 0)
    else:
        circuit.delay(round(seconds / BRISBANE.dt) if unit == "dt" else seconds * UNITS[unit], 0, unit=unit)
    circuit.measure_all()
    task = Task(scan(circuit, BRISBANE), circuit, 1)
    (factor,) = contract(task.fused, task.readings)
    confusion, error = BRISBANE.noise.confusion[0], BRISBANE.noise.channel("x", (0,))
    flipped = (1 - (error @ [1, 0, 0, -1])[3]) / 2
    excited = flipped * np.exp(-1.0)
    np.testing.assert_allclose(factor.tensor, confusion @ [1 - excited, excited], atol=1e-6)


def test_a_delay_that_is_not_known_or_not_possible_is_refused() -> None:
    circuit, time = QuantumCircuit(1), Parameter("time")
    circuit.delay(circuit.add_stretch("slack"), 0)
    circuit.measure_all()
    with pytest.raises(ProgramError, match="stretch 'slack' is not resolved"):
        sample(circuit, BRISBANE, shots=1, seed=1)
    circuit = QuantumCircuit(1)
    circuit.delay(time, 0, unit="us")
    circuit.measure_all()
    with pytest.raises(ProgramError, match="not negative"):
        sample(circuit, BRISBANE, shots=1, seed=1, binding={time: -1.0})


@pytest.mark.parametrize("method", ["dense", "branches", "chain", "chain-cut", "trajectories", "stabilizer", "aer"])
def test_no_shots_are_no_outcomes(method: str) -> None:
    samples = sample(isa(bell(), BRISBANE), BRISBANE, shots=0, seed=1, method=method)
    assert samples.bits["meas"].shape == (0, 2)
    assert samples.counts() == {}


def test_a_bit_beyond_a_machine_integer_steers() -> None:
    circuit = QuantumCircuit(1, 80)
    circuit.x(0)
    circuit.measure(0, 79)
    with circuit.if_test((circuit.cregs[0], 1 << 79)):
        circuit.x(0)
    circuit.measure(0, 0)
    assert sample(circuit, SIMULATOR, shots=5, seed=1, method="branches").counts() == {"1" + "0" * 79: 5}


def test_the_later_of_two_readings_stays_in_a_bit() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.measure(1, 0)
    assert sample(circuit, SIMULATOR, shots=5, seed=1).counts() == {"0": 5}


def test_a_qubit_that_is_read_twice_gives_the_same_bit_twice() -> None:
    circuit = QuantumCircuit(1, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.measure(0, 1)
    assert set(sample(circuit, SIMULATOR, shots=100, seed=1).counts()) == {"00", "11"}
