"""Readout errors of neighbours that come together, which the calibration of one qubit after the other does not see.

Qubits are read through resonators that share a line, and what disturbs one of them disturbs its neighbours (S. Bravyi et al.,
Phys. Rev. A 103, 042605, 2021; F. Maciejewski et al., Quantum 5, 464, 2021). Each qubit keeps its calibrated probabilities of being
misread. That neighbours are misread in the same shot is more probable than by chance: a reading is wrong where a hidden
normal variable is below the quantile of its probability, and the variables of neighbours have the correlation `CORRELATION`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from scipy.special import ndtri

from .copula import completed
from .devices import DeviceModel
from .seeds import Seed, extend, generator
from .transfer import Matrix

CORRELATION = 0.4
"""Of the hidden variables of neighbours, on average. Two that are misread once in fifty shots are then misread together five
times as often as by chance."""

_SPREAD = 0.1
_MISREADINGS = -6
"""The member of a seed's path for who is misread."""

_MOST_ROWS = 8192  # of normal variables in memory at once

Bits = NDArray[np.uint8]


def correlation(model: DeviceModel, qubits: list[int]) -> Matrix:
    """The correlations of the hidden variables of these qubits, which are theirs for good; shape (n, n)."""
    noise = model.noise
    place = {qubit: index for index, qubit in enumerate(qubits)}
    coupled = set() if noise is None else {tuple(sorted(pair)) for _, pair in noise.gates if len(pair) == 2}
    pairs = sorted((a, b) for a, b in coupled if a in place and b in place)
    character = 0 if noise is None else noise.character
    values = [
        CORRELATION + _SPREAD * float(generator((character, -_MISREADINGS, *pair)).uniform(-1.0, 1.0)) for pair in pairs
    ]
    where = np.array([(place[a], place[b]) for a, b in pairs], np.int64).reshape(-1, 2)
    return completed(len(qubits), where, np.array(values))


def misread(bits: Mapping[str, Bits], circuit: QuantumCircuit, model: DeviceModel, seed: Seed) -> dict[str, Bits]:
    """The registers as they are read; ``bits`` are the states that were read, shape (shots, width) each.

    A qubit that is read several times is misread independently but for the last time.
    """
    noise = model.noise
    last, earlier = _readings(circuit)
    if noise is None or not (last or earlier):
        return dict(bits)
    random, shots = generator(extend(seed, _MISREADINGS)), len(next(iter(bits.values())))
    read = {name: each.copy() for name, each in bits.items()}
    root = np.linalg.cholesky(correlation(model, list(last.values())) + 1e-9 * np.eye(len(last)))
    sources = [(bit, qubit) for bit, qubit in last.items()] + list(earlier.items())
    places = {
        circuit.find_bit(bit).index: (register.name, index)
        for register in circuit.cregs
        for index, bit in enumerate(register)
    }
    thresholds = ndtri(np.array([[noise.confusion[q, 1, 0], noise.confusion[q, 0, 1]] for _, q in sources]).clip(0, 1))
    for start in range(0, shots, _MOST_ROWS):
        rows = slice(start, min(shots, start + _MOST_ROWS))
        hidden = random.standard_normal((rows.stop - start, len(sources)))
        hidden[:, : len(last)] = hidden[:, : len(last)] @ root.T
        for column, (bit, _) in enumerate(sources):
            name, index = places[bit]
            values = read[name][rows, index]
            values ^= hidden[:, column] < thresholds[column, values]
    return read


def _readings(circuit: QuantumCircuit) -> tuple[dict[int, int], dict[int, int]]:
    """The qubit that each bit reads: of those that read their qubit last, and of all others."""
    qubits, bits = dict[int, int](), dict[int, int]()
    for line in circuit.data:
        if line.name.startswith("measure"):
            qubit, bit = circuit.find_bit(line.qubits[0]).index, circuit.find_bit(line.clbits[0]).index
            qubits[qubit] = bit
            bits[bit] = qubit
    last = {bit: qubit for bit, qubit in bits.items() if qubits[qubit] == bit}
    return last, {bit: qubit for bit, qubit in bits.items() if bit not in last}
