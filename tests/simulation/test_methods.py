"""How near each method for wide and deep circuits comes to the exact distribution, at sizes where that is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from qumulus.core.programs import Limits
from qumulus.simulation import chains, dense
from qumulus.simulation.chain import Chain
from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import DeviceModel, device_model
from qumulus.simulation.noise import Noise
from qumulus.simulation.sampling import sample
from qumulus.simulation.tasks import Task
from qumulus.simulation.transfer import Matrix

from .accuracy import record
from .circuits import brickwork, fourier, ghz, isa, ising, ring, su2, volume
from .reference import total_variation

CIRCUITS = {
    "GHZ, 10 qubits": lambda: ghz(10),
    "SU(2) linear, three layers, 10 qubits": lambda: su2(10, 3),
    "Ising, 10 steps, 8 qubits": lambda: ising(8, 10),
    "Fourier transform, 8 qubits": lambda: fourier(8),
    "brickwork, depth 8, 8 qubits": lambda: brickwork(8, 8),
    "QAOA ring, p = 2, 8 qubits": lambda: ring(8, 2),
    "quantum volume, 6 qubits": lambda: volume(6),
}
TRAJECTORIES = [
    "GHZ, 10 qubits",
    "SU(2) linear, three layers, 10 qubits",
    "brickwork, depth 8, 8 qubits",
    "quantum volume, 6 qubits",
]
SHOTS = 200_000
SOON = 600  # a bond up to which the exact chain takes no time worth mentioning
TITLE = "total variation to the exact distribution"


class Twirled(Noise):
    """The noise of a calibration as `stabilizer` sees it: of each error channel only the diagonal."""

    def channel(self, name: str, qubits: tuple[int, ...]) -> Matrix | None:
        error = super().channel(name, qubits)
        return None if error is None else np.diag(np.diag(error))

    def relaxation(self, qubit: int, duration: float) -> Matrix:
        return np.diag(np.diag(super().relaxation(qubit, duration)))


def twirled(model: DeviceModel) -> DeviceModel:
    noise = model.noise
    assert noise is not None
    return replace(model, noise=Twirled(noise.t1, noise.t2, noise.confusion, noise.gates), transfers={})


def joint(task: Task) -> np.ndarray:
    """The exact distribution, with an axis for each measured qubit in ascending order."""
    probabilities, qubits = np.ones(()), list[int]()
    for factor in dense.contract(task.fused, task.readings):
        probabilities, qubits = np.multiply.outer(probabilities, factor.tensor), [*qubits, *factor.qubits]
    return probabilities.transpose(np.argsort(qubits))


@cache
def exactly(name: str, kind: str) -> np.ndarray:
    """The exact distribution of a circuit on a device, for all tests of it."""
    model = device_model(name)
    circuit = isa(CIRCUITS[kind](), model)
    return joint(Task(scan(circuit, model), circuit, 1, Limits(memory_bytes=2 << 30)))


def chained(task: Task, cut: float | None) -> tuple[np.ndarray, float]:
    """The same from the chain, and the trace error that a job reports."""
    laid = chains.best_plan(task, cut)
    chain = Chain.of(laid, cut, 1e8)
    measured = [qubit for qubit in laid.order if qubit in task.active.terminal]
    distribution = chain.joint().reshape((2,) * len(measured)).transpose(np.argsort(measured))
    return distribution, chain.checked_trace()


@pytest.mark.parametrize("kind", CIRCUITS)
@pytest.mark.parametrize("name", ["brisbane", "fez"])
def test_chains_and_twirls_are_as_accurate_as_documented(name: str, kind: str) -> None:
    model = device_model(name)
    circuit = isa(CIRCUITS[kind](), model)
    task = Task(scan(circuit, model), circuit, 1, Limits(memory_bytes=2 << 30))
    exact, row = exactly(name, kind), f"{kind}, {name}"

    if max(chains.best_plan(task, None).bonds()) <= SOON:
        whole = total_variation(chained(task, None)[0], exact)
        record(TITLE, row, "chain", whole)
        assert whole <= 1e-10
    else:
        record(TITLE, row, "chain", "–")

    cut, trace_error = chained(task, chains.CUT)
    record(TITLE, row, "chain-cut", total_variation(cut, exact))
    record(TITLE, row, "its trace error", trace_error)
    assert total_variation(cut, exact) <= 1e-4

    pauli = twirled(model)
    twirl = total_variation(joint(Task(scan(circuit, pauli), circuit, 1)), exact)
    record(TITLE, row, "twirled noise", twirl)
    assert twirl <= 3e-2


@pytest.mark.parametrize("name", ["brisbane", "fez"])
@pytest.mark.parametrize("kind", TRAJECTORIES)
def test_trajectories_are_as_near_as_their_shots_allow(name: str, kind: str) -> None:
    model = device_model(name)
    circuit = isa(CIRCUITS[kind](), model)
    task = Task(scan(circuit, model), circuit, SHOTS)
    exact = exactly(name, kind).reshape(-1)
    bits = sample(circuit, model, shots=SHOTS, seed=1, method="trajectories").bits["meas"]
    order = [task.active.terminal[qubit] for qubit in sorted(task.readings)]
    outcomes = bits[:, order] @ (1 << np.arange(len(order))[::-1])
    distance = total_variation(np.bincount(outcomes, minlength=len(exact)) / SHOTS, exact)
    floor = float(np.sqrt(2 * exact * (1 - exact) / (np.pi * SHOTS)).sum() / 2)
    record(f"trajectories, {SHOTS:,} shots", f"{kind}, {name}", "total variation to exact", distance)
    record(f"trajectories, {SHOTS:,} shots", f"{kind}, {name}", "expected of so many shots", floor)
    assert distance <= 1.25 * floor
