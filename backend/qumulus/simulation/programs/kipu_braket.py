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


def read(given: Any) -> str:
    """The program as other readers of OpenQASM 3 take it.

    Raises:
        ProgramError: it is not one program, or asks for what is not there.
    """
    if isinstance(given, dict) and isinstance(given.get("qasm"), list) and len(given["qasm"]) == 1:
        given = given["qasm"][0]
    if not isinstance(given, str):
        raise ProgramError("The input has to be the text of one OpenQASM 3 program.")
    version = VERSION.match(given)
    if version is None:
        raise ProgramError("The program has to begin with OPENQASM 3.0;")
    if "#pragma" in given:
        raise ProgramError("The simulator reads no pragmas: measure the qubits instead of asking for result types.")
    body = STATEMENT.sub(lambda found: NAMES[found[1]], given[version.end() :])
    include = "" if "stdgates.inc" in body else 'include "stdgates.inc";'
    return f"OPENQASM 3.0;\n{include}{body}"
