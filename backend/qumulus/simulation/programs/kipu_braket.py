"""Amazon Braket's OpenQASM 3, in the names of stdgates.inc."""

from __future__ import annotations

import re
from typing import Any

from qumulus.simulation.errors import ProgramError

# Braket's names beside those of stdgates.inc
NAMES = {
    "i": "id",
    "si": "sdg",
    "ti": "tdg",
    "v": "sx",
    "vi": "inv @ sx",
    "cnot": "cx",
    "ccnot": "ccx",
    "phaseshift": "p",
    "cphaseshift": "cp",
}
STATEMENT = re.compile(rf"(?m)(?<![\w@])({'|'.join(NAMES)})(?=\s*[\s(][^;=]*;)")
VERSION = re.compile(r"\s*OPENQASM\s+3(\.\d+)?\s*;")


def read(given: Any, shots: int) -> list[tuple[str, int]]:
    """The programs as other readers of OpenQASM 3 take them; ``shots`` are of all of them together.

    Raises:
        ProgramError: one is none, or asks for what is not there, or the shots can't be shared evenly.
    """
    codes = given.get("qasm") if isinstance(given, dict) else given
    codes = codes if isinstance(codes, list) else [codes]
    if not codes or shots % len(codes):
        raise ProgramError(f"{shots} shots can't be shared evenly by {len(codes)} programs.")
    return [(_program(code), shots // len(codes)) for code in codes]


def _program(given: Any) -> str:
    if not isinstance(given, str):
        raise ProgramError('The input has to be the text of an OpenQASM 3 program, or several as {"qasm": […]}.')
    version = VERSION.match(given)
    if version is None:
        raise ProgramError("The program has to begin with OPENQASM 3.0;")
    if "#pragma" in given:
        raise ProgramError("The simulator reads no pragmas: measure the qubits instead of asking for result types.")
    body = STATEMENT.sub(lambda found: NAMES[found[1]], given[version.end() :])
    include = "" if "stdgates.inc" in body else 'include "stdgates.inc";'
    return f"OPENQASM 3.0;\n{include}{body}"
