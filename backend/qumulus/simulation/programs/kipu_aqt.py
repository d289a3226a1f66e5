"""AQT's circuits, as its cloud describes them, in OpenQASM 3. All angles are in units of pi."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qumulus.simulation.errors import ProgramError

MOST_QUBITS = 64
MEASURE = "MEASURE"


def read(given: Any, _shots: int) -> list[tuple[str, int]]:
    """The circuits with their repetitions, each with all qubits measured.

    Raises:
        ProgramError: they can't be read.
    """
    payload = given.get("payload") if isinstance(given, dict) else None
    circuits = payload.get("circuits") if isinstance(payload, dict) else None
    if not isinstance(circuits, list):
        raise ProgramError("The input has to be an object with payload.circuits, a list.")
    return [(_circuit(each), _whole(each, "repetitions", 1_000_000)) for each in circuits]


def _circuit(each: Any) -> str:
    qubits = _whole(each, "number_of_qubits", MOST_QUBITS)
    operations = each.get("quantum_circuit")
    if not isinstance(operations, list) or not operations or _name(operations[-1]) != MEASURE:
        raise ProgramError("quantum_circuit has to be a list of operations, MEASURE the last of them.")
    gates = [line for operation in operations[:-1] for line in _gate(operation, qubits)]
    return "\n".join(
        ["OPENQASM 3;", 'include "stdgates.inc";', f"qubit[{qubits}] q;", f"bit[{qubits}] c;", *gates, "c = measure q;"]
    )


def _gate(operation: Any, qubits: int) -> list[str]:
    name = _name(operation)
    if name == "RZ":
        return [f"rz({_angle(operation, 'phi')}) q[{_qubit(operation.get('qubit'), qubits)}];"]
    if name == "R":
        theta, phi = _angle(operation, "theta"), _angle(operation, "phi")
        place = f"q[{_qubit(operation.get('qubit'), qubits)}]"
        return [f"U({theta}, {phi} - pi / 2, pi / 2 - ({phi})) {place};"]
    if name == "RXX":
        both = operation.get("qubits")
        if not isinstance(both, list) or len(both) != 2 or both[0] == both[1]:
            raise ProgramError("The operation RXX needs qubits, two of them.")
        first, second = (f"q[{_qubit(each, qubits)}]" for each in both)
        around = [f"h {first};", f"h {second};"]
        turned = [f"cx {first}, {second};", f"rz({_angle(operation, 'theta')}) {second};", f"cx {first}, {second};"]
        return [*around, *turned, *around]
    raise ProgramError(f"The simulator knows no operation {name[:40]!r}: it has RZ, R, RXX and, at the end, MEASURE.")


def _name(operation: Any) -> str:
    return str(operation.get("operation")) if isinstance(operation, dict) else str(operation)


def _angle(operation: Mapping[str, Any], name: str) -> str:
    value = operation.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ProgramError(f"An operation needs {name}, an angle in units of pi.")
    return f"{value!r} * pi"


def _qubit(value: Any, qubits: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < qubits:
        raise ProgramError(f"An operation has to name qubits from 0 to {qubits - 1}.")
    return value


def _whole(each: Any, name: str, most: int) -> int:
    value = each.get(name) if isinstance(each, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ProgramError(f"Each circuit needs {name}, a number from 1 to {most}.")
    return value
