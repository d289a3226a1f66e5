"""Ten circuits on a device, by Qumulus and by the local mode of the client package with the same snapshot."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import QFTGate
from qiskit.primitives.containers import BitArray
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import EstimatorV2, SamplerV2
from qiskit_ibm_runtime.fake_provider import FakeProviderForBackendV2
from qiskit_ibm_runtime.fake_provider.fake_backend import FakeBackendV2
from scipy.stats import chi2

from simulation.circuits import bell, ghz, ising, su2, volume

from .runtime import estimator, result, sampler


def fourier() -> QuantumCircuit:
    circuit = QuantumCircuit(4)
    circuit.x([0, 2])
    circuit.append(QFTGate(4), range(4))
    circuit.ry(0.4, range(4))
    circuit.measure_all()
    return circuit


def hidden_string() -> QuantumCircuit:
    """Bernstein and Vazirani's: the string 1011."""
    circuit = QuantumCircuit(5, 4)
    circuit.x(4)
    circuit.h(range(5))
    circuit.cx([0, 1, 3], [4, 4, 4])
    circuit.h(range(4))
    circuit.measure(range(4), range(4))
    return circuit


def one_excitation() -> QuantumCircuit:
    """The W state of four qubits."""
    circuit = QuantumCircuit(4)
    circuit.x(0)
    for k in range(3):
        angle = 2 * np.arccos(np.sqrt(1 / (4 - k)))
        circuit.cry(angle, k, k + 1)
        circuit.cx(k + 1, k)
    circuit.measure_all()
    return circuit


def relaxation() -> QuantumCircuit:
    """Three excited qubits that wait 60 µs."""
    circuit = QuantumCircuit(3)
    circuit.x(range(3))
    circuit.delay(60, range(3), unit="us")
    circuit.measure_all()
    return circuit


def reset_and_again() -> QuantumCircuit:
    """A qubit that is measured, reset and used again."""
    circuit = QuantumCircuit(2, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.ry(1.0, 0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [1, 2])
    return circuit


LEAST_PROBABILITY = 1e-3
AS_LOCAL_MODE = {"experimental": {"noise": "local-mode"}}

CIRCUITS: Mapping[str, Callable[[], QuantumCircuit]] = {
    "Bell": bell,
    "GHZ of 5": lambda: ghz(5),
    "SU(2) of 4": lambda: su2(4),
    "Fourier": fourier,
    "hidden string": hidden_string,
    "W state": one_excitation,
    "Ising of 5": lambda: ising(5, 3),
    "quantum volume of 3": lambda: volume(3),
    "relaxation": relaxation,
    "reset": reset_and_again,
}


@dataclass(frozen=True)
class Agreement:
    """How well two samples of one distribution agree: the probability of a chi-squared that is as large or larger."""

    circuit: str
    chi_squared: float
    degrees: int

    @property
    def probability(self) -> float:
        return float(chi2.sf(self.chi_squared, self.degrees))


def fake(device: str) -> FakeBackendV2:
    """The client package's own backend with the snapshot of a device."""
    return FakeProviderForBackendV2().backend(f"fake_{device}")


def transpiled(names: Sequence[str], backend: FakeBackendV2) -> list[QuantumCircuit]:
    found = []
    for name in names:
        circuit = CIRCUITS[name]()
        waiting = physical_waiters(backend, circuit.num_qubits) if "delay" in circuit.count_ops() else None
        manager = generate_preset_pass_manager(
            optimization_level=1, backend=backend, seed_transpiler=11, initial_layout=waiting
        )
        found.append(manager.run(circuit))
    return found


def physical_waiters(backend: FakeBackendV2, number: int) -> list[int]:
    """Qubits with T2 ≤ 2 T1: local mode raises an error where the calibration of a qubit that waits says otherwise."""
    qubits = range(backend.num_qubits)
    times = [backend.qubit_properties(qubit) for qubit in qubits]
    return [qubit for qubit in qubits if times[qubit].t2 <= 2 * times[qubit].t1][:number]


def counts_agree(device: str, names: Sequence[str], shots: int, seed: int) -> list[Agreement]:
    """The counts of circuits by both, compared."""
    backend = fake(device)
    circuits = transpiled(names, backend)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        local = SamplerV2(mode=backend, options={"simulator": {"seed_simulator": seed}})
        theirs = local.run([(circuit, None, shots) for circuit in circuits]).result()
    ours = result(sampler([(circuit, None, shots) for circuit in circuits], AS_LOCAL_MODE, device=device, seed=seed))
    return [
        compared(name, bits(mine.data), bits(other.data)) for name, mine, other in zip(names, ours, theirs, strict=True)
    ]


def disagreements(device: str, names: Sequence[str], shots: int) -> list[tuple[Agreement, Agreement]]:
    """The circuits whose counts disagree at 1e-3, and do again when they are drawn once more; both are printed."""
    found = []
    for first in counts_agree(device, names, shots, seed=5):
        if first.probability < LEAST_PROBABILITY:
            (again,) = counts_agree(device, [first.circuit], shots, seed=6)
            print(f"{device}: {first}, p = {first.probability:.2g}; again {again}, p = {again.probability:.2g}")
            if again.probability < LEAST_PROBABILITY:
                found.append((first, again))
    return found


def bits(data: Mapping[str, BitArray]) -> BitArray:
    (register,) = data.values()
    return register


def compared(name: str, first: BitArray, second: BitArray) -> Agreement:
    """Chi-squared of two samples of the same size; outcomes that came fewer than ten times in both count as one."""
    one, other = first.get_counts(), second.get_counts()
    pairs = np.array([(one.get(key, 0), other.get(key, 0)) for key in one.keys() | other.keys()], float)
    rare = pairs.sum(axis=1) < 10
    table = np.vstack([pairs[~rare], pairs[rare].sum(axis=0)]) if rare.any() else pairs
    table = table[table.sum(axis=1) > 0]
    chi_squared = float(((table[:, 0] - table[:, 1]) ** 2 / table.sum(axis=1)).sum())
    return Agreement(name, chi_squared, max(1, len(table) - 1))


OBSERVABLES = ("ZZII", "IZZI", "IIZZ", "XXII", "IYYI", "ZIIZ", "XXXX", "ZZZZ")


def deviations(device: str, shots: int, seed: int) -> np.ndarray:
    """Expectation values by both, their differences in standard errors of both together."""
    backend = fake(device)
    manager = generate_preset_pass_manager(optimization_level=1, backend=backend, seed_transpiler=11)
    circuit = manager.run(su2(4).remove_final_measurements(inplace=False))
    observables = [SparsePauliOp(label).apply_layout(circuit.layout) for label in OBSERVABLES]
    precision = 1 / np.sqrt(shots)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        local = EstimatorV2(mode=backend, options={"default_precision": precision, "seed_estimator": seed})
        theirs = local.run([(circuit, observables, None, precision)]).result()[0].data
    pub = (circuit, observables, None, precision)
    ours = result(estimator([pub], AS_LOCAL_MODE, resilience_level=0, device=device, seed=seed))[0].data
    return (ours.evs - theirs.evs) / np.hypot(ours.stds, theirs.stds)
