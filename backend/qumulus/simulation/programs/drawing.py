"""A circuit of another job, to be drawn: decoded as that job's program would decode it, and never run.

The payload is a `CircuitToDraw`; the result is what `qumulus.simulation.drawing` makes of the circuit, with ``circuit`` and
``circuits`` (which one of how many), and ``cycle``, the seconds of the unit that its times count in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from qiskit.circuit import QuantumCircuit

from qumulus import payloads
from qumulus.core.programs import Program
from qumulus.core.results import Log, Outcome
from qumulus.core.sent_devices import unpacked
from qumulus.payloads.drawings import DRAWING
from qumulus.payloads.zip_files import Unreadable, unpack_json
from qumulus.simulation.devices import SENT, DeviceModel, device_model
from qumulus.simulation.drawing import as_scheduled, as_sent
from qumulus.simulation.errors import ProgramError

from . import kipu, openqasm_placement, openqasm_text
from .openqasm_gates import write_out
from .openqasm_options import transpiler_options
from .runtime import circuits, dialects, scheduling, submission

Found = tuple[QuantumCircuit, int]
"""A circuit, and how many the job has."""


def run(program: Program, log: Log) -> Outcome:
    """Describe a circuit.

    Raises:
        ProgramError: the job has no such circuit, or one that can't be read or scheduled.
    """
    del log
    given = DRAWING.decode(program.payload)
    if given.documents:
        SENT.take(unpacked(given.documents))
    asked = replace(
        program,
        kind=given.kind,
        payload=given.payload,
        device=given.device,
        calibration=given.calibration,
        options=given.options,
    )
    if given.kind not in SOURCES:
        raise ProgramError("The job brought no circuits.")
    source = SOURCES[given.kind]
    circuit, count = source(asked, given.circuit)
    drawn: dict[str, Any] = {"circuit": given.circuit, "circuits": count, "stage": given.stage}
    drawn |= {"cycle": None, "length": None}
    if given.stage == "sent":
        drawn |= as_sent(circuit)
    else:
        model = device_model(asked.device, asked.calibration)
        drawn |= as_scheduled(_as_run(circuit, asked, model), model)
        drawn["cycle"] = model.cycle
    return Outcome(result=json.dumps(drawn, separators=(",", ":")).encode())


def _as_run(circuit: QuantumCircuit, asked: Program, model: DeviceModel) -> QuantumCircuit:
    if asked.kind not in TRANSPILED:
        return scheduling.compiled(circuit, model, None).scheduled
    options = TRANSPILED[asked.kind](asked)
    return openqasm_placement.place(write_out(circuit), model, **options).native


def _task(asked: Program) -> dict[str, Any]:
    task = payloads.OPENQASM_TASK.decode(asked.payload)
    seed = openqasm_placement.USUAL_SEED if task.seed_transpilation is None else task.seed_transpilation
    return {"allocation": task.qubit_allocation, "transpile": not task.skip_transpilation, "seed": seed}


def _archived(asked: Program) -> dict[str, Any]:
    information = asked.options.get("transpiler_info") or {}
    options: dict[str, Any] = transpiler_options(information.get("transpiler_options"))
    return {"transpile": information.get("transpiler_lib", "qiskit") is not None, **options}


TRANSPILED: Mapping[str, Callable[[Program], dict[str, Any]]] = {
    payloads.OPENQASM_TASK.name: _task,
    payloads.OPENQASM_ARCHIVE.name: _archived,
    payloads.CIRCUITS.name: lambda _asked: {},
}
"""Kinds whose circuits are placed before they run, with the arguments of `openqasm_placement.place`."""


def _one(all_of_them: object, index: int, what: str) -> Any:
    """The element with that index.

    Raises:
        ProgramError: there is none.
    """
    if not isinstance(all_of_them, list) or not 0 <= index < len(all_of_them):
        count = len(all_of_them) if isinstance(all_of_them, list) else 0
        raise ProgramError(f"The job has {count} {what}: there is none with the number {index}.")
    return all_of_them[index]


def _of_pub(asked: Program, index: int) -> Found:
    sent = submission.read(asked)
    pub = _one(sent.params.get("pubs"), index, "pubs")
    value = _one(pub, 0, "members of a pub")
    return circuits.circuit(value, sent.allowance, sent.limits), len(sent.params["pubs"])


def _of_list(asked: Program, index: int) -> Found:
    sent = submission.read(asked)
    value = _one(sent.params.get("circuits"), index, "circuits")
    return circuits.circuit(value, sent.allowance, sent.limits), len(sent.params["circuits"])


def _of_item(asked: Program, index: int) -> Found:
    sent = submission.read(asked)
    program = sent.params.get("quantum_program")
    if not isinstance(program, Mapping) or not isinstance(program.get("items"), list):
        raise ProgramError("The job has no quantum_program with a list of items.")
    found = dialects.dialect_of(sent.params).read_circuits(program, sent.allowance, sent.limits)
    return _one(found, index, "circuits"), len(found)


def _of_task(asked: Program, index: int) -> Found:
    code = _one([payloads.OPENQASM_TASK.decode(asked.payload).code], index, "programs")
    return openqasm_text.read(code, most_qubits=asked.limits.qubits), 1


def _of_archive(asked: Program, index: int) -> Found:
    try:
        packed = payloads.OPENQASM_ARCHIVE.decode(asked.payload).content
        content = unpack_json(packed, most_bytes=asked.limits.decompressed_bytes)
    except Unreadable as error:
        raise ProgramError(f"The input {error}.") from error
    programs = content.get("program") if isinstance(content, dict) else None
    code = _one(programs, index, "programs")
    return openqasm_text.read(str(code), most_qubits=asked.limits.qubits), len(programs or ())


def _of_provider(asked: Program, index: int) -> Found:
    given = payloads.CIRCUITS.decode(asked.payload)
    if given.format is None or given.format not in kipu.READERS:
        raise ProgramError("The job's backend did not read what was sent.")
    found = list(kipu.READERS[given.format](given.input, asked.shots or 1))
    code, _shots = _one(found, index, "circuits")
    return openqasm_text.read(code, most_qubits=asked.limits.qubits), len(found)


SOURCES: Mapping[str, Callable[[Program, int], Found]] = {
    payloads.SAMPLER.name: _of_pub,
    payloads.ESTIMATOR.name: _of_pub,
    payloads.NOISE_LEARNER.name: _of_list,
    payloads.EXECUTOR.name: _of_item,
    payloads.OPENQASM_TASK.name: _of_task,
    payloads.OPENQASM_ARCHIVE.name: _of_archive,
    payloads.CIRCUITS.name: _of_provider,
}
"""Where the circuits of each kind of job stand."""
