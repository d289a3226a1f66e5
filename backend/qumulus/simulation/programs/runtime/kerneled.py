"""Kerneled data of a circuit's registers: points instead of bits, or both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from qiskit.circuit import QuantumCircuit

from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.iq import Bits, Points, measured, plane, with_ideal_readout
from qumulus.simulation.seeds import Seed, extend, generator

CLASSIFIED, KERNELED, AVERAGED, BOTH = "classified", "kerneled", "avg_kerneled", "both"
LEVELS = (CLASSIFIED, KERNELED, AVERAGED, BOTH)
"""What becomes of measurements: bits, points, their means over the shots, or bits and points."""

POINT_BITS = 128
"""The size of one point in a result."""

_POINTS = -3
"""The member of a seed's path for the points of a circuit."""


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """How the points of a circuit's readings come about.

    Where nothing depends on what is read, points are spread around the states that were read, and bits are made of them. In a
    dynamic circuit the bits have to be there before: points are spread around what was read.
    """

    circuit: QuantumCircuit
    model: DeviceModel
    dynamic: bool

    @classmethod
    def of(cls, circuit: QuantumCircuit, model: DeviceModel) -> Kernel:
        """The kernel of a circuit on a device."""
        return cls(circuit, model, any(line.is_control_flow() or line.name == "store" for line in circuit.data))

    @property
    def drawn_with(self) -> DeviceModel:
        """The device that the shots are drawn with."""
        return self.model if self.dynamic else with_ideal_readout(self.model)

    def registers(self, bits: Mapping[str, Bits], seed: Seed) -> tuple[dict[str, Points], dict[str, Bits]]:
        """The points of all registers, 0 where nothing was read, and the bits that they become.

        ``bits`` are the shots by register as they were drawn, shape (shots, width).
        """
        random = generator(extend(seed, _POINTS))
        qubits = measured(self.circuit)
        points, read = dict[str, Points](), dict[str, Bits]()
        for register in self.circuit.cregs:
            drawn = bits[register.name]
            places = [self.circuit.find_bit(bit).index for bit in register]
            known = [k for k, place in enumerate(places) if place in qubits]
            found, seen = np.zeros(drawn.shape, complex), drawn.copy()
            if known:
                where = plane(self.model, [qubits[places[k]] for k in known])
                spread = where.points_of if self.dynamic else where.points
                found[:, known] = spread(drawn[:, known], random)
                seen[:, known] = where.bits(found[:, known])
            points[register.name], read[register.name] = found, seen
        return points, read
