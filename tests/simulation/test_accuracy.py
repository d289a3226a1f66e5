"""The exact methods against Aer's density matrix: total variation at most 1e-6 on four devices."""

from __future__ import annotations

import numpy as np
import pytest

from qumulus.simulation.branches import Evolution
from qumulus.simulation.circuits import scan
from qumulus.simulation.dense import contract
from qumulus.simulation.devices import device_model
from qumulus.simulation.sampling import sample
from qumulus.simulation.tasks import Task

from .circuits import STATIC, isa, teleportation
from .reference import distribution, total_variation

DEVICES = ("brisbane", "fez", "kingston", "manila")
SIZES = (2, 3, 5, 8)
BOUND = 1e-6


def by_value(tensor: np.ndarray, qubits: list[int], terminal: dict[int, int]) -> np.ndarray:
    """A tensor with an axis a qubit as probabilities of the classical value."""
    order = sorted(range(len(qubits)), key=lambda axis: -terminal[qubits[axis]])
    return tensor.transpose(order).reshape(-1)


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("kind", STATIC)
def test_exact_methods_agree_with_the_density_matrix(name: str, kind: str) -> None:
    model = device_model(name)
    for n_qubits in (size for size in SIZES if size <= model.n_qubits):
        circuit = isa(STATIC[kind](n_qubits), model)
        task = Task(scan(circuit, model), circuit, 1)
        expected = distribution(circuit, model)

        joint, qubits = np.ones(()), list[int]()
        for factor in contract(task.fused, task.readings):
            joint, qubits = np.multiply.outer(joint, factor.tensor), [*qubits, *factor.qubits]
        assert total_variation(by_value(joint, qubits, task.active.terminal), expected) <= BOUND

        _, states = Evolution(task.active, {}, 1e9).run(task.readings)
        assert total_variation(by_value(states[0], sorted(task.readings), task.active.terminal), expected) <= BOUND


@pytest.mark.parametrize("name", ["brisbane", "kingston"])
def test_feed_forward_agrees_with_aer_shot_by_shot(name: str) -> None:
    model = device_model(name)
    circuit = isa(teleportation(), model)
    shots = 20_000
    ours = sample(circuit, model, shots=1_000_000, seed=1, method="branches").counts()
    theirs = sample(circuit, model, shots=shots, seed=2, method="aer").counts()
    chi_squared = sum((theirs.get(k, 0) - shots * n / 1e6) ** 2 / (shots * n / 1e6) for k, n in ours.items())
    assert chi_squared < 24.3  # seven degrees of freedom; one seed in a thousand is worse
