"""What an experimenter would measure on a device: T1, readout errors and gate errors come out as calibrated."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit

from qumulus.simulation.devices import device_model
from qumulus.simulation.noise import average_fidelity
from qumulus.simulation.sampling import sample

SHOTS = 200_000
CASES = [("brisbane", 4), ("fez", 10), ("manila", 2)]


def ones(circuit: QuantumCircuit, name: str, seed: int) -> float:
    """The share of shots that read 1."""
    return float(sample(circuit, device_model(name), shots=SHOTS, seed=seed).bits["c"][:, 0].mean())


def single(qubit: int) -> QuantumCircuit:
    return QuantumCircuit(qubit + 1, 1)


@pytest.mark.parametrize(("name", "qubit"), CASES)
def test_waiting_longer_and_longer_gives_t1(name: str, qubit: int) -> None:
    noise = device_model(name).noise
    assert noise is not None
    populations, times = [], np.linspace(0.0, 1.5 * noise.t1[qubit], 5)
    for k, time in enumerate(times):
        circuit = single(qubit)
        circuit.x(qubit)
        circuit.delay(time, qubit, unit="s")
        circuit.measure(qubit, 0)
        misread = noise.confusion[qubit, 1]
        populations.append((ones(circuit, name, k) - misread[0]) / (misread[1] - misread[0]))
    slope, _ = np.polyfit(times, np.log(populations), 1)
    assert -1 / slope == pytest.approx(noise.t1[qubit], rel=0.03)


@pytest.mark.parametrize(("name", "qubit"), CASES)
def test_reading_a_fresh_qubit_gives_its_readout_error(name: str, qubit: int) -> None:
    circuit = single(qubit)
    circuit.measure(qubit, 0)
    noise = device_model(name).noise
    assert noise is not None
    expected = noise.confusion[qubit, 1, 0]
    assert ones(circuit, name, 1) == pytest.approx(expected, abs=5 * np.sqrt(expected / SHOTS) + 1e-5)


@pytest.mark.parametrize(("name", "qubit"), CASES)
def test_many_flips_give_the_error_of_one(name: str, qubit: int) -> None:
    """The polarisation of Z after 2m flips falls by the two diagonal entries of the error channel of x."""
    noise, rounds = device_model(name).noise, 150
    assert noise is not None
    channel = noise.channel("x", (qubit,))
    assert channel is not None
    calibrated = noise.gates["x", (qubit,)].error
    assert 1 - average_fidelity(channel) == pytest.approx(calibrated, rel=1e-9)
    circuit = single(qubit)
    for _ in range(2 * rounds):
        circuit.x(qubit)
    circuit.measure(qubit, 0)
    misread = noise.confusion[qubit, 1]
    polarisation = 1 - 2 * (ones(circuit, name, 3) - misread[0]) / (misread[1] - misread[0])
    decay, lift = channel[3, 3], channel[3, 0]
    z = 1.0
    for _ in range(2 * rounds):
        z = -decay * z + lift
    assert polarisation == pytest.approx(z, abs=0.01)
    assert polarisation < 1 - rounds * calibrated / 2
