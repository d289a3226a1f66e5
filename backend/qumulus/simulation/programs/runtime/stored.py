"""Classical bits that the service does not return: what a store writes is kept while a circuit runs, and read as 0 afterwards.

Source: the guide to dynamic circuits, https://quantum.cloud.ibm.com/docs/guides/execute-dynamic-circuits, as of September 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit
from qiskit.circuit.classical import expr
from qiskit.circuit.controlflow import CONTROL_FLOW_OP_NAMES

Bits = NDArray[np.uint8]

_MAY_STORE = frozenset({"store", *CONTROL_FLOW_OP_NAMES})


def returned(circuit: QuantumCircuit, bits: Mapping[str, Bits]) -> Mapping[str, Bits]:
    """The shots by register, shape (shots, width), with 0 in bits that are stored to and never measured."""
    stored = set(_stored(circuit)) if circuit.cregs else set[Clbit]()
    if stored:
        stored -= set(_measured(circuit, circuit.clbits))
    if not stored:
        return bits
    found = {name: values.copy() for name, values in bits.items()}
    for register in circuit.cregs:
        found[register.name][:, [k for k, bit in enumerate(register) if bit in stored]] = 0
    return found


def _stored(circuit: QuantumCircuit) -> Iterator[Clbit]:
    """The bits that a store writes; those of the bodies of control flow are the circuit's own."""
    if circuit.count_ops().keys().isdisjoint(_MAY_STORE):
        return
    for line in circuit.data:
        if line.name == "store":
            target = line.operation.lvalue
            index = (
                target.index.value if isinstance(target, expr.Index) and isinstance(target.index, expr.Value) else None
            )
            variable = getattr(target.target if isinstance(target, expr.Index) else target, "var", None)
            if isinstance(variable, Clbit):
                yield variable
            elif isinstance(variable, ClassicalRegister):
                yield from variable if index is None else [variable[int(index)]]
        for block in line.operation.blocks if line.is_control_flow() else ():
            yield from _stored(block)


def _measured(circuit: QuantumCircuit, bits: Sequence[Clbit]) -> Iterator[Clbit]:
    """The bits that a measurement writes, as the whole circuit has them."""
    where = dict(zip(circuit.clbits, bits, strict=True))
    for line in circuit.data:
        if line.name.startswith("measure"):
            yield from (where[bit] for bit in line.clbits)
        for block in line.operation.blocks if line.is_control_flow() else ():
            yield from _measured(block, [where[bit] for bit in line.clbits])
