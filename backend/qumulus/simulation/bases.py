"""Circuits in the bases of observables, and one evolution for several of them.

Bases differ by what happens to each qubit after its last gate on two qubits. Where the chain is the method for one of them,
the state is evolved once with the Pauli vectors of all qubits open that any basis reads; a basis then only contracts each
open place with the rows that turn and read its qubit. Nothing is approximated by that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
from qiskit.circuit import CircuitInstruction, ClassicalRegister, Clbit, QuantumCircuit, Qubit
from qiskit.circuit.library import SXGate, U2Gate

from . import chains
from .blocks import fuse
from .chain import Chain
from .choice import Chosen, description
from .circuits import ActiveCircuit, scan
from .devices import DeviceModel
from .errors import GaveUp
from .meter import meter
from .open_chain import OpenChain, open_plan
from .progress import progress
from .seeds import Seed, generator
from .steps import Channel
from .tasks import Memory, Weights
from .transfer import MEASURE, Matrix

Basis = Mapping[int, str]
"""The letter X, Y or Z that each qubit is read in."""

_REGISTER = "observable"
_MEASUREMENTS = frozenset({"measure", "measure_2"})
_WORTH = 0.7  # of the time that the bases take by themselves: reading an open chain is slower than the estimate says
_CUTS = {chains.EXACT.name: None, chains.TRUNCATED.name: chains.CUT}


@dataclass(eq=False)
class Evolution:
    """What all evolutions of a circuit on a device have in common, whatever the values of its parameters."""

    circuit: QuantumCircuit
    model: DeviceModel
    _scanned: dict[tuple[int, ...], ActiveCircuit] = field(default_factory=dict)
    _order: dict[tuple[tuple[int, ...], float | None], list[int]] = field(default_factory=dict)

    def applies(self, chosen: Chosen) -> bool:
        """Whether the best method for a task is the chain; bits that steer stay with their circuit."""
        return bool(chosen.methods) and chosen.methods[0].name in _CUTS and not chosen.task.active.dynamic

    def run(self, bases: Sequence[Basis], chosen: Chosen, runs: int) -> Evolved | None:
        """Evolve once for these bases, of which ``chosen`` is for the first; None where each is better run by itself.

        The bases count by how many qubits they read: few that read many are what it takes time for.

        Raises:
            Refused: so many ``runs`` take longer than the limit.
        """
        qubits = tuple(sorted({qubit for basis in bases for qubit in basis}))
        if qubits not in self._scanned:
            bare = without_final_measurements(self.circuit)
            self._scanned[qubits] = scan(bare, self.model, observed=qubits, ignored=bare.clbits)
        method, task, active = chosen.methods[0], chosen.task, self._scanned[qubits]
        if active.dynamic:
            return None
        fused = fuse((step for step in active.steps if isinstance(step, Channel)), task.binding)
        place, cut = {physical: qubit for qubit, physical in enumerate(active.physical)}, _CUTS[method.name]
        found = open_plan(
            fused, [place[qubit] for qubit in qubits], active.n_qubits, cut, self._order.get((qubits, cut))
        )
        self._order[qubits, cut] = found.laid.order
        estimate, alone = found.estimate(task, len(bases)), chosen.estimates[method.name].seconds
        if estimate.seconds > _WORTH * alone * sum(map(len, bases)) / len(bases[0]):
            return None
        if estimate.memory_bytes > task.limits.memory_bytes or (chosen.at_last and estimate.seconds > task.budget):
            return None
        replace(chosen, estimates={method.name: estimate}).check(runs)
        to_budget = chosen.at_last and len(chosen.methods) == 1
        progress().begins(method.name, estimate.seconds)
        try:
            with meter().method(estimate.memory_bytes):
                chain = found.run(task, patience=task.patience * (1 if to_budget else len(bases)))
        except GaveUp:
            return None
        return Evolved(
            chain,
            self.model,
            self.circuit.num_qubits,
            [active.physical[qubit] for qubit in found.laid.order],
            {physical: fused.ends[qubit] for physical, qubit in place.items() if qubit in fused.ends},
            description(method, chain.accuracy, estimate),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Evolved:
    """A state whose qubits are still to be turned to a basis and read."""

    chain: OpenChain
    model: DeviceModel
    n_qubits: int
    order: list[int]  # the physical qubit at each place
    ends: Mapping[int, Matrix]  # what follows the last block of a qubit, before it is turned
    metadata: Mapping[str, Any]

    def sample(self, basis: Basis, shots: int, seed: Seed) -> tuple[Memory, list[int]]:
        """Shots, shape (shots, qubits), and the qubit of each column.

        Raises:
            GaveUp: truncation made a probability negative.
        """
        with meter().method(0):
            bits = self._read(basis).sample(shots, generator(seed))
        return bits, [qubit for qubit in self.order if qubit in basis]

    def expect(self, basis: Basis, terms: Sequence[Weights]) -> Matrix:
        """The exact means of terms, whose weights are of physical qubits."""
        with meter().method(0):
            chain = self._read(basis)
            place = {qubit: index for index, qubit in enumerate(self.order)}
            ahead, behind = chain.ahead(), chain.behind()
            values = [chain.mean({place[q]: weight for q, weight in term.items()}, ahead, behind) for term in terms]
        return np.array(values)

    def _read(self, basis: Basis) -> Chain:
        """The chain with two values at each place that the basis reads, and one at all others."""
        rows = readings(basis, self.n_qubits, self.model)
        asked = {
            place: rows[qubit] @ self.ends[qubit] if qubit in self.ends else rows[qubit]
            for place, qubit in enumerate(self.order)
            if qubit in basis
        }
        return self.chain.read(asked)


def readings(basis: Basis, n_qubits: int, model: DeviceModel) -> dict[int, Matrix]:
    """For each qubit the rows that turn it to a basis and read it, with all errors and waits of both; shape (2, 4).

    They are those of a circuit of one pulse on each qubit and the turns and readings behind it, without that pulse: before
    its first operation no qubit waits for others.
    """
    pulses = QuantumCircuit(n_qubits)
    pulses.x(sorted(basis))
    active, rows = scan(in_basis(pulses, basis, model), model), dict[int, Matrix]()
    for step in active.steps:
        if isinstance(step, Channel) and isinstance(step.transfer, np.ndarray):
            (qubit,) = step.qubits
            rows[qubit] = step.transfer @ rows[qubit] if qubit in rows else np.eye(4)
    return {active.physical[q]: active.confusion(q) @ MEASURE @ turned for q, turned in rows.items()}


def in_basis(circuit: QuantumCircuit, basis: Mapping[int, str], model: DeviceModel) -> QuantumCircuit:
    """The circuit, then the gates that turn X or Y of the qubits to Z, and readings into a register of their own.

    Its own measurements at its end are left out, as the service leaves them out: they would read each qubit twice. On a device
    that schedules, turning begins when all else has ended, so that what comes before depends on no basis.
    """
    turned = without_final_measurements(circuit)
    if model.scheduled:
        turned.barrier()
    register = ClassicalRegister(len(basis), _unused_name(circuit))
    turned.add_register(register)
    for bit, (qubit, letter) in zip(register, sorted(basis.items()), strict=True):
        if letter != "Z" and not model.ideal and model.error("sx", (qubit,)) is None:
            turned.append(U2Gate(0.0, np.pi if letter == "X" else np.pi / 2), [qubit])
        elif letter != "Z":
            if letter == "X":
                turned.rz(np.pi / 2, qubit)
            turned.append(SXGate(), [qubit])
        turned.measure(qubit, bit)
    return turned


def without_final_measurements(circuit: QuantumCircuit) -> QuantumCircuit:
    """A copy without the measurements after which nothing happens to the qubit, and whose bits nothing reads."""
    if _MEASUREMENTS.isdisjoint(circuit.count_ops()):
        return circuit.copy()
    touched, read, kept = set[Qubit](), set[Clbit](), list[CircuitInstruction]()
    for line in reversed(circuit.data):
        if line.name in _MEASUREMENTS and touched.isdisjoint(line.qubits) and read.isdisjoint(line.clbits):
            continue
        kept.append(line)
        if line.is_standard_gate() or not getattr(line.operation, "_directive", False):
            touched.update(line.qubits)
        if line.name not in _MEASUREMENTS:
            read.update(line.clbits)
    result = circuit.copy()
    if len(kept) < len(circuit.data):
        result.data = kept[::-1]
    return result


def _unused_name(circuit: QuantumCircuit) -> str:
    taken = {register.name for register in circuit.cregs}
    return next(name for k in count() if (name := f"{_REGISTER}{k}") not in taken)
