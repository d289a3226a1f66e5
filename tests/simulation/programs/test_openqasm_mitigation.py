"""Readout mitigation, against the confusion that the calibration tells."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit

from qumulus.simulation.devices import device_model
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.programs.openqasm_mitigation import mitigate

KAWASAKI = device_model("kawasaki")
SHOTS = 1_000_000


def measured(*qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(127, len(qubits))
    for bit, qubit in enumerate(qubits):
        circuit.measure(qubit, bit)
    return circuit


def read(true: dict[str, float], qubits: tuple[int, ...]) -> dict[str, int]:
    """The counts to which the device's reading turns a true distribution, without the noise of shots."""
    assert KAWASAKI.noise is not None
    whole = np.eye(1)
    for qubit in reversed(qubits):  # the last bit stands left
        whole = np.kron(whole, KAWASAKI.noise.confusion[qubit])
    vector = np.zeros(2 ** len(qubits))
    for key, share in true.items():
        vector[int(key, 2)] = share
    counts = np.rint(whole @ vector * SHOTS).astype(int)
    return {format(outcome, f"0{len(qubits)}b"): int(count) for outcome, count in enumerate(counts) if count}


@pytest.mark.parametrize("method", ["pseudo_inverse", "least_square"])
@pytest.mark.parametrize(
    ("true", "qubits"),
    [({"1": 1.0}, (5,)), ({"00": 0.5, "11": 0.5}, (0, 1)), ({"001": 0.2, "110": 0.8}, (3, 90, 41))],
)
def test_the_true_distribution_comes_back(true: dict[str, float], qubits: tuple[int, ...], method: str) -> None:
    mitigated = mitigate(read(true, qubits), measured(*qubits), KAWASAKI, method)
    assert abs(sum(mitigated.values()) - SHOTS) <= 2 ** len(qubits)
    for key, share in true.items():
        assert mitigated[key] == pytest.approx(share * SHOTS, abs=50)


def test_a_blank_between_registers_stays() -> None:
    circuit = QuantumCircuit(127)
    for name in ("a", "b"):
        circuit.add_register(ClassicalRegister(1, name))
    circuit.measure(0, 0)
    circuit.measure(1, 1)
    mitigated = mitigate({"0 0": 480, "1 0": 20, "1 1": 500}, circuit, KAWASAKI, "least_square")
    assert set(mitigated) <= {"0 0", "0 1", "1 0", "1 1"}
    assert sum(mitigated.values()) == 1000


def test_without_a_method_or_without_noise_counts_stay() -> None:
    counts = {"0": 3, "1": 7}
    assert mitigate(counts, measured(0), KAWASAKI, "none") == counts
    assert mitigate(counts, measured(0), device_model("qulacs"), "least_square") == counts


def test_what_cannot_be_mitigated_is_refused() -> None:
    twice = measured(0)
    twice.measure(1, 0)
    with pytest.raises(ProgramError, match="measured once"):
        mitigate({"0": 1}, twice, KAWASAKI, "pseudo_inverse")
    with pytest.raises(ProgramError, match="limit of mitigation"):
        mitigate({"0" * 21: 1}, measured(*range(21)), KAWASAKI, "pseudo_inverse")
    with pytest.raises(ProgramError, match="not known here"):
        mitigate({"0": 1}, measured(0), KAWASAKI, "magic")
