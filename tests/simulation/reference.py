"""References with Aer's own noise model of the device: by Aer's density matrix, and by Qiskit's for dynamic circuits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from qiskit.circuit import ClassicalRegister, Clbit, Instruction, QuantumCircuit
from qiskit.quantum_info import DensityMatrix, SuperOp
from qiskit_aer import AerSimulator

from qumulus.simulation.aer import noise_model
from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import DeviceModel

Memory = tuple[int, ...]
_ENDED = 1e-15  # of a while loop


def distribution(circuit: QuantumCircuit, model: DeviceModel) -> np.ndarray:
    """The exact probabilities of the measured bits, indexed by the classical value, with readout errors.

    For circuits that measure each qubit once, at their end, into the bits of one register.
    """
    active = scan(circuit, model)
    physical = [active.physical[qubit] for qubit, _ in sorted(active.terminal.items(), key=lambda item: item[1])]
    unitary = circuit.remove_final_measurements(inplace=False)
    noise = noise_model(model, active.physical)
    for qubit in physical:
        error = noise._local_quantum_errors.get("measure", {}).get((qubit,))
        if error is not None:  # Aer applies errors of measurements before the reading
            unitary.append(error.to_instruction(), [qubit])
    unitary.save_density_matrix([unitary.qubits[qubit] for qubit in physical], label="state")
    simulator = AerSimulator(method="density_matrix", noise_model=noise)
    state = simulator.run(unitary).result().data(0)["state"]
    probabilities = np.real(np.diag(np.asarray(state))).reshape((2,) * len(physical))
    for axis, qubit in enumerate(reversed(physical)):
        probabilities = np.moveaxis(np.tensordot(model.noise.confusion[qubit], probabilities, axes=(1, axis)), 0, axis)
    return probabilities.reshape(-1)


class Dynamic:
    """The exact distribution of a dynamic circuit: for each value of the classical bits a density matrix.

    Gates and their errors are Qiskit's and Aer's operators; delays and conditions on expressions are not known here.
    """

    def __init__(self, circuit: QuantumCircuit, model: DeviceModel) -> None:
        self._confusion = model.noise.confusion
        self._circuit = circuit
        used = {circuit.find_bit(qubit).index for line in circuit.data for qubit in line.qubits}
        self._place = {physical: place for place, physical in enumerate(sorted(used))}
        self._errors = noise_model(model, used)._local_quantum_errors

    def distribution(self) -> np.ndarray:
        """The probabilities, indexed by the value of all classical bits, bit 0 the least significant."""
        empty = DensityMatrix.from_label("0" * len(self._place))
        states = self._run(self._circuit, self._circuit.qubits, {(0,) * self._circuit.num_clbits: empty})
        found = np.zeros(1 << self._circuit.num_clbits)
        for memory, state in states.items():
            found[sum(bit << place for place, bit in enumerate(memory))] = state.trace().real
        return found

    def _run(self, circuit: QuantumCircuit, qubits: Any, states: dict[Memory, DensityMatrix]) -> dict[Memory, Any]:
        outer = dict(zip(circuit.qubits, qubits, strict=True))
        for line in circuit.data:
            where = [outer[qubit] for qubit in line.qubits]
            states = self._step(line.operation, where, line.clbits, states)
        return states

    def _step(
        self, operation: Instruction, where: list[Any], clbits: Any, states: dict[Memory, DensityMatrix]
    ) -> dict[Memory, DensityMatrix]:
        physical = tuple(self._circuit.find_bit(qubit).index for qubit in where)
        places = [self._place[qubit] for qubit in physical]
        error = self._errors.get(operation.name, {}).get(physical)
        noisy = (lambda state: state.evolve(SuperOp(error), places)) if error is not None else (lambda state: state)
        if operation.name == "barrier":
            return states
        if operation.name == "measure":
            bit = self._circuit.find_bit(clbits[0]).index
            return self._measured({m: noisy(s) for m, s in states.items()}, physical[0], bit)
        if operation.name == "reset":
            return {memory: noisy(state.reset(places)) for memory, state in states.items()}
        if operation.name == "if_else":
            holds = self._condition(operation.condition)
            bodies = [*operation.blocks, QuantumCircuit(where, self._circuit.clbits)]
            return self._chosen(states, lambda memory: 0 if holds(memory) else 1, bodies, where)
        if operation.name == "switch_case":
            value = self._value(operation.target)
            cases = {label: block for labels, block in operation.cases_specifier() for label in labels}
            nothing = QuantumCircuit(where, self._circuit.clbits)
            keys = list(cases)
            bodies = [*(cases[key] for key in keys), nothing]
            return self._chosen(
                states, lambda m: keys.index(value(m)) if value(m) in keys else len(keys), bodies, where
            )
        if operation.name == "while_loop":
            return self._repeated(operation, where, states)
        return {memory: noisy(state.evolve(operation, places)) for memory, state in states.items()}

    def _measured(self, states: dict[Memory, DensityMatrix], qubit: int, bit: int) -> dict[Memory, DensityMatrix]:
        found = dict[Memory, DensityMatrix]()
        for true in (0, 1):
            projector = np.diag([1.0 - true, float(true)])
            for memory, state in states.items():
                seen = state.evolve(SuperOp(np.kron(projector, projector)), [self._place[qubit]])
                for read in (0, 1):
                    key = (*memory[:bit], read, *memory[bit + 1 :])
                    part = seen * self._confusion[qubit, read, true]
                    found[key] = found[key] + part if key in found else part
        return found

    def _chosen(
        self,
        states: dict[Memory, DensityMatrix],
        which: Callable[[Memory], int],
        bodies: list[QuantumCircuit],
        where: list[Any],
    ) -> dict[Memory, DensityMatrix]:
        found = dict[Memory, DensityMatrix]()
        for number, body in enumerate(bodies):
            taken = {memory: state for memory, state in states.items() if which(memory) == number}
            for memory, state in self._run(body, where, taken).items():
                found[memory] = found[memory] + state if memory in found else state
        return found

    def _repeated(
        self, operation: Instruction, where: list[Any], states: dict[Memory, DensityMatrix]
    ) -> dict[Memory, DensityMatrix]:
        holds, ended = self._condition(operation.condition), dict[Memory, DensityMatrix]()
        while sum(state.trace().real for state in states.values()) > _ENDED:
            for memory, state in states.items():
                if not holds(memory):
                    ended[memory] = ended[memory] + state if memory in ended else state
            states = self._run(operation.blocks[0], where, {m: s for m, s in states.items() if holds(m)})
        return ended

    def _condition(self, condition: tuple[Clbit | ClassicalRegister, int]) -> Callable[[Memory], bool]:
        value = self._value(condition[0])
        return lambda memory: value(memory) == int(condition[1])

    def _value(self, what: Clbit | ClassicalRegister) -> Callable[[Memory], int]:
        bits = [what] if isinstance(what, Clbit) else list(what)
        places = [self._circuit.find_bit(bit).index for bit in bits]
        return lambda memory: sum(memory[place] << shift for shift, place in enumerate(places))


def by_value(memories: np.ndarray, tensors: np.ndarray, terminal: Mapping[int, int], n_bits: int) -> np.ndarray:
    """What `branches` finds as probabilities of the classical value, bit 0 the least significant."""
    found = np.zeros(1 << n_bits)
    for memory, tensor in zip(memories, tensors, strict=True):
        for outcome in np.ndindex(tensor.shape):
            bits = memory[:n_bits].astype(int)
            bits[[terminal[qubit] for qubit in sorted(terminal)]] = outcome
            found[int(bits @ (1 << np.arange(n_bits)))] += tensor[outcome]
    return found


def total_variation(first: np.ndarray, second: np.ndarray) -> float:
    """Half the sum of the absolute differences."""
    return float(np.abs(first - second).sum() / 2)
