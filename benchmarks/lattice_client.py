"""Utility experiments through the unmodified client: how long they take, beside `pauli-prop`, which knows no such noise."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import numpy as np
from pauli_prop import propagate_through_circuit
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from tests.simulation.circuits import lattice_layers

from qumulus.simulation.devices import DeviceModel, device_model
from qumulus.simulation.machine import slowness

from . import lattice_user
from .ibm_client import measured
from .tables import Row, Table, seconds

USER = Path(lattice_user.__file__)
SMALLEST, MOST_TERMS = 1e-3, 100_000  # of the coefficients that `pauli-prop` keeps, and how many
IDEAL_ENDS = (0.9, 0.1)  # the mitigated mean of all Z is above the one at θ = 0 and below the other at π/2


def peer(model: DeviceModel, steps: int, qubits: dict[str, tuple[int, ...]]) -> float:
    """Seconds that `pauli-prop` takes for the nine angles, without noise and without the device's gates."""
    word = "".join(letter * len(places) for letter, places in qubits.items())
    places = [place for each in qubits.values() for place in each]
    observable = SparsePauliOp.from_sparse_list([(word, places, 1.0)], model.n_qubits)
    start = perf_counter()
    for kick in lattice_user.KICKS:
        circuit = QuantumCircuit(model.n_qubits)
        for _ in range(steps):
            circuit.rx(kick, range(model.n_qubits))
            for layer in lattice_layers(model):
                for edge in layer:
                    circuit.rzz(-np.pi / 2, *edge)
        propagate_through_circuit(observable, circuit, MOST_TERMS, SMALLEST, "h")
    return perf_counter() - start


def tables() -> list[Table]:
    """The table."""
    found, model, slow = (
        measured(user=USER, fleet="brisbane,fez"),
        device_model("brisbane"),
        max(1.0, slowness()),
    )
    rows = []
    for name, steps, qubits, what in (
        ("one", 20, {"Z": (lattice_user.QUBIT,)}, "⟨Z62⟩ after 20 steps"),
        ("ten", 5, lattice_user.WEIGHT_10, "weight 10 after 5 steps"),
        ("seventeen", 5, lattice_user.WEIGHT_17, "weight 17 after 5 steps"),
    ):
        ours, error = found[name]["seconds"], found[name]["error"]
        rows.append(
            Row(
                what=f"{what}, nine angles; error estimate {error:.1g}",
                ours=seconds(ours),
                other=seconds(peer(model, steps, qubits)),
                least=seconds(60 * slow),
                aim=seconds(10 * slow),
                met=ours <= 60 * slow,
            )
        )
    mitigated = found["amplified"]
    plausible = mitigated["first"] > IDEAL_ENDS[0] and abs(mitigated["last"]) < IDEAL_ENDS[1]
    rows.append(
        Row(
            what=f"149 qubits of Fez, 6 steps, 12 angles, all Z, PEA; mean of Z {mitigated['first']:.2f} at 0, {mitigated['last']:.2f} at π/2",
            ours=seconds(mitigated["seconds"]),
            least=seconds(300 * slow),
            aim=seconds(60 * slow),
            met=mitigated["seconds"] <= 300 * slow and plausible,
        )
    )
    note = (
        f"Kicked Ising model on Brisbane unless said, {lattice_user.SHOTS} shots, from `run` to `result`. Beside: `pauli-prop` without noise, in "
        f"this process, coefficients above {SMALLEST:g} and at most {MOST_TERMS:,} of them. Targets are times {slow:.2f}, as in the lattice's table."
    )
    return [Table(title="Utility experiments through the client", rows=rows, note=note)]
