"""References by Aer: the density matrix with Aer's own noise model of the device."""

from __future__ import annotations

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit_aer import AerSimulator

from qumulus.simulation.aer import noise_model
from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import DeviceModel


def distribution(circuit: QuantumCircuit, model: DeviceModel) -> np.ndarray:
    """The exact probabilities of the measured bits, indexed by the classical value, with readout errors.

    For circuits that measure each qubit once, at their end, into the bits of one register.
    """
    active = scan(circuit, model)
    physical = [active.physical[qubit] for qubit, _ in sorted(active.terminal.items(), key=lambda item: item[1])]
    unitary = circuit.remove_final_measurements(inplace=False)
    noise = noise_model(model, active.physical)
    for qubit in physical:
        error = noise._local_quantum_errors.get("measure", {}).get((qubit,))
        if error is not None:  # Aer applies errors of measurements before the reading
            unitary.append(error.to_instruction(), [qubit])
    unitary.save_density_matrix([unitary.qubits[qubit] for qubit in physical], label="state")
    simulator = AerSimulator(method="density_matrix", noise_model=noise)
    state = simulator.run(unitary).result().data(0)["state"]
    probabilities = np.real(np.diag(np.asarray(state))).reshape((2,) * len(physical))
    for axis, qubit in enumerate(reversed(physical)):
        probabilities = np.moveaxis(np.tensordot(model.noise.confusion[qubit], probabilities, axes=(1, axis)), 0, axis)
    return probabilities.reshape(-1)


def total_variation(first: np.ndarray, second: np.ndarray) -> float:
    """Half the sum of the absolute differences."""
    return float(np.abs(first - second).sum() / 2)
