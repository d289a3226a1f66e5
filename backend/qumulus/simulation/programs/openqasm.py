"""The program of an OQTOPUS task: OpenQASM text, placed on a device, run, and given back as JSON.

The payload is an `OpenQasmTask`; the result is `{"counts", "transpiled_code", "qubit_allocation"}`, where the
allocation names, for each qubit of the program, the qubit of the device that it took.
"""

from __future__ import annotations

import json
from time import perf_counter
from typing import Any

from qiskit import qasm3

from qumulus.core.programs import Program
from qumulus.core.results import Log, Outcome, Severity
from qumulus.payloads import OPENQASM_TASK
from qumulus.simulation.drifting import device_now, shots_of
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.seeds import fresh

from .openqasm_gates import write_out
from .openqasm_mitigation import mitigate
from .openqasm_placement import USUAL_SEED, place
from .openqasm_text import read


def run(program: Program, log: Log) -> Outcome:
    """Run a task.

    Without a seed the job's counts, which is the same in each attempt; the transpiler's is always the same, so that one
    seed fixes all counts.

    Raises:
        ProgramError: the program cannot be read, does not fit the device, or measures nothing.
        Refused: over a limit by its estimate.
    """
    start = perf_counter()
    task = OPENQASM_TASK.decode(program.payload)
    model = device_now(program)
    seed = program.seed if task.seed_simulation is None else task.seed_simulation
    if seed is None:
        seed = fresh()
    circuit = write_out(read(task.code, most_qubits=program.limits.qubits))
    if not any(instruction.clbits for instruction in circuit.data):
        raise ProgramError("The program measures nothing: assign at least one measurement to a bit.")
    placed = place(
        circuit,
        model,
        allocation=None if model.ideal else task.qubit_allocation,
        transpile=not task.skip_transpilation,
        seed=USUAL_SEED if task.seed_transpilation is None else task.seed_transpilation,
    )
    log(f"Placed on {program.device} after {perf_counter() - start:.3f} s.", Severity.DEBUG)
    samples = shots_of(placed.native, model, shots=program.shots or 1, seed=seed, limits=program.limits)
    result: dict[str, Any] = {
        "counts": mitigate(samples.counts(), placed.native, model, task.ro_error_mitigation),
        "transpiled_code": qasm3.dumps(placed.circuit),
        "qubit_allocation": {str(virtual): qubit for virtual, qubit in placed.allocation.items()},
    }
    return Outcome(
        result=json.dumps(result, separators=(",", ":")).encode(),
        metadata={**samples.metadata, "seed": seed},
        run_seconds=perf_counter() - start,
    )
