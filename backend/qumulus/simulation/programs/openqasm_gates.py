"""What a user's own gates stand for.

A transpiler takes an operation that has the name of a device's gate for that gate, whatever its definition says. A
program may define `gate cx a, b { … }` as it likes, so its gates are replaced by their definitions, except where the
definition says the same as the gate that Qiskit knows by that name (which is how Qiskit writes `ecr`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

from qiskit.circuit import CircuitInstruction, Clbit, ControlFlowOp, Instruction, QuantumCircuit, Qubit
from qiskit.quantum_info import Operator

from qumulus.simulation.errors import ProgramError

from .openqasm_text import STANDARD_GATES, check_length

_STANDARD = frozenset(gate.base_class for gate in STANDARD_GATES.values())


def write_out(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit in gates that Qiskit knows, with the registers, bits and layout of the original's.

    Raises:
        ProgramError: it would be too long, is nested too deeply, has an angle that is no finite number, or uses a gate that
            is declared without a definition.
    """
    try:
        check_length(_size(circuit.data, {}))
        written = circuit.copy_empty_like()
        for instruction in circuit.data:
            for plain in _plain(instruction):
                written.append(plain)
    except RecursionError as error:
        raise ProgramError("The program is nested too deeply: write it flatter.") from error
    return written


def _size(data: Iterable[CircuitInstruction], known: dict[tuple[str, int], int]) -> int:
    return sum(_operation_size(instruction.operation, known) for instruction in data)


def _operation_size(operation: Instruction, known: dict[tuple[str, int], int]) -> int:
    """How many operations one stands for. A gate is looked into once: in a program, its name has one definition."""
    if isinstance(operation, ControlFlowOp):
        return 1 + sum(_size(block.data, known) for block in operation.blocks)
    if _is_known(operation):
        return 1
    gate = operation.name, operation.num_qubits
    if gate not in known:
        known[gate] = max(1, _size(_definition(operation).data, known))
    return known[gate]


def _is_known(operation: Instruction) -> bool:
    return (
        operation.base_class in _STANDARD
        or operation.name in {"measure", "reset", "delay", "barrier"}
        or (operation.name in {"break_loop", "continue_loop", "store"})
    )


def _definition(operation: Instruction) -> QuantumCircuit:
    if operation.definition is None:
        raise ProgramError(f"Gate '{operation.name}' is declared but nowhere defined: write its definition.")
    return operation.definition


def _plain(instruction: CircuitInstruction) -> Iterable[CircuitInstruction]:
    operation = instruction.operation
    for number in operation.params:
        if isinstance(number, float) and not isfinite(number):
            raise ProgramError(f"'{operation.name}' has the parameter {number}: give finite numbers.")
    if isinstance(operation, ControlFlowOp):
        blocks = [write_out(block) for block in operation.blocks]
        yield instruction.replace(operation=operation.replace_blocks(blocks))
    elif _is_known(operation):
        yield instruction
    elif (standard := _same_as_standard(operation)) is not None:
        yield instruction.replace(operation=standard)
    else:
        definition = _definition(operation)
        for inner in definition.data:
            yield from _plain(_on(inner, definition, instruction.qubits, instruction.clbits))


def _on(
    inner: CircuitInstruction, definition: QuantumCircuit, qubits: Sequence[Qubit], clbits: Sequence[Clbit]
) -> CircuitInstruction:
    return inner.replace(
        qubits=[qubits[definition.find_bit(bit).index] for bit in inner.qubits],
        clbits=[clbits[definition.find_bit(bit).index] for bit in inner.clbits],
    )


def _same_as_standard(operation: Instruction) -> Instruction | None:
    standard = STANDARD_GATES.get(operation.name)
    if (
        standard is None
        or standard.num_qubits != operation.num_qubits
        or len(standard.params) != len(operation.params)
        or operation.is_parameterized()
    ):
        return None
    gate = standard.base_class(*operation.params)
    return gate if Operator(_definition(operation)).equiv(Operator(gate)) else None
