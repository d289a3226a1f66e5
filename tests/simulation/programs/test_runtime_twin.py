"""The twin of a device, as an experimentalist would look at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qumulus.core.clock import ClockSetting
from qumulus.core.programs import TWIN_NOISE, Program
from qumulus.simulation import drifting
from qumulus.simulation.devices import device_model
from qumulus.simulation.noise import COHERENT, COHERENT_SHARE, average_fidelity
from qumulus.simulation.twin import DEPHASING_RATIO, DRIFT_OF_TIMES, REALIZATIONS, divided, drifted, realizations

from . import runtime
from .runtime import result, run

FEZ, TWIN = device_model("fez"), device_model("fez", noise=TWIN_NOISE)
NOISE = FEZ.noise
QUBIT = 2  # T1 = 136 µs, T2 = 96 µs or thereabouts: echoes last
FIRST, SECOND = next(iter(FEZ.target["cz"]))
SHOTS = 48_000
TWINNED = {"experimental": {"noise": "twin"}}
DAY = datetime(2026, 3, 1, tzinfo=UTC)
CALIBRATED = ClockSetting(0.0, DAY, DAY)
"""It is midnight: the device is as its calibration says."""


def sampler(pubs: list[Any], options: dict[str, Any], *, clock: ClockSetting = CALIBRATED) -> Program:
    return runtime.sampler(pubs, options, device="fez", clock=clock)


def estimator(pubs: list[Any], options: dict[str, Any], level: int) -> Program:
    return runtime.estimator(pubs, options, level, device="fez", clock=CALIBRATED)


def free(time: float, *, echo: bool = False) -> QuantumCircuit:
    """A qubit in the equator for some seconds, turned back; with a pulse in the middle if there is to be an echo."""
    circuit = QuantumCircuit(FEZ.n_qubits, 1)
    half = round(time / FEZ.cycle / 2)
    circuit.sx(QUBIT)
    circuit.delay(half, QUBIT)
    if echo:
        circuit.x(QUBIT)
    circuit.delay(half, QUBIT)
    circuit.sx(QUBIT)
    circuit.measure(QUBIT, 0)
    return circuit


def contrast(times: np.ndarray, options: dict[str, Any], *, echo: bool = False) -> np.ndarray:
    """How much of the interference is left after each time, in units of that after none."""
    pubs = [(free(time, echo=echo), None, SHOTS) for time in (0.0, *times)]
    excited = np.array([pub.data.c.bitcount().mean() for pub in result(sampler(pubs, options))])
    left = np.abs(2 * excited - 1 - (NOISE.confusion[QUBIT, 1, 0] - NOISE.confusion[QUBIT, 0, 1]))
    return left[1:] / left[0]


def t2() -> float:
    return float(min(NOISE.t2[QUBIT], 2 * NOISE.t1[QUBIT]))


def test_a_ramsey_fringe_dies_at_t2_star_and_an_echo_at_t2() -> None:
    star = DEPHASING_RATIO * t2()
    (ramsey,), (echo,) = (contrast(np.array([star]), TWINNED, echo=echo) for echo in (False, True))
    assert ramsey == pytest.approx(np.exp(-1), abs=0.12)  # of 24 draws
    assert echo == pytest.approx(np.exp(-star / t2()), abs=0.04)


def test_on_the_device_of_the_calibration_both_die_at_t2() -> None:
    time = DEPHASING_RATIO * t2()
    (ramsey,), (echo,) = (contrast(np.array([time]), {}, echo=echo) for echo in (False, True))
    assert ramsey == pytest.approx(np.exp(-time / t2()), abs=0.03)
    assert echo == pytest.approx(ramsey, abs=0.03)


def waiting() -> QuantumCircuit:
    """A qubit in the equator that waits while others have gates."""
    circuit = QuantumCircuit(FEZ.n_qubits, 1)
    pair = next(pair for pair in FEZ.target["cz"] if QUBIT not in pair)
    circuit.sx(QUBIT)
    circuit.barrier()
    for _ in range(round(0.5 * t2() / NOISE.gates["cz", pair].length)):
        circuit.cz(*pair)
    circuit.barrier()
    circuit.sx(QUBIT)
    circuit.measure(QUBIT, 0)
    return circuit


@pytest.mark.parametrize("sequence", ["XX", "XY4"])
def test_a_decoupling_sequence_helps_a_qubit_that_waits(sequence: str) -> None:
    decoupled = {"dynamical_decoupling": {"enable": True, "sequence_type": sequence}}
    left = [
        abs(2 * result(sampler([(waiting(), None, SHOTS)], TWINNED | more))[0].data.c.bitcount().mean() - 1)
        for more in ({}, decoupled)
    ]
    assert left[1] > left[0] + 0.1


def survival(gates: int, *, twirled: bool) -> float:
    """How probably two qubits in the equator come back after so many pairs of a gate that is its own inverse."""
    circuit = QuantumCircuit(FEZ.n_qubits)
    circuit.sx([FIRST, SECOND])
    for _ in range(2 * gates):
        circuit.cz(FIRST, SECOND)
    circuit.rz(np.pi, [FIRST, SECOND])
    circuit.sx([FIRST, SECOND])
    observable = SparsePauliOp.from_sparse_list([("ZZ", [FIRST, SECOND], 1.0)], FEZ.n_qubits)
    options = TWINNED | {"twirling": {"enable_gates": twirled, "strategy": "active"}}
    pub = (circuit, observable, None, 0.004)
    return float(result(estimator([pub], options, 0))[0].data.evs)


def test_coherent_errors_of_a_mirror_circuit_add_up_in_amplitude_and_twirled_ones_in_probability() -> None:
    lengths = np.array([8, 40])
    plain, twirled = (
        np.array([survival(n, twirled=kind) / survival(0, twirled=kind) for n in lengths]) for kind in (False, True)
    )
    rates = -np.log(twirled) / lengths
    assert rates[1] == pytest.approx(rates[0], rel=0.5)  # an exponential
    assert plain[1] < twirled[1] - 0.02  # the sum of amplitudes is larger than that of probabilities


@pytest.mark.parametrize("name", ["fez", "brisbane"])
def test_a_gate_keeps_its_calibrated_infidelity(name: str) -> None:
    model, twinned = device_model(name), device_model(name, noise=TWIN_NOISE)
    kinds = {key[0]: key for key in model.noise.gates if key[0] in COHERENT}
    changed = 0
    for key in kinds.values():
        plain, coherent = model.error(*key), twinned.error(*key)
        assert average_fidelity(coherent) == pytest.approx(average_fidelity(plain), abs=2e-4 * COHERENT_SHARE)
        changed += np.abs(coherent - plain).max() > 1e-4
    assert changed  # but for gates that err by relaxation alone


def test_a_device_keeps_its_character_and_a_seed_its_frequencies() -> None:
    again = NOISE.with_coherent_errors(TWIN.noise.character)
    np.testing.assert_array_equal(again.channel("cz", (FIRST, SECOND)), TWIN.error("cz", (FIRST, SECOND)))
    one, other, third = (realizations(TWIN, seed)[0].noise.detunings[:5] for seed in (1, 1, 2))
    assert one == other != third
    assert realizations(FEZ, 1) == [FEZ]


def test_shots_are_divided_and_none_is_lost() -> None:
    assert divided(50, 24) == [3, 3] + [2] * 22
    pub = result(sampler([(free(1e-6), None, 50)], TWINNED))[0]
    assert pub.data.c.num_shots == 50
    assert pub.metadata["simulation"]["noise"] == "twin"
    assert len(realizations(TWIN, 3)) == REALIZATIONS


def test_fewer_shots_than_draws_are_shots_of_some_draws() -> None:
    assert result(sampler([(free(1e-6), None, 5)], TWINNED))[0].data.c.num_shots == 5


def test_exact_values_are_means_over_the_draws() -> None:
    circuit = free(DEPHASING_RATIO * t2()).remove_final_measurements(inplace=False)
    cases = [({}, [{((QUBIT, "Z"),): 1.0}])]
    (found,) = drifting.measured(circuit, cases, TWIN, shots=None, seed=1)
    (plain,) = drifting.measured(circuit, cases, FEZ, shots=None, seed=1)
    assert abs(found.groups[0].means[0]) < abs(plain.groups[0].means[0]) - 0.1
    assert not found.groups[0].covariance.any()


def misreadings(options: dict[str, Any], *qubits: int, excited: bool = False) -> np.ndarray:
    """Which of some qubits are misread in each shot; shape (shots, qubits)."""
    circuit = QuantumCircuit(FEZ.n_qubits, len(qubits))
    if excited:
        circuit.x(qubits)
    circuit.measure(qubits, range(len(qubits)))
    found = result(sampler([(circuit, None, SHOTS)], options))[0].data.c.to_bool_array(order="little")
    return found ^ excited


def correlation(wrong: np.ndarray) -> float:
    return float(np.corrcoef(wrong.T)[0, 1])


def test_neighbours_are_misread_together_and_each_as_often_as_its_calibration_says() -> None:
    together, apart = misreadings(TWINNED, FIRST, SECOND), misreadings({}, FIRST, SECOND)
    scatter = 5 / np.sqrt(SHOTS)
    assert correlation(together) > 10 / np.sqrt(SHOTS) > 2 * abs(correlation(apart))
    for k, qubit in enumerate((FIRST, SECOND)):
        error = NOISE.confusion[qubit, 1, 0]
        assert together[:, k].mean() == pytest.approx(error, abs=scatter * np.sqrt(error))


def test_qubits_far_from_each_other_are_misread_independently() -> None:
    far = next(qubit for qubit in range(150, 156) if NOISE.confusion[qubit, 1, 0] > 1e-3)
    assert abs(correlation(misreadings(TWINNED, FIRST, far))) < 5 / np.sqrt(SHOTS)


def test_who_is_misread_with_whom_depends_on_the_state_only_by_how_often() -> None:
    assert correlation(misreadings(TWINNED, FIRST, SECOND, excited=True)) > 10 / np.sqrt(SHOTS)


def test_a_condition_sees_what_is_misread() -> None:
    """Feed-forward needs the bit in the middle: there each qubit is misread by itself, as often as calibrated."""
    circuit = QuantumCircuit(FEZ.n_qubits, 2)
    circuit.measure(FIRST, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(SECOND)
    circuit.measure(SECOND, 1)
    found = result(sampler([(circuit, None, SHOTS)], TWINNED))[0].data.c.to_bool_array(order="little")
    assert found[found[:, 0], 1].mean() > 0.9


def test_t1_walks_away_from_its_calibrated_value_during_the_day() -> None:
    days = [DAY + timedelta(days=k) for k in range(60)]
    at = np.array([[drifted(TWIN, day + timedelta(hours=h)).noise.t1[QUBIT] for h in (0, 6, 23)] for day in days])
    off = np.log(at / NOISE.t1[QUBIT])
    assert not off[:, 0].any()
    assert off[:, 1].std() == pytest.approx(DRIFT_OF_TIMES / 2, rel=0.4)
    assert off[:, 2].std() == pytest.approx(DRIFT_OF_TIMES, rel=0.4)
    assert np.corrcoef(off[:, 1], off[:, 2])[0, 1] > 0.2  # it walks
    soon, later = (drifted(TWIN, DAY + timedelta(hours=6, minutes=m)).noise.t1[QUBIT] for m in (0, 20))
    assert later == pytest.approx(soon, rel=0.1)


def test_a_job_in_the_evening_is_read_as_the_device_is_then() -> None:
    evening = DAY + timedelta(hours=20)
    then = drifted(TWIN, evening).noise.confusion[:, 1, 0]
    qubit = int(np.argmax(np.where(NOISE.confusion[:, 1, 0] < 0.1, np.abs(then - NOISE.confusion[:, 1, 0]), 0.0)))
    circuit = QuantumCircuit(FEZ.n_qubits, 1)
    circuit.measure(qubit, 0)
    job = sampler([(circuit, None, SHOTS)], TWINNED, clock=ClockSetting(0.0, evening, evening))
    seen = result(job)[0].data.c.bitcount().mean()
    scatter = np.sqrt(then[qubit] / SHOTS)
    assert abs(seen - then[qubit]) < 5 * scatter < abs(seen - NOISE.confusion[qubit, 1, 0])


def test_a_device_of_the_calibration_does_not_drift() -> None:
    assert drifted(FEZ, DAY + timedelta(hours=20)) is FEZ


def test_aer_knows_nothing_of_it() -> None:
    options = {"experimental": {"noise": "twin", "simulation_method": "aer"}}
    outcome = run(sampler([(free(1e-6), None, 10)], options))
    assert "its noise is what the calibration says" in (outcome.reason or "")
