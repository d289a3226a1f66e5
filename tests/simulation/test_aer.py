"""Aer with the noise of the active qubits, against the client package's local mode."""

from __future__ import annotations

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit_ibm_runtime import SamplerV2
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from qumulus.simulation.aer import sample_like_local_mode
from qumulus.simulation.devices import device_model

from .circuits import bell, ghz, isa, teleportation

MANILA = device_model("manila")


def waiting() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.delay(30, 0, unit="us")
    circuit.measure_all()
    return circuit


def test_the_counts_of_local_mode_come_bit_for_bit() -> None:
    circuits = [*(isa(circuit, MANILA) for circuit in (bell(), ghz(4), teleportation())), waiting()]
    theirs = SamplerV2(FakeManilaV2(), options={"simulator": {"seed_simulator": 11}}).run(circuits, shots=300).result()
    ours = sample_like_local_mode(circuits, MANILA, default_shots=300, seed=11)
    for one, other in zip(ours, theirs, strict=True):
        for name, bits in other.data.items():
            np.testing.assert_array_equal(one.data[name].array, bits.array)
