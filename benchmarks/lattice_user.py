"""Utility experiments as a user of qiskit-ibm-runtime runs them: run by `lattice_client` as a process that knows the cloud by its variables alone.

Prints one JSON object: of each experiment the seconds from `run` to `result`, and the figures that tell whether the physics is right.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import EstimatorV2, QiskitRuntimeService

QUBIT = 62
KICKS = (0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4)
WEIGHT_10 = {"Z": (13, 29, 31, 32, 33, 34, 47, 48, 49, 52)}
WEIGHT_17 = {  # of the paper's figure 3, after 5 steps
    "X": (37, 41, 52, 56, 57, 58, 62, 79),
    "Y": (75,),
    "Z": (38, 40, 42, 63, 72, 80, 90, 91),
}
SHOTS = 4096
LEFT_OUT = (32, 33, 71, 72, 73, 102, 103)  # of Fez, in the tutorial: 149 qubits stay
ANGLES = 12


def layers(backend: Any, without: tuple[int, ...] = ()) -> list[list[tuple[int, int]]]:
    """The couplings of a heavy hexagon in three layers without a common qubit each."""
    found: list[list[tuple[int, int]]] = [[], [], []]
    for edge in sorted({(min(edge), max(edge)) for edge in backend.coupling_map.get_edges()}):
        if set(edge).isdisjoint(without):
            next(layer for layer in found if all(set(edge).isdisjoint(other) for other in layer)).append(edge)
    return found


def kicked_ising(backend: Any, steps: int, without: tuple[int, ...] = ()) -> QuantumCircuit:
    """The circuit of Y. Kim et al., Nature 618, 500 (2023), in the gates of a device."""
    kick, circuit = Parameter("θ"), QuantumCircuit(backend.num_qubits)
    used = [qubit for qubit in range(backend.num_qubits) if qubit not in without]
    for _ in range(steps):
        circuit.rx(kick, used)
        for layer in layers(backend, without):
            circuit.barrier()
            for edge in layer:
                circuit.rzz(-np.pi / 2, *edge)
    in_place = list(range(backend.num_qubits))
    return generate_preset_pass_manager(2, backend, initial_layout=in_place, seed_transpiler=7).run(circuit)


def pauli(backend: Any, qubits: dict[str, tuple[int, ...]]) -> SparsePauliOp:
    """Each letter on its qubits."""
    word = "".join(letter * len(places) for letter, places in qubits.items())
    return SparsePauliOp.from_sparse_list(
        [(word, [q for each in qubits.values() for q in each], 1.0)], backend.num_qubits
    )


def asked(backend: Any, pub: tuple[Any, ...], options: dict[str, Any]) -> tuple[float, Any]:
    """Seconds until the result is here, and the result of the pub."""
    start = time.perf_counter()
    result = EstimatorV2(backend, options=options).run([pub]).result()[0]
    return time.perf_counter() - start, result


def swept(service: QiskitRuntimeService, steps: int, qubits: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """One Pauli observable against the angle of the kicks."""
    backend = service.backend("ibm_brisbane")
    circuit = kicked_ising(backend, steps)
    options = {"resilience_level": 0, "default_shots": SHOTS}
    spent, result = asked(backend, (circuit, pauli(backend, qubits), list(KICKS)), options)
    return {"seconds": spent, "error": result.metadata["simulation"]["accuracy"].get("error_estimate", 0.0)}


def amplified(service: QiskitRuntimeService) -> dict[str, Any]:
    """The tutorial on error amplification: Z of 149 qubits after six steps, with its options."""
    backend = service.backend("ibm_fez")
    circuit = kicked_ising(backend, 6, LEFT_OUT)
    used = [qubit for qubit in range(backend.num_qubits) if qubit not in LEFT_OUT]
    observables = [[pauli(backend, {"Z": (qubit,)})] for qubit in used]
    factors = [1, 1.3, 1.6]
    options = {
        "resilience": {
            "measure_mitigation": True,
            "zne_mitigation": True,
            "measure_noise_learning": {"num_randomizations": 40, "shots_per_randomization": 1024},
            "layer_noise_learning": {
                "max_layers_to_learn": 3,
                "layer_pair_depths": [0, 1, 2, 4, 6, 12, 24],
                "shots_per_randomization": 64,
                "num_randomizations": 40,
            },
            "zne": {
                "amplifier": "pea",
                "noise_factors": factors,
                "extrapolator": ("exponential", "linear"),
                "extrapolated_noise_factors": np.linspace(0, max(factors), 20).tolist(),
            },
        },
        "twirling": {"num_randomizations": 700, "shots_per_randomization": 64, "strategy": "active-circuit"},
        "dynamical_decoupling": {"enable": True, "sequence_type": "XY4"},
    }
    angles = np.linspace(0, np.pi / 2, ANGLES).reshape(-1, 1)
    spent, result = asked(backend, (circuit, observables, angles), options)
    means = result.data.evs.mean(axis=0)
    return {"seconds": spent, "first": float(means[0]), "last": float(means[-1]), "shape": list(result.data.evs.shape)}


EXPERIMENTS = {
    "one": lambda service: swept(service, 20, {"Z": (QUBIT,)}),
    "ten": lambda service: swept(service, 5, WEIGHT_10),
    "seventeen": lambda service: swept(service, 5, WEIGHT_17),
    "amplified": amplified,
}


def main() -> None:
    """Measure what is named, or everything."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    service = QiskitRuntimeService()
    json.dump({name: EXPERIMENTS[name](service) for name in sys.argv[1:] or EXPERIMENTS}, sys.stdout)


if __name__ == "__main__":
    main()
