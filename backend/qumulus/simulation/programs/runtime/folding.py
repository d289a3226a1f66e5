"""Noise amplification by folding: a gate on two qubits is followed by its inverse and itself, which only adds its errors."""

from __future__ import annotations

from typing import Literal

import numpy as np
from qiskit.circuit import CircuitInstruction, QuantumCircuit

from qumulus.simulation.seeds import Seed, generator

from .failures import invalid

Amplifier = Literal["gate_folding", "gate_folding_front", "gate_folding_back"]


def folded(circuit: QuantumCircuit, factor: float, amplifier: Amplifier, seed: Seed) -> QuantumCircuit:
    """The circuit with its gates on two qubits run ``factor`` times as often, as near as whole folds come to it.

    Where the factor asks for one fold more of some gates only, these are the first, the last, or drawn from the seed.

    Raises:
        ProgramError: the circuit is dynamic, or the inverse of a gate is another gate, whose errors are not the same.
    """
    if any(instruction.is_control_flow() for instruction in circuit.data):
        raise invalid(
            "Gates under a condition are not folded: use the amplifier 'pea' for dynamic circuits, or turn zne_mitigation off."
        )
    places = [k for k, instruction in enumerate(circuit.data) if _folds(instruction)]
    whole, rest = divmod(round((factor - 1) / 2 * len(places)), max(1, len(places)))
    order = {
        "gate_folding": generator(seed).permutation(len(places)),
        "gate_folding_front": np.arange(len(places)),
        "gate_folding_back": np.arange(len(places))[::-1],
    }[amplifier]
    more = {places[index] for index in order[:rest]}
    result = circuit.copy_empty_like()
    folds = set(places)
    for k, instruction in enumerate(circuit.data):
        result.append(instruction)
        if k in folds:
            inverse = instruction.operation.inverse()
            if inverse.name != instruction.name:
                raise invalid(
                    f"The gate {instruction.name} is not folded, because its inverse is another gate: "
                    "use the amplifier 'pea', or turn zne_mitigation off."
                )
            for _ in range(whole + (k in more)):
                result.append(inverse, instruction.qubits)
                result.append(instruction)
    return result


def _folds(instruction: CircuitInstruction) -> bool:
    return len(instruction.qubits) == 2 and instruction.is_standard_gate()
