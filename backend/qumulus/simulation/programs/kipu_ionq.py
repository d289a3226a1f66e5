"""IonQ's circuits (`ionq.circuit.v1`), as its API describes them, in OpenQASM 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qumulus.simulation.errors import ProgramError

GATES = {
    "h": "h",
    "x": "x",
    "not": "x",
    "cnot": "x",
    "y": "y",
    "z": "z",
    "s": "s",
    "si": "sdg",
    "t": "t",
    "ti": "tdg",
    "v": "sx",
    "vi": "inv @ sx",
    "rx": "rx",
    "ry": "ry",
    "rz": "rz",
    "swap": "swap",
}
ROTATIONS = frozenset({"rx", "ry", "rz"})
MOST_QUBITS = 64


def read(given: Any, shots: int) -> list[tuple[str, int]]:
    """The circuit in OpenQASM 3, with all qubits measured, and its shots.

    Raises:
        ProgramError: it can't be read.
    """
    if not isinstance(given, dict) or not isinstance(given.get("circuit"), list):
        raise ProgramError("The input has to be an object with gateset, qubits and circuit.")
    if given.get("gateset", "qis") != "qis":
        raise ProgramError("The simulator reads the gateset qis only.")
    qubits = _qubits(given)
    gates = [_gate(each, qubits) for each in given["circuit"]]
    code = "\n".join(
        ["OPENQASM 3;", 'include "stdgates.inc";', f"qubit[{qubits}] q;", f"bit[{qubits}] c;", *gates, "c = measure q;"]
    )
    return [(code, shots)]


def _qubits(given: Mapping[str, Any]) -> int:
    qubits = given.get("qubits")
    if not isinstance(qubits, int) or isinstance(qubits, bool) or not 1 <= qubits <= MOST_QUBITS:
        raise ProgramError(f"qubits has to be a number from 1 to {MOST_QUBITS}.")
    return qubits


def _gate(each: Any, qubits: int) -> str:
    name = each.get("gate") if isinstance(each, dict) else None
    if name not in GATES:
        raise ProgramError(f"The simulator knows no gate {str(name)[:40]!r}: it has {', '.join(GATES)}.")
    controls = _indices(each, "control", "controls", qubits)
    targets = _indices(each, "target", "targets", qubits)
    angle = ""
    if name in ROTATIONS:
        rotation = each.get("rotation")
        if not isinstance(rotation, int | float) or isinstance(rotation, bool):
            raise ProgramError(f"The gate {name} needs a rotation, in radians.")
        angle = f"({rotation!r})"
    control = f"ctrl({len(controls)}) @ " if controls else ""
    operands = ", ".join(f"q[{index}]" for index in (*controls, *targets))
    return f"{control}{GATES[name]}{angle} {operands};"


def _indices(each: Mapping[str, Any], one: str, several: str, qubits: int) -> list[int]:
    found = each.get(several) or ([each[one]] if each.get(one) is not None else [])
    if not isinstance(found, list) or not all(type(index) is int and 0 <= index < qubits for index in found):
        raise ProgramError(f"{several} has to name qubits from 0 to {qubits - 1}.")
    return found
