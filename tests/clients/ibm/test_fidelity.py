"""Fidelity: ten circuits on three devices, by the programs of Qiskit Runtime and by the local mode of the client package.

Local mode takes most of the time: it converts the noise of the whole device for each run.
"""

from __future__ import annotations

import numpy as np
import pytest

from simulation.programs.fidelity import CIRCUITS, deviations, disagreements

DEVICES = ("algiers", "brisbane", "fez")  # 27, 127 and 156 qubits
SHOTS = 100_000


@pytest.mark.parametrize("device", DEVICES)
def test_counts_of_ten_circuits_agree_with_the_local_mode_of_the_client(device: str) -> None:
    assert len(CIRCUITS) == 10
    assert disagreements(device, list(CIRCUITS), SHOTS) == []


@pytest.mark.parametrize("device", DEVICES)
def test_expectation_values_lie_within_four_standard_errors_of_those_of_the_local_mode(device: str) -> None:
    assert (np.abs(deviations(device, SHOTS, seed=5)) < 4).all()
