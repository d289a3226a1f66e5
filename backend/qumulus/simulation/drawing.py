"""A circuit as somebody who draws it needs it: wires, and the operations on them, with times where there is a schedule.

Only wires that something happens to are there. The operations of conditionals, loops and boxes stand in the row of all others,
each with the words of what it is within.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from qiskit.circuit import CircuitInstruction, Clbit, IfElseOp, QuantumCircuit, Qubit

from .devices import DeviceModel
from .timeline import Timed, Timeline, timeline

MOST_OPERATIONS = 2000
LONGEST_TEXT = 40
Names = Mapping[Qubit | Clbit, str]
Operation = dict[str, Any]


def as_sent(circuit: QuantumCircuit) -> dict[str, Any]:
    """The circuit in its own order: ``qubits`` and ``clbits`` (names of wires), ``operations``, and how many are ``left``."""
    names: Names = dict(_names(circuit))
    return _drawn(_flat(circuit, names, ""), circuit)


def as_scheduled(circuit: QuantumCircuit, model: DeviceModel) -> dict[str, Any]:
    """The same with ``begin`` and ``length`` of each operation in cycles of the device, and the ``length`` of it all.

    Qubits are the device's own.

    Raises:
        ProgramError: a delay is not known.
    """
    names = {bit: name for bit, name in _names(circuit) if isinstance(bit, Clbit)}
    names |= {qubit: str(index) for index, qubit in enumerate(circuit.qubits)}
    schedule = timeline(circuit, model)
    in_time = sorted(_timed(schedule, names, "", 0), key=lambda operation: operation["begin"])
    return {**_drawn(in_time, circuit), "length": schedule.length}


def _drawn(operations: Iterable[Operation], circuit: QuantumCircuit) -> dict[str, Any]:
    following = iter(operations)
    shown = list(islice(following, MOST_OPERATIONS))
    used = {(kind, name) for operation in shown for kind in ("qubits", "clbits") for name in operation[kind]}
    order = [name for _, name in _names(circuit)] + [str(index) for index in range(circuit.num_qubits)]
    wires = {kind: [name for name in dict.fromkeys(order) if (kind, name) in used] for kind in ("qubits", "clbits")}
    return {**wires, "operations": shown, "left": sum(1 for _ in following)}


def _names(circuit: QuantumCircuit) -> Iterator[tuple[Qubit | Clbit, str]]:
    for bits in (circuit.qubits, circuit.clbits):
        for index, bit in enumerate(bits):
            registers = circuit.find_bit(bit).registers
            yield bit, f"{registers[0][0].name}[{registers[0][1]}]" if registers else str(index)


def _flat(circuit: QuantumCircuit, names: Names, within: str) -> Iterator[Operation]:
    for instruction in circuit.data:
        blocks = instruction.operation.blocks if instruction.is_control_flow() else ()
        if not blocks:
            yield _operation(instruction, names, within)
        for number, block in enumerate(blocks):
            yield from _flat(block, _inside(block, instruction, names), _words(instruction, number, within))


def _timed(schedule: Timeline, names: Names, within: str, start: int) -> Iterator[Operation]:
    for entry in schedule.timed:
        instruction = entry.instruction
        if not entry.bodies:
            times = {"begin": start + entry.begin, "length": entry.length}
            yield {**_operation(instruction, names, within), **times}
        for number, body in enumerate(entry.bodies):
            inner = _inside(body.circuit, instruction, names)
            yield from _timed(body, inner, _words(instruction, number, within), _start(entry, body, start))


def _start(entry: Timed, body: Timeline, start: int) -> int:
    """A loop is drawn once; the bodies of a conditional end together."""
    first = entry.instruction.name in ("box", "for_loop")
    return start + entry.begin + (0 if first else entry.length - body.length)


def _inside(block: QuantumCircuit, instruction: CircuitInstruction, names: Names) -> Names:
    outer: Sequence[Qubit | Clbit] = [*instruction.qubits, *instruction.clbits]
    inner: Sequence[Qubit | Clbit] = [*block.qubits, *block.clbits]
    return {bit: names[known] for bit, known in zip(inner, outer, strict=True)}


def _words(instruction: CircuitInstruction, number: int, within: str) -> str:
    name = instruction.name.removesuffix("_loop")
    if isinstance(instruction.operation, IfElseOp):
        name = "else" if number else "if"
    elif name == "switch_case":
        name = f"case {number}"
    return f"{within} › {name}" if within else name


def _operation(instruction: CircuitInstruction, names: Names, within: str) -> Operation:
    return {
        "name": instruction.name,
        "qubits": [names[qubit] for qubit in instruction.qubits],
        "clbits": [names[bit] for bit in instruction.clbits],
        "parameters": [_text(value) for value in instruction.params[:4]],
        "within": within or None,
        "begin": None,
        "length": None,
    }


def _text(value: object) -> str:
    written = f"{value:.4g}" if isinstance(value, float) else str(value)
    return written if len(written) <= LONGEST_TEXT else f"{written[: LONGEST_TEXT - 1]}…"
