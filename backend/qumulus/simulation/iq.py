"""Kerneled measurements: the point in the plane of quadratures that each readout leaves, before it becomes a bit.

A dispersive readout turns the probe by another angle for |0⟩ than for |1⟩: two centres on the unit circle, at places that
a device and a qubit have for good. Noise spreads the points around them as a Gaussian of the deviation σ, and a point
becomes the bit of the nearer centre, so that points of either state are misread with the probability

    ε = Φ(−d / 2σ),     d the distance of the centres.

ε is the smaller one of the two calibrated misreading probabilities. What the larger one, e, has beyond it comes from the
qubit leaving its state during the readout, usually |1⟩ by relaxation: with the probability p = (e − ε) / (1/2 − ε) the
point stands for a mixture of both states, at a place between the centres that says when it left, and half of these are
misread. So bits made of the points are misread as calibrated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from scipy.special import ndtr, ndtri

from .devices import DeviceModel
from .seeds import generator
from .transfer import Matrix

Points = NDArray[np.complex128]
Bits = NDArray[np.uint8]

_LEAST, _MOST = 1e-9, 0.499
_ANGLES = np.radians([60.0, 120.0])
"""Between the two states, at least and at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Where the points of some measured qubits lie.

    ``middles`` and ``halves``, shape (n,): the centre of the state s is middle + (2 s − 1) half. ``errors``, shape (n,), is ε;
    ``leaving`` and ``lost``, shape (n, 2), how probably each state is left during the readout and at its very begin.
    """

    middles: Points
    halves: Points
    errors: Matrix
    leaving: Matrix
    lost: Matrix

    def points(self, states: Bits, random: np.random.Generator) -> Points:
        """The points of qubits that were in these states; shape (shots, n)."""
        state = states.astype(int)
        column = np.arange(state.shape[1])
        place = 2.0 * state - 1.0
        left = random.random(state.shape)
        lost = self.lost[column, state]
        place = np.where(left < lost, -place, place)
        mixed = (left >= lost) & (left < lost + self.leaving[column, state])
        place = np.where(mixed, random.uniform(-1.0, 1.0, state.shape), place)
        return self._spread(place + random.standard_normal(state.shape) / self._width, random)

    def points_of(self, read: Bits, random: np.random.Generator) -> Points:
        """Points that become these bits, of qubits that were in the states that the bits say; shape (shots, n)."""
        within = ndtri(self.errors + (1.0 - self.errors) * random.random(read.shape))
        return self._spread((2.0 * read - 1.0) * (1.0 + within / self._width), random)

    def bits(self, points: Points) -> Bits:
        """The bit of the nearer centre of each point."""
        return (((points - self.middles) / self.halves).real > 0).astype(np.uint8)

    @property
    def _width(self) -> Matrix:
        """Half the distance of the centres, in deviations."""
        return -ndtri(self.errors)

    def _spread(self, along: Matrix, random: np.random.Generator) -> Points:
        """Points at a place on the line through the centres, spread across it."""
        across = random.standard_normal(along.shape) / self._width
        return self.middles + self.halves * (along + 1j * across)


def plane(model: DeviceModel, qubits: Sequence[int]) -> Plane:
    """Where the points of physical qubits lie; without noise the centres hardly spread."""
    turns = np.array([generator((crc32(model.name.encode()), qubit)).random(2) for qubit in qubits]).reshape(-1, 2)
    first = np.exp(2j * np.pi * turns[:, 0])
    second = first * np.exp(1j * (_ANGLES[0] + turns[:, 1] * (_ANGLES[1] - _ANGLES[0])))
    confusion = np.tile(np.eye(2), (len(qubits), 1, 1)) if model.noise is None else model.noise.confusion[list(qubits)]
    misread = np.stack([confusion[:, 1, 0], confusion[:, 0, 1]], axis=1)  # of the states 0 and 1
    errors = misread.min(axis=1, initial=_MOST).clip(_LEAST, _MOST)
    beyond = (misread.clip(0.0, 1.0) - errors[:, None]).clip(0.0)
    lost = ((misread - 0.5) / (0.5 - errors[:, None])).clip(0.0, 1.0)
    leaving = np.where(lost > 0, 1.0 - lost, beyond / (0.5 - errors[:, None]))
    return Plane((first + second) / 2, (second - first) / 2, errors, leaving, lost)


def overlap(plane: Plane) -> Matrix:
    """The probabilities of misreading 0 and 1 that the points of a plane have; shape (n, 2)."""
    error = ndtr(-plane._width)[:, None]
    return plane.lost * (1 - error) + plane.leaving / 2 + (1 - plane.lost - plane.leaving) * error


def measured(circuit: QuantumCircuit) -> dict[int, int]:
    """The qubit that is read last into each classical bit, as far as the bit is not read under a condition."""
    return {
        circuit.find_bit(line.clbits[0]).index: circuit.find_bit(line.qubits[0]).index
        for line in circuit.data
        if line.name.startswith("measure")
    }


def with_ideal_readout(model: DeviceModel) -> DeviceModel:
    """The same device, whose readings are the states that were read: for points that are spread afterwards."""
    if model.noise is None:
        return model
    sure = np.tile(np.eye(2), (model.n_qubits, 1, 1))
    return replace(model, noise=replace(model.noise, confusion=sure))
