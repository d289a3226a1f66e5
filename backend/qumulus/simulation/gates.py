"""The transfer matrix of an operation on a device: the gate, then its calibrated error."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from qiskit.circuit import CircuitError, Operation
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Operator

from .devices import DeviceModel
from .errors import ProgramError
from .transfer import ROTATIONS, Matrix, from_unitary, reversed_qubits


def standard(model: DeviceModel, name: str, parameters: Sequence[float], physical: tuple[int, ...]) -> Matrix:
    """The transfer matrix of one of Qiskit's standard gates with its error on the physical qubits; shape (4^k, 4^k).

    Matrices of gates without parameters are kept in the model.
    """
    if parameters:
        return _with_error(model, ideal(name, tuple(parameters)), name, physical)
    key = (name, physical)
    found = model.transfers.get(key)
    if found is None:
        found = model.transfers[key] = _with_error(model, ideal(name, ()), name, physical)
    return found


_STANDARD = get_standard_gate_name_mapping()


@lru_cache(maxsize=4096)
def ideal(name: str, parameters: tuple[float, ...]) -> Matrix:
    """The transfer matrix of one of Qiskit's standard gates without an error; kept, and so not to be changed.

    Raises:
        KeyError: it is none.
    """
    rotation = ROTATIONS.get(name)
    if rotation is not None:
        return rotation(parameters[0])
    gate = _STANDARD[name]
    gate = type(gate)(*parameters) if parameters else gate
    return from_unitary(reversed_qubits(np.asarray(gate.to_matrix())))


def custom(model: DeviceModel, operation: Operation, physical: tuple[int, ...]) -> Matrix:
    """The transfer matrix of any other unitary operation, by its matrix or its definition.

    Raises:
        ProgramError: it has neither.
    """
    try:
        unitary = Operator(operation).data
    except (CircuitError, TypeError, ValueError) as error:
        raise ProgramError(f"The instruction {operation.name!r} is neither a gate nor defined by gates.") from error
    return _with_error(model, from_unitary(reversed_qubits(unitary)), operation.name, physical)


def _with_error(model: DeviceModel, gate: Matrix, name: str, physical: tuple[int, ...]) -> Matrix:
    error = model.error(name, physical)
    return gate if error is None else error @ gate
