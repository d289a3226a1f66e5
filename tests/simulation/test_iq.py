"""Points in the plane: their bits are misread as calibrated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qumulus.simulation.devices import device_model
from qumulus.simulation.iq import overlap, plane

SHOTS = 200_000


def with_misreading(zero: float, one: float):
    model = device_model("manila")
    confusion = np.tile([[1 - zero, one], [zero, 1 - one]], (model.n_qubits, 1, 1))
    return replace(model, noise=replace(model.noise, confusion=confusion))


@pytest.mark.parametrize(
    ("zero", "one"), [(0.01, 0.03), (0.3691, 0.002), (0.0, 0.02), (0.2, 0.2), (0.02, 0.7), (0.5, 0.5)]
)
def test_bits_made_of_points_are_misread_as_calibrated(zero: float, one: float) -> None:
    where = plane(with_misreading(zero, one), [0, 3])
    random = np.random.default_rng(1)
    for state, misread in ((0, zero), (1, one)):
        states = np.full((SHOTS, 2), state, np.uint8)
        share = (where.bits(where.points(states, random)) != state).mean(axis=0)
        np.testing.assert_allclose(share, misread, atol=5 * np.sqrt(max(misread, 1e-4) / SHOTS) + 2e-3)


@pytest.mark.parametrize("name", ["brisbane", "fez", "manila"])
def test_the_overlap_of_every_qubit_is_its_readout_error(name: str) -> None:
    model = device_model(name)
    confusion = model.noise.confusion
    expected = np.stack([confusion[:, 1, 0], confusion[:, 0, 1]], axis=1)
    np.testing.assert_allclose(overlap(plane(model, range(model.n_qubits))), expected, atol=2e-3)


def test_points_of_bits_become_the_same_bits() -> None:
    where = plane(device_model("brisbane"), [5, 8])
    random = np.random.default_rng(2)
    read = random.integers(0, 2, (5_000, 2)).astype(np.uint8)
    np.testing.assert_array_equal(where.bits(where.points_of(read, random)), read)


def test_a_qubit_that_relaxes_during_the_readout_leaves_points_between_the_centres() -> None:
    where = plane(with_misreading(1e-6, 0.1), [0])
    states = np.ones((SHOTS, 1), np.uint8)
    along = ((where.points(states, np.random.default_rng(3)) - where.middles) / where.halves).real
    inner = (np.abs(along) < 0.3).mean()
    assert inner == pytest.approx(0.3 * 2 * 0.1, abs=5e-3)  # 0.3 of the line, for twice the calibrated error


def test_the_centres_are_those_of_the_device_and_the_qubit() -> None:
    first, again = (plane(device_model("fez"), [7]).middles for _ in range(2))
    assert first == again
    assert plane(device_model("fez"), [8]).middles != first
