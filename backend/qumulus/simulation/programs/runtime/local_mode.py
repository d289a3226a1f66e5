"""Counts as the client package's own local mode draws them from the same seed, bit for bit; for jobs that ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qumulus.simulation import aer
from qumulus.simulation.choice import choose
from qumulus.simulation.circuits import scan
from qumulus.simulation.meter import meter
from qumulus.simulation.tasks import Task

from .conditions import Conditions
from .failures import invalid
from .pubs import SamplerPub
from .submission import Submission

NAME = "local-mode"
"""The simulation method of such a job."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The shots of one pub by register, shape (sets · shots, width), the least significant bit first."""

    bits: Mapping[str, NDArray[np.uint8]]
    metadata: Mapping[str, Any]


def sampled(pubs: Sequence[SamplerPub], under: Conditions, submission: Submission) -> list[Drawn]:
    """The shots of all pubs, in one run as local mode makes it.

    Raises:
        ProgramError: the options ask for what local mode has not, or Aer does not take a circuit.
        Refused: it is over a limit.
    """
    if under.twirled or under.decoupling is not None:
        raise invalid(
            "The client's local mode has no twirling and no dynamical decoupling: turn them off, or leave "
            f"simulation_method {NAME!r} away."
        )
    needed = 0.0
    for pub in pubs:
        if not under.model.ideal:
            active = scan(pub.circuit, under.model)
            for binding in pub.bindings()[:1]:
                chosen = choose(Task(active, pub.circuit, pub.shots, submission.limits, binding), aer.METHOD.name)
                chosen.check(prod(pub.shape))
                needed = max(needed, chosen.estimates[aer.METHOD.name].memory_bytes)
    start = perf_counter()
    given: Any = [(pub.circuit, pub.values, pub.shots) for pub in pubs]  # Qiskit coerces more than its types name
    with meter().method(needed):
        found: Any = aer.sample_like_local_mode(given, under.model, default_shots=1, seed=under.seed)
    metadata = {
        "method": NAME,
        "engine": aer.METHOD.engine,
        "approximation": None,
        "accuracy": {},
        "seconds": meter().since(start),
    }
    return [Drawn({name: _unpacked(array) for name, array in result.data.items()}, metadata) for result in found]


def _unpacked(array: Any) -> NDArray[np.uint8]:
    """The bits of a BitArray; shape (sets · shots, width)."""
    bits = np.unpackbits(array.array[..., ::-1], axis=-1, bitorder="little", count=array.num_bits)
    return bits.reshape(-1, array.num_bits)
