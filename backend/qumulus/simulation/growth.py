"""How the bonds of a chain will grow, and what it takes to compress them, before that is done.

Where no two qubits have more than one gate, the products of the gates that cross a bond do not cancel: the bond becomes as
wide as there are products above the cut. They are counted by the logarithms of their sizes, as a histogram.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from .transfer import GROUND, Matrix

_BINS = 100


def work(bonds: Sequence[float]) -> float:
    """About how many multiplications compressing takes; ``bonds`` with the outermost, of one."""
    left, right = np.array(bonds[:-1], float), np.array(bonds[1:], float)
    return float(len(GROUND) * (left * right * np.maximum(left, right)).sum())


class Crossing(Protocol):
    """A gate of a chain: between which places, and how large its products are, the largest first."""

    @property
    def places(self) -> tuple[int, int]: ...

    @property
    def sizes(self) -> Matrix: ...


@dataclass(eq=False)
class Growth:
    """The growth of so many bonds by batches of gates, with a relative ``cut``."""

    batches: Sequence[Sequence[Crossing]]
    n_bonds: int
    cut: float

    @cached_property
    def products(self) -> Matrix:
        """How many products across each bond are above the cut, after each batch of gates; shape (batches, bonds)."""
        histogram = np.zeros((self.n_bonds, _BINS))
        histogram[:, 0] = 1.0
        found = list[Matrix]()
        for batch in self.batches:
            for gate in batch:
                crossed = histogram[slice(*gate.places)]
                longer = np.zeros_like(crossed)
                for shift in np.rint(np.log(gate.sizes / gate.sizes[0]) / np.log(self.cut) * _BINS).astype(int):
                    if shift < _BINS:
                        longer[:, shift:] += crossed[:, : _BINS - shift]
                crossed[:] = longer
            found.append(histogram.sum(axis=1))
        return np.array(found)

    def work_after(self, number: int, bonds: Sequence[int]) -> float:
        """The work of compressing after so many batches, if bonds, which are now these, grow on as the products do."""
        now = np.array(bonds) / self.products[number - 1]
        return sum(work([1.0, *grown, 1.0]) for grown in self.products[number:] * now)
