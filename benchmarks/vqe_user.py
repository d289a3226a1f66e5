"""A variational loop as a user of qiskit-ibm-runtime writes it: run by `vqe` as a process that knows the cloud by its variables alone.

Prints one JSON object: seconds of each iteration here and with Aer's Estimator in this process, in turn.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel
from qiskit_aer.primitives import EstimatorV2 as AerEstimator
from qiskit_ibm_runtime import EstimatorV2, QiskitRuntimeService, Session, fake_provider

DEVICE, LOCAL = "ibm_brisbane", fake_provider.FakeBrisbane
QUBITS = 4
ITERATIONS, TURN = 100, 20  # iterations of one, before as many of the other
WHOLE = 2  # with the noise of the whole device: each takes seconds
PRECISION = 0.015625  # that of 4,096 shots


def problem() -> tuple[QuantumCircuit, SparsePauliOp]:
    """An ansatz, and the energy of a short chain of spins in a transverse field."""
    terms = [("ZZ", [site, site + 1], -1.0) for site in range(QUBITS - 1)]
    terms += [("X", [site], -0.7) for site in range(QUBITS)]
    return efficient_su2(QUBITS, reps=1, entanglement="linear"), SparsePauliOp.from_sparse_list(terms, QUBITS)


def noise_of(circuit: QuantumCircuit, model: NoiseModel) -> NoiseModel:
    """Return the noise of the qubits of a circuit, as who knows Aer leaves the rest out: it is converted anew for each run."""
    used = {circuit.find_bit(qubit).index for each in circuit.data for qubit in each.qubits}
    kept = NoiseModel(model.basis_gates)
    for gate, by_qubits in model._local_quantum_errors.items():
        for qubits, error in by_qubits.items():
            if used.issuperset(qubits):
                kept.add_quantum_error(error, gate, qubits)
    return kept


def steps(energy: Callable[[np.ndarray], object], angles: np.ndarray, numbers: range) -> list[float]:
    """Return the seconds of some evaluations, at angles that follow from their numbers, so that each is asked for the same."""
    spent = []
    for number in numbers:
        at = angles + np.random.default_rng(number).choice([-0.1, 0.1], size=angles.shape)
        begun = time.perf_counter()
        energy(at)
        spent.append(time.perf_counter() - begun)
    return spent


def main() -> None:
    """Measure."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    backend = QiskitRuntimeService().backend(DEVICE)
    ansatz, observable = problem()
    circuit = generate_preset_pass_manager(optimization_level=3, backend=backend, seed_transpiler=1).run(ansatz)
    measured = observable.apply_layout(circuit.layout)
    whole = NoiseModel.from_backend(LOCAL())
    few = noise_of(circuit, whole)
    aer = {
        name: AerEstimator.from_backend(AerSimulator(method="density_matrix", noise_model=model))
        for name, model in (("aer", few), ("whole", whole))
    }
    angles = np.random.default_rng(7).uniform(-1, 1, circuit.num_parameters)
    with Session(backend=backend) as session:
        here = EstimatorV2(mode=session)
        here.options.resilience_level = 0

        def energy(estimator: EstimatorV2 | AerEstimator) -> Callable[[np.ndarray], object]:
            return lambda at: estimator.run([(circuit, measured, at)], precision=PRECISION).result()[0].data.evs

        spent: dict[str, list[float]] = {"here": [], "aer": []}
        for each in (here, aer["aer"]):
            energy(each)(angles)
        for start in range(0, ITERATIONS, TURN):
            numbers = range(start, start + TURN)
            spent["here"] += steps(energy(here), angles, numbers)
            spent["aer"] += steps(energy(aer["aer"]), angles, numbers)
    spent["whole"] = steps(energy(aer["whole"]), angles, range(WHOLE))
    json.dump(spent, sys.stdout)


if __name__ == "__main__":
    main()
