"""A small part of the comparison with the client's local mode; all of it is in `tests/clients/ibm/test_fidelity.py`."""

from __future__ import annotations

import numpy as np
from qiskit.primitives.containers import BitArray

from qumulus.simulation.devices import device_model
from simulation.circuits import bell, isa

from .fidelity import LEAST_PROBABILITY, compared, deviations, disagreements
from .runtime import result, sampler


def test_counts_agree_with_the_local_mode_of_the_client() -> None:
    assert disagreements("manila", ["Bell", "SU(2) of 4", "relaxation", "reset"], shots=20_000) == []


def test_expectation_values_agree_with_the_local_mode_of_the_client() -> None:
    assert (np.abs(deviations("manila", shots=20_000, seed=5)) < 4).all()


def test_the_comparison_finds_a_bit_that_is_flipped_in_two_shots_of_a_hundred() -> None:
    bits = result(sampler([(isa(bell(), device_model("manila")), None, 20_000)], device="manila"))[0].data.meas
    flips = (np.random.default_rng(1).random(bits.array.shape) < 0.02).astype(np.uint8)
    assert compared("Bell", bits, BitArray(bits.array ^ flips, bits.num_bits)).probability < LEAST_PROBABILITY
