"""The program of a job of the Kipu Quantum Hub: circuits in their provider's format, run as OpenQASM.

The payload is a `CircuitsInput`; the result is
`{"circuits": […]}` with, for each circuit, `{"shots", "counts"}` in Qiskit's order of bits, or what `kipu_amplitudes` gives.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from qumulus.core.programs import Program
from qumulus.core.results import Log, Outcome
from qumulus.payloads import CIRCUITS
from qumulus.payloads.openqasm import OpenQasmTask
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.seeds import extend, integer

from . import kipu_amplitudes, kipu_aqt, kipu_braket, kipu_ionq, openqasm

Circuits = Sequence[tuple[str, int]]  # programs in OpenQASM, each with its shots
MOST_SHOTS = 100_000  # of one circuit


def run(program: Program, log: Log) -> Outcome:
    """Run a job.

    Raises:
        ProgramError: the input can't be read, does not fit the device, or measures nothing.
        Refused: over a limit by its estimate.
    """
    given = CIRCUITS.decode(program.payload)
    if given.format is None or given.format not in READERS:
        raise ProgramError(f"The backend reads another format: {', '.join(READERS)} are read, each by its own backend.")
    circuits = READERS[given.format](given.input, program.shots or 1)
    if not 1 <= len(circuits) <= given.most:
        raise ProgramError(f"The job has {len(circuits)} circuits: the backend takes from 1 to {given.most}.")
    mode = given.parameters.get("mode") or "sample"
    if mode != "sample":
        ((code, _),) = circuits
        return kipu_amplitudes.run(code, mode, given.parameters.get("bitstrings"), program.limits)
    return _sampled(program, circuits, log)


def _sampled(program: Program, circuits: Circuits, log: Log) -> Outcome:
    results, metadata, seconds = [], [], 0.0
    for index, (code, shots) in enumerate(circuits):
        if not 1 <= shots <= MOST_SHOTS:
            raise ProgramError(f"Circuit {index} asks for {shots} shots: ask for 1 to {MOST_SHOTS}.")
        seed = program.seed if program.seed is None or len(circuits) == 1 else integer(extend(program.seed, index))
        one = replace(program, payload=OpenQasmTask.of({"code": code}).encode(), shots=shots, seed=seed)
        outcome = openqasm.run(one, log)
        results.append({"shots": shots, "counts": json.loads(outcome.result)["counts"]})
        metadata.append(outcome.metadata)
        seconds += outcome.run_seconds or 0.0
    return Outcome(
        result=json.dumps({"circuits": results}, separators=(",", ":")).encode(),
        metadata=metadata[0] if len(metadata) == 1 else {"circuits": metadata},
        run_seconds=seconds,
    )


def _texts(given: Any, shots: int) -> Circuits:
    """OpenQASM 2: one program, or several, each with all the shots."""
    codes = given.get("qasm") if isinstance(given, dict) else [given]
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise ProgramError('The input has to be the text of an OpenQASM 2 program, or several as {"qasm": […]}.')
    return [(code, shots) for code in codes]


READERS: Mapping[str, Callable[[Any, int], Circuits]] = {
    "OPEN_QASM_V2": _texts,
    "BRAKET_OPEN_QASM_V3": kipu_braket.read,
    "IONQ_CIRCUIT_V1": kipu_ionq.read,
    "AQT_JOB_INPUT_V1": kipu_aqt.read,
}
