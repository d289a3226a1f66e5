"""The programs of OQTOPUS jobs: sampling, estimation, and several programs on one chip.

The payload is the uploaded `input.zip`; the options are what the job was submitted with. What the run leaves are the zip
files that the clients download: `result.zip`, `transpile_result.zip`, and `combined_program.zip` of several programs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from qiskit import qasm3
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qumulus.core.programs import Program
from qumulus.core.results import Log, Outcome
from qumulus.payloads import OPENQASM_ARCHIVE
from qumulus.payloads.openqasm import INLINE, SHOWN
from qumulus.payloads.zip_files import Unreadable, pack_json, unpack_json
from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.drifting import device_now, shots_of
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.seeds import fresh

from .openqasm_estimation import estimate, read_operator
from .openqasm_gates import write_out
from .openqasm_mitigation import mitigate
from .openqasm_options import transpiler_options
from .openqasm_placement import Placed, place
from .openqasm_text import read

MOST_PROGRAMS = 128
LIBRARIES = ("qiskit",)


@dataclass(frozen=True, slots=True)
class Run:
    """One job in the hands of a worker."""

    program: Program
    model: DeviceModel
    input: Mapping[str, Any]
    seed: int

    @property
    def shots(self) -> int:
        """How often the program is run."""
        return self.program.shots or 1

    @property
    def mitigation(self) -> str:
        """The method of readout mitigation; "none" where the job names none."""
        method = self.program.options.get("mitigation_info", {}).get("ro_error_mitigation") or "none"
        if not isinstance(method, str):
            raise ProgramError("mitigation_info.ro_error_mitigation must be text: use none, or leave it away.")
        return method

    def circuits(self) -> list[QuantumCircuit]:
        """The programs of the input.

        Raises:
            ProgramError: there are none, too many, or one that cannot be read.
        """
        programs = self.input.get("program")
        if not isinstance(programs, list) or not programs or not all(isinstance(each, str) for each in programs):
            raise ProgramError("The input has no programs: send a list of OpenQASM texts as the member program.")
        if len(programs) > MOST_PROGRAMS:
            raise ProgramError(
                f"The input has {len(programs)} programs, and {MOST_PROGRAMS} are the limit: send fewer."
            )
        return [self._circuit(index, code, len(programs)) for index, code in enumerate(programs)]

    def _circuit(self, index: int, code: str, among: int) -> QuantumCircuit:
        try:
            return write_out(read(code, most_qubits=self.program.limits.qubits))
        except ProgramError as error:
            raise error if among == 1 else ProgramError(f"Program {index}: {error.message}") from None

    def circuit(self) -> QuantumCircuit:
        """The only program of the input."""
        circuits = self.circuits()
        if len(circuits) != 1:
            raise ProgramError(f"The input has {len(circuits)} programs: send one, or use the job type multi_manual.")
        return circuits[0]

    def placed(self, circuit: QuantumCircuit) -> Placed:
        """The circuit on the device, by the library that the job names.

        Raises:
            ProgramError: an unknown library or option.
        """
        information = self.program.options.get("transpiler_info", {})
        library = information.get("transpiler_lib", LIBRARIES[0])
        if library is not None and library not in LIBRARIES:
            raise ProgramError(
                f"transpiler_lib {str(library)[:40]!r} is not here: use qiskit, or null to run untranspiled."
            )
        arguments: dict[str, Any] = transpiler_options(information.get("transpiler_options"))
        return place(circuit, self.model, transpile=library is not None, **arguments)

    @property
    def transpiled(self) -> bool:
        """Whether the job wants a transpiler."""
        return self.program.options.get("transpiler_info", {}).get("transpiler_lib", LIBRARIES[0]) is not None


def run(program: Program, log: Log) -> Outcome:
    """Run a job of today's API.

    Raises:
        ProgramError: the input cannot be opened or read, or does not fit the device.
        Refused: over a limit by its estimate.
    """
    del log
    start = perf_counter()
    packed = OPENQASM_ARCHIVE.decode(program.payload).content
    try:
        content = unpack_json(packed, most_bytes=program.limits.decompressed_bytes)
    except Unreadable as error:
        raise ProgramError(f"The input {error}: pack input.json again.") from error
    if not isinstance(content, dict):
        raise ProgramError("The input must be a JSON object with the member program.")
    kind = program.options.get("job_type", "sampling")
    if kind not in TYPES:
        raise ProgramError(f"Jobs of the type {kind} cannot be run here: use {', '.join(TYPES)}.")
    seed = fresh() if program.seed is None else program.seed
    outputs, metadata = TYPES[kind](Run(program, device_now(program), content, seed))
    files = {f"{name}.zip": pack_json(f"{name}.json", output) for name, output in outputs.items()}
    if program.options.get(INLINE):
        files[SHOWN] = json.dumps(outputs, separators=(",", ":")).encode()
    return Outcome(
        files=files,
        metadata={**metadata, "seed": seed},
        run_seconds=perf_counter() - start,
    )


Ran = tuple[dict[str, Any], Mapping[str, Any]]
"""What each output file holds, by its name, and how it was found."""


def _sampling(job: Run) -> Ran:
    circuit = job.circuit()
    placed, counts, metadata = _counted(job, circuit)
    result = {"sampling": {"counts": counts, "divided_counts": None}, "estimation": None}
    return {"result": result, **_transpile_result(job, circuit, placed)}, metadata


def _multi_manual(job: Run) -> Ran:
    circuits = job.circuits()
    for index, circuit in enumerate(circuits):
        if not circuit.num_clbits:
            raise ProgramError(f"Program {index} has no bits to count: declare some and measure into them.")
    combined = _combined(circuits)
    placed, counts, metadata = _counted(job, combined)
    result = {
        "sampling": {"counts": counts, "divided_counts": _divided(counts, [each.num_clbits for each in circuits])},
        "estimation": None,
    }
    outputs = {"result": result, "combined_program": qasm3.dumps(combined)}
    return outputs | _transpile_result(job, combined, placed), metadata


def _estimation(job: Run) -> Ran:
    circuit = job.circuit()
    circuit.remove_final_measurements()
    operator = read_operator(job.input.get("operator"), circuit.num_qubits)
    placed = job.placed(circuit)
    layout = placed.circuit.layout  # the ideal simulator's has none, unless gates or connections are named
    observable = operator if layout is None else operator.apply_layout(layout)
    value, metadata = estimate(
        placed.native, observable, job.model, job.mitigation, job.shots, job.seed, job.program.limits
    )
    result = {"sampling": None, "estimation": value}
    return {"result": result, **_transpile_result(job, circuit, placed)}, metadata


TYPES: Mapping[str, Callable[[Run], Ran]] = {
    "sampling": _sampling,
    "estimation": _estimation,
    "multi_manual": _multi_manual,
}


def _counted(job: Run, circuit: QuantumCircuit) -> tuple[Placed, dict[str, int], Mapping[str, Any]]:
    """Place and sample a circuit, and mitigate its counts, in whose keys no blanks part the registers: clients read numbers."""
    if not any(instruction.clbits for instruction in circuit.data):
        raise ProgramError("The program measures nothing: assign at least one measurement to a bit.")
    placed = job.placed(circuit)
    samples = shots_of(placed.native, job.model, shots=job.shots, seed=job.seed, limits=job.program.limits)
    counts = mitigate(samples.counts(), placed.native, job.model, job.mitigation)
    return placed, {key.replace(" ", ""): count for key, count in counts.items()}, samples.metadata


def _combined(circuits: Sequence[QuantumCircuit]) -> QuantumCircuit:
    """All programs side by side: the first has the lowest qubits and the rightmost bits."""
    whole = QuantumCircuit(
        QuantumRegister(sum(each.num_qubits for each in circuits), "q"),
        ClassicalRegister(sum(each.num_clbits for each in circuits), "c"),
    )
    qubit = bit = 0
    for each in circuits:
        whole.compose(
            each,
            qubits=whole.qubits[qubit : qubit + each.num_qubits],
            clbits=whole.clbits[bit : bit + each.num_clbits],
            inplace=True,
        )
        qubit, bit = qubit + each.num_qubits, bit + each.num_clbits
    return whole


def _divided(counts: Mapping[str, int], widths: Sequence[int]) -> dict[str, dict[str, int]]:
    """The counts of each program, by its index."""
    divided: dict[str, dict[str, int]] = {}
    right = sum(widths)
    for index, width in enumerate(widths):
        own = divided.setdefault(str(index), {})
        for key, count in counts.items():
            part = key[right - width : right]
            own[part] = own.get(part, 0) + count
        right -= width
    return divided


def _transpile_result(job: Run, before: QuantumCircuit, placed: Placed) -> dict[str, Any]:
    """What the transpiler made, with figures before and after; nothing where none was wanted."""
    if not job.transpiled:
        return {}
    bits = {str(index): index for index in range(placed.circuit.num_clbits)}
    content = {
        "transpiled_program": qasm3.dumps(placed.circuit),
        "stats": {"before": _figures(before), "after": _figures(placed.circuit)},
        "virtual_physical_mapping": {
            "qubit_mapping": {str(virtual): qubit for virtual, qubit in placed.allocation.items()},
            "bit_mapping": bits,
        },
    }
    return {"transpile_result": content}


def _figures(circuit: QuantumCircuit) -> dict[str, int]:
    gates = [instruction for instruction in circuit.data if not instruction.clbits and instruction.name != "barrier"]
    return {
        "n_qubits": circuit.num_qubits,
        "n_gates": len(gates),
        "n_gates_1q": sum(len(gate.qubits) == 1 for gate in gates),
        "n_gates_2q": sum(len(gate.qubits) == 2 for gate in gates),
        "depth": circuit.depth(),
    }
