"""The target that the worker builds, against the client package's own."""

from __future__ import annotations

import pytest
from qiskit_ibm_runtime.fake_provider import FakeBrisbane, FakeFez, FakeFractionalBackend, FakePrague

from qumulus.simulation.devices import device_model

BACKENDS = {"brisbane": FakeBrisbane, "fez": FakeFez, "fractional": FakeFractionalBackend, "prague": FakePrague}


@pytest.mark.parametrize("name", BACKENDS)
def test_the_target_is_the_one_that_the_client_builds(name: str) -> None:
    ours, theirs = device_model(name).target, BACKENDS[name]().target
    assert set(ours.operation_names) == set(theirs.operation_names)
    assert (ours.num_qubits, ours.granularity, ours.dt) == (theirs.num_qubits, theirs.granularity, theirs.dt)
    for one, other in zip(ours.qubit_properties, theirs.qubit_properties, strict=True):
        assert (one.t1, one.t2, one.frequency) == pytest.approx((other.t1, other.t2, other.frequency))
    for operation in theirs.operation_names:
        one, other = ours[operation], theirs[operation]
        assert one.keys() == other.keys(), operation
        for qubits, expected in other.items():
            if expected is None:
                assert one[qubits] is None
            else:
                assert (one[qubits].error, one[qubits].duration) == pytest.approx((expected.error, expected.duration))
