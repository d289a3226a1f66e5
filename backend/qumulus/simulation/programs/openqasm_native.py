"""Gates that programs may use on a device, and the device's own, in which they run.

OQTOPUS' programs have `cx` between connected qubits on every device, as its engine's gateway does. A device whose own
gate is another, such as `ecr`, gets it in that one and rotations, which is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from qiskit.circuit import CircuitInstruction, ControlFlowOp, QuantumCircuit
from qiskit.transpiler import PassManager, Target, generate_preset_pass_manager

from qumulus.simulation.errors import ProgramError

ANYWHERE = frozenset({"barrier", "break_loop", "continue_loop"})
TRANSLATED = "cx"
"""The gate that every device takes."""


def check_fit(circuit: QuantumCircuit, target: Target) -> None:
    """Hold that a circuit on the device's qubits has only what can run there.

    Raises:
        ProgramError: it has another gate, or one on qubits that are not connected.
    """
    for instruction in instructions(circuit):
        operation = instruction.operation
        if operation.name in ANYWHERE:
            continue
        if operation.name not in {TRANSLATED, *target.operation_names}:
            gates = ", ".join(sorted({TRANSLATED, *target.operation_names}))
            raise ProgramError(
                f"The program cannot run untranspiled: the device has no '{operation.name}', only {gates}."
                " Use these, or let it be transpiled."
            )
        qubits = tuple(circuit.find_bit(qubit).index for qubit in instruction.qubits)
        if isinstance(operation, ControlFlowOp) or _runs(operation.name, qubits, target):
            continue
        raise ProgramError(
            f"The program cannot run untranspiled: the device has no '{operation.name}' on"
            f" {', '.join(f'qubit {qubit}' for qubit in qubits)}. Choose connected qubits, or let it be transpiled."
        )


def _runs(name: str, qubits: tuple[int, ...], target: Target) -> bool:
    return target.instruction_supported(name, qubits) or (name == TRANSLATED and qubits in connected(target))


@lru_cache(maxsize=64)
def connected(target: Target) -> frozenset[tuple[int, ...]]:
    """The pairs of qubits that have a two-qubit gate, in both orders."""
    pairs = target.build_coupling_map() or ()
    return frozenset(pair for one, other in pairs for pair in ((one, other), (other, one)))


def native(circuit: QuantumCircuit, target: Target) -> QuantumCircuit:
    """The same circuit, on the same qubits, in the device's own gates."""
    for instruction in instructions(circuit):
        qubits = tuple(circuit.find_bit(qubit).index for qubit in instruction.qubits)
        own = instruction.name in ANYWHERE or target.instruction_supported(instruction.name, qubits)
        if not own and not isinstance(instruction.operation, ControlFlowOp):
            return _translation(target).run(circuit)
    return circuit


@lru_cache(maxsize=16)
def _translation(target: Target) -> PassManager:
    """Only the translation: every qubit and every order stays."""
    manager = generate_preset_pass_manager(optimization_level=0, target=target)
    manager.init = manager.layout = manager.routing = manager.optimization = manager.scheduling = None
    return manager


def instructions(circuit: QuantumCircuit) -> Iterator[CircuitInstruction]:
    """All instructions, those inside of control flow on the qubits of the whole."""
    for instruction in circuit.data:
        yield instruction
        if isinstance(instruction.operation, ControlFlowOp):
            for block in instruction.operation.blocks:
                outer = dict(zip(block.qubits, instruction.qubits, strict=True))
                for inner in instructions(block):
                    yield inner.replace(qubits=[outer[qubit] for qubit in inner.qubits])
