"""Circuits without noise by Aer: the stabilizer method for Clifford circuits, the state vector for all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import Target, generate_preset_pass_manager
from qiskit.transpiler.passmanager import PassManager

from .dense import Factor, mean
from .errors import ProgramError
from .seeds import Seed, integer
from .steps import UNREAD, Channel
from .tasks import Drawn, Estimate, Means, Memory, Method, Task, Weights

_AMPLITUDE_BYTES = 16
_PROBABILITY_BYTES = 3 * 8  # of an exact value: as Aer saves it, as it hands it over, and weighted by a term
_SECONDS_TO_START = 8e-3
_SECONDS_PER_AMPLITUDE = 2e-9
_CLIFFORD = frozenset(
    {"id", "x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "cx", "cy", "cz", "swap", "ecr", "iswap", "dcx"}
)
_FREE = frozenset({"measure", "reset", "barrier", "delay"})


def is_clifford(circuit: QuantumCircuit) -> bool:
    """Whether every gate is a Clifford gate by its name."""
    return circuit.count_ops().keys() <= _CLIFFORD | _FREE


def _interrupted(task: Task) -> bool:
    """Whether something is measured before the end, be it read or not: then Aer runs each shot by itself."""
    return any(not isinstance(step, Channel) or step.name == UNREAD for step in task.active.steps)


def _qubits(task: Task) -> int:
    """Aer takes only the qubits that are used; the circuit's own conditions may use more than the outputs depend on."""
    return task.circuit.num_qubits if _interrupted(task) else task.active.n_qubits


def _objection(task: Task) -> str | None:
    if task.circuit.num_declared_vars:
        return "Aer knows few operations on classical variables"
    return None if task.active.model.ideal else "the device has noise"


def _estimate(task: Task) -> Estimate:
    """Of shots, or of exact values where no shots are asked for: these come from the state vector, of Clifford circuits too."""
    n_operations = sum(task.circuit.count_ops().values())
    if task.shots and is_clifford(task.circuit):
        seconds = _SECONDS_TO_START + n_operations * 1e-5 + task.shots * task.circuit.num_qubits * 2e-6
        return Estimate(seconds, task.circuit.num_qubits**2 + task.shots * (task.active.n_bits + 64.0))
    amplitudes = 2.0 ** _qubits(task)
    repeats = task.shots if _interrupted(task) else 1
    seconds = _SECONDS_TO_START + repeats * n_operations * (2e-7 + amplitudes * _SECONDS_PER_AMPLITUDE)
    entry_bytes = _AMPLITUDE_BYTES if task.shots else _AMPLITUDE_BYTES + _PROBABILITY_BYTES
    return Estimate(seconds, entry_bytes * amplitudes + task.shots * (task.active.n_bits + 64.0))


def _sample(task: Task, seed: Seed) -> Drawn:
    circuit = bound(task)
    method = "stabilizer" if is_clifford(circuit) else "statevector"
    return Drawn(run(circuit, task, seed, method=method), {"aer_method": method})


def _draws_only(task: Task) -> bool:
    """Whether Aer's state vector depends on chance: on what is read before the end, or on what a reset throws away."""
    if _interrupted(task) or any(line.clbits and line.name != "measure" for line in task.circuit.data):
        return True
    seen = set[int]()
    for step in task.active.steps:
        if isinstance(step, Channel):
            if step.name == "reset" and not seen.isdisjoint(step.qubits):
                return True
            seen.update(step.qubits)
    return False


def _expect(task: Task, terms: Sequence[Weights]) -> Means:
    """Means over the probabilities of what is measured, which Aer takes from its state vector.

    Every measurement is left out: what stands after one changes nothing that is asked for, or the task would draw only.
    """
    from qiskit_aer.library import SaveProbabilities

    qubits = sorted(task.active.terminal)
    circuit = bound(task).copy()
    circuit.data = [line for line in circuit.data if line.name != "measure"]
    save = SaveProbabilities(len(qubits), label="probabilities")
    circuit.append(save, [task.active.physical[qubit] for qubit in reversed(qubits)])
    probabilities = np.asarray(_executed(circuit, task, {"method": "statevector"}, shots=1)["probabilities"])
    joint = Factor(qubits, probabilities.reshape((2,) * len(qubits)))
    return Means(np.array([mean(joint, term) for term in terms]))


def bound(task: Task) -> QuantumCircuit:
    """The circuit with the values of its parameters."""
    return task.circuit.assign_parameters(dict(task.binding)) if task.circuit.parameters else task.circuit


def run(circuit: QuantumCircuit, task: Task, seed: Seed, **options: Any) -> Memory:
    """The memory of all shots, in order, as Aer draws them; shape (shots, bits).

    Raises:
        ProgramError: Aer does not take the circuit, with its reason.
    """
    data = _executed(circuit, task, options, shots=task.shots, memory=True, seed_simulator=integer(seed))
    return unpacked(data.get("memory", []), task.shots, task.active.n_bits)


def _executed(circuit: QuantumCircuit, task: Task, options: Mapping[str, Any], **run: Any) -> dict[str, Any]:
    """What Aer gives back for one run of a circuit, on one thread and within the task's memory."""
    from qiskit_aer import AerError, AerSimulator

    megabytes = max(1, task.limits.memory_bytes >> 20)
    simulator = AerSimulator(max_parallel_threads=1, max_memory_mb=megabytes, **options)
    if not _operations(circuit) <= set(simulator.operation_names):
        circuit = _translation(circuit.num_qubits).run(circuit)
    try:
        result = simulator.run(circuit, **run).result()
    except AerError as error:
        raise ProgramError(f"Aer does not take this circuit: {error.message}") from error
    if not result.success:
        reason = result.results[0].status if result.results else result.status
        raise ProgramError(f"Aer does not run this circuit: {reason}")
    return result.data(0)


def _operations(circuit: QuantumCircuit) -> set[str]:
    """The names of all operations, those inside of control flow too; directives such as barriers do nothing and are none."""
    blocks = (block for line in circuit.data if line.is_control_flow() for block in line.operation.blocks)
    own = {line.name for line in circuit.data if not getattr(line.operation, "_directive", False)}
    return own.union(*map(_operations, blocks))


def unpacked(memory: list[str], shots: int, n_bits: int) -> Memory:
    """Aer's hexadecimal outcomes as bits, bit 0 first; shape (shots, n_bits)."""
    n_bytes = -(-n_bits // 8)
    if not memory:
        return np.zeros((shots, n_bits), np.uint8)
    joined = b"".join(int(outcome, 16).to_bytes(n_bytes, "little") for outcome in memory)
    packed = np.frombuffer(joined, np.uint8).reshape(shots, n_bytes)
    return np.unpackbits(packed, axis=1, count=n_bits, bitorder="little")


@lru_cache(maxsize=8)
def _translation(n_qubits: int) -> PassManager:
    """To operations that Aer knows, on as many qubits as a circuit has; made when first asked for, never in the fork server.

    Aer's own target has some thirty qubits, as many as this machine's memory holds: a gate on a qubit of a higher number
    would not be in it.
    """
    from qiskit_aer import AerSimulator

    of_aer, everywhere = AerSimulator().target, Target(num_qubits=n_qubits)
    for name in of_aer.operation_names:
        everywhere.add_instruction(of_aer.operation_from_name(name), name=name)
    return generate_preset_pass_manager(optimization_level=0, target=everywhere)


METHOD = Method(
    name="ideal",
    engine=f"qiskit-aer {version('qiskit-aer')}",
    objection=_objection,
    estimate=_estimate,
    sample=_sample,
    expect=_expect,
    draws_only=_draws_only,
)
