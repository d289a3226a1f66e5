"""Circuits that the tests of the simulation share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import efficient_su2, quantum_volume
from qiskit.transpiler import generate_preset_pass_manager

from qumulus.simulation.devices import DeviceModel


def isa(circuit: QuantumCircuit, model: DeviceModel) -> QuantumCircuit:
    """The circuit in the device's own gates, on qubits that the transpiler chooses."""
    return generate_preset_pass_manager(optimization_level=1, target=model.target, seed_transpiler=7).run(circuit)


def bell() -> QuantumCircuit:
    return ghz(2)


def ghz(n_qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(n_qubits)
    circuit.h(0)
    for qubit in range(n_qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def su2(n_qubits: int, layers: int = 2, entanglement: str = "linear", seed: int = 1) -> QuantumCircuit:
    """Efficient SU(2) with random angles."""
    ansatz = efficient_su2(n_qubits, reps=layers, entanglement=entanglement)
    circuit = ansatz.assign_parameters(np.random.default_rng(seed).uniform(0, 2 * np.pi, ansatz.num_parameters))
    circuit.measure_all()
    return circuit


def volume(n_qubits: int) -> QuantumCircuit:
    circuit = quantum_volume(n_qubits, seed=3)
    circuit.measure_all()
    return circuit


def teleportation() -> QuantumCircuit:
    """A state sent over a Bell pair, mended by what was measured."""
    circuit = QuantumCircuit(3, 3)
    circuit.ry(1.1, 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test((circuit.clbits[1], 1)):
        circuit.x(2)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.z(2)
    circuit.measure(2, 2)
    return circuit


STATIC: dict[str, Callable[[int], QuantumCircuit]] = {"GHZ": ghz, "SU(2)": su2, "quantum volume": volume}
