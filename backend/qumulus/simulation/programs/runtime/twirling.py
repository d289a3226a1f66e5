"""Pauli twirling of gates and measurements.

Each randomization surrounds a Clifford gate by Paulis that undo each other and that the neighbouring one-qubit gates take
in, so they add no error; it turns the gate's error channel E into P E P. Over all randomizations the channel becomes its
diagonal in the Pauli basis. A measurement is twirled by an X before it and a flip of the bit after it. The simulation
uses these averages: every shot is a randomization of its own, the limit that randomizations of several shots approach.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

LEAST_SHOTS = 64
USUAL_NUMBER = 32

Count = int | Literal["auto"]


@dataclass(frozen=True, slots=True)
class Randomizations:
    """How many random circuits stand for one, and how many shots each of them takes."""

    number: int
    shots: int


def randomizations(shots: int, number: Count, each: Count) -> Randomizations:
    """Divide shots as the service does: what is "auto" follows from what is not.

    The shots of a pub are always obeyed: where both numbers together are fewer, there are more randomizations.
    """
    if each == "auto":
        each = max(LEAST_SHOTS, ceil(shots / USUAL_NUMBER)) if number == "auto" else ceil(shots / number)
    needed = ceil(shots / each)
    return Randomizations(needed if number == "auto" else max(number, needed), each)


def product(number: Count, each: Count) -> int | None:
    """The shots that both numbers ask for together; they precede the default number of shots, as in the service."""
    return None if number == "auto" or each == "auto" else number * each
