"""The program of a job of the Kipu Quantum Hub: an input in its provider's format, run as OpenQASM.

The payload is `{"format", "input", "parameters"}`; the result is that of `openqasm`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from qumulus.core.programs import Program
from qumulus.core.results import Outcome
from qumulus.simulation.errors import ProgramError

from . import kipu_braket, kipu_ionq, openqasm


def run(program: Program, log: openqasm.Log) -> Outcome:
    """Run a job.

    Raises:
        ProgramError: the input can't be read, does not fit the device, or measures nothing.
        Refused: over a limit by its estimate.
    """
    given = json.loads(program.payload)
    if given["parameters"].get("mode") not in (None, "sample"):
        raise ProgramError("The simulator runs in the mode sample only: measure the qubits.")
    if given["format"] not in READERS:
        raise ProgramError(f"The backend reads another format: {', '.join(READERS)} are read, each by its own backend.")
    code = READERS[given["format"]](given["input"])
    return openqasm.run(replace(program, payload=json.dumps({"code": code}).encode()), log)


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ProgramError("The input has to be the text of an OpenQASM 2 program.")
    return given


READERS: Mapping[str, Callable[[Any], str]] = {
    "OPEN_QASM_V2": _text,
    "BRAKET_OPEN_QASM_V3": kipu_braket.read,
    "IONQ_CIRCUIT_V1": kipu_ionq.read,
}
