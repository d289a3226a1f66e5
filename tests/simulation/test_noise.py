"""The closed form of the noise, against Aer's own model of the same calibrations.

`make test` compares a seeded sample: of every gate kind of some devices one gate, and their broken gates. With
QUMULUS_TEST_NOISE=whole it compares every gate of every snapshot, which takes some minutes.
"""

from __future__ import annotations

import os
import random
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit.quantum_info import PTM
from qiskit_aer.noise.device import basic_device_gate_errors, basic_device_readout_errors

from qumulus.catalogue import SnapshotCatalogue
from qumulus.catalogue.ideal import IDEAL
from qumulus.simulation.devices import device_model
from qumulus.simulation.noise import (
    average_fidelity,
    depolarizing,
    depolarizing_strength,
    relaxation,
)

WHOLE = os.environ.get("QUMULUS_TEST_NOISE") == "whole"
CATALOGUE = SnapshotCatalogue()
ALL = [device.name for device in CATALOGUE.devices() if device.name != IDEAL]
ALWAYS = {"brisbane", "fez", "kingston", "torino", "fractional", "yorktown", "almaden", "boston"}
DEVICES = ALL if WHOLE else sorted(ALWAYS | set(random.Random(4).sample(ALL, 6)))
BROKEN = 0.5  # a calibrated error that means: this gate does not work


def chosen(document: dict) -> list[dict]:
    """The gates to compare: all, or of each kind one, and at most three broken ones."""
    if WHOLE:
        return document["gates"]
    gates = random.Random(document["backend_name"]).sample(document["gates"], len(document["gates"]))
    kinds = {gate["gate"]: gate for gate in gates}
    broken = [gate for gate in gates for p in gate["parameters"] if p["name"] == "gate_error" and p["value"] > BROKEN]
    return [*kinds.values(), *broken[:3]]


def namespaces(entries: list[dict]) -> list[SimpleNamespace]:
    return [SimpleNamespace(**entry) for entry in entries]


def aer_matrix(error) -> np.ndarray:
    """The transfer matrix of one of Aer's errors, in our order of the qubits."""
    matrix = np.real(PTM(error).data)
    if error.num_qubits == 2:
        matrix = matrix.reshape(4, 4, 4, 4).transpose(1, 0, 3, 2).reshape(16, 16)
    return matrix


@pytest.mark.parametrize("name", DEVICES)
def test_every_gate_has_the_error_that_aer_gives_it(name: str) -> None:
    document = CATALOGUE.calibration(name).properties
    gates = chosen(document)
    properties = SimpleNamespace(
        qubits=[namespaces(entries) for entries in document["qubits"]],
        gates=[
            SimpleNamespace(gate=g["gate"], qubits=g["qubits"], parameters=namespaces(g["parameters"])) for g in gates
        ],
    )
    noise = device_model(name).noise
    assert noise is not None
    expected = {(gate, tuple(qubits)): error for gate, qubits, error in basic_device_gate_errors(properties)}
    for gate in gates:
        key = (gate["gate"], tuple(gate["qubits"]))
        ours = noise.channel(*key)
        ours = np.eye(4 ** len(key[1])) if ours is None else ours
        theirs = aer_matrix(expected[key]) if key in expected else np.eye(len(ours))
        assert np.abs(ours - theirs).max() <= 1e-12, key


@pytest.mark.parametrize("name", DEVICES)
def test_readout_is_misread_as_the_calibration_says(name: str) -> None:
    document = CATALOGUE.calibration(name).properties
    properties = SimpleNamespace(qubits=[namespaces(entries) for entries in document["qubits"]], gates=[])
    noise = device_model(name).noise
    assert noise is not None
    expected = {qubits[0]: error.probabilities for qubits, error in basic_device_readout_errors(properties)}
    for qubit, confusion in enumerate(noise.confusion):
        assert np.abs(confusion.T - expected.get(qubit, np.eye(2))).max() <= 1e-8


@pytest.mark.parametrize("n_qubits", [1, 2])
def test_a_gate_worse_than_depolarizing_can_be_is_capped(n_qubits: int) -> None:
    relax = relaxation(1e-4, 1e-4, 1e-6)
    fidelity = average_fidelity(relax if n_qubits == 1 else np.kron(relax, relax))
    assert depolarizing_strength(1.0, fidelity, n_qubits) == 4**n_qubits / (4**n_qubits - 1)


def test_relaxation_alone_may_be_worse_than_the_calibrated_error() -> None:
    assert depolarizing_strength(1e-4, 0.999, 1) == 0.0


def test_a_composed_error_has_the_calibrated_infidelity() -> None:
    relax = relaxation(2e-4, 1e-4, 5e-7)
    strength = depolarizing_strength(0.02, average_fidelity(relax), 1)
    assert 1 - average_fidelity(relax @ depolarizing(strength, 1)) == pytest.approx(0.02, abs=1e-15)


def test_relaxation_adds_up_over_time() -> None:
    once, twice = relaxation(1e-4, 1.5e-4, 2e-5), relaxation(1e-4, 1.5e-4, 4e-5)
    np.testing.assert_allclose(once @ once, twice, atol=1e-15)


def test_a_coherence_longer_than_twice_t1_counts_as_twice_t1() -> None:
    np.testing.assert_array_equal(relaxation(1e-4, 5e-4, 1e-6), relaxation(1e-4, 2e-4, 1e-6))


@pytest.mark.parametrize(("t1", "t2", "duration"), [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, -1.0)])
def test_unphysical_times_are_refused(t1: float, t2: float, duration: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        relaxation(t1, t2, duration)
