"""Circuits that are short as a text and long when they are written out are counted before anything is built."""

from __future__ import annotations

import io
import time
from contextlib import ExitStack

import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Gate

from qumulus.core.programs import Limits
from qumulus.simulation import circuits
from qumulus.simulation.devices import device_model
from qumulus.simulation.errors import Refused
from qumulus.simulation.length import steps
from qumulus.simulation.programs import openqasm_text
from qumulus.simulation.programs.runtime.circuits import from_qpy

MODEL = device_model("qulacs")


def doubled(times: int) -> QuantumCircuit:
    """Gates that are twice the one before, as a program defines them."""
    gate = None
    for number in range(times):
        definition = QuantumCircuit(1)
        for _ in range(2):
            definition.x(0) if gate is None else definition.append(gate, [0])
        gate = Gate(f"twice{number}", 1, [])
        gate.definition = definition
    circuit = QuantumCircuit(1, 1)
    circuit.append(gate, [0])
    circuit.measure(0, 0)
    return circuit


def nested(*ranges: range) -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    with ExitStack() as loops:
        for indices in ranges:
            loops.enter_context(circuit.for_loop(indices))
        circuit.x(0)
    circuit.measure(0, 0)
    return circuit


BOMBS = {
    "gates": doubled(40),
    "loops": nested(range(1000), range(1000), range(1000)),
    "one loop": nested(range(10**15)),
    "a loop of nothing": nested(range(0, -(10**9), -1)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_without_a_step_of_it_being_read(name, monkeypatch):
    def read(*_: object) -> None:
        raise AssertionError("a step was read")

    monkeypatch.setattr(circuits._Scanner, "read", read)
    with pytest.raises(Refused, match="2000000 steps"):
        circuits.scan(BOMBS[name], MODEL)


def qasm2(times: int) -> str:
    gates = "gate g0 a { x a; x a; } " + " ".join(f"gate g{k} a {{ g{k - 1} a; g{k - 1} a; }}" for k in range(1, times))
    return f'OPENQASM 2.0; include "qelib1.inc"; {gates} qreg q[1]; creg c[1]; g{times - 1} q[0]; measure q -> c;'


def test_a_bomb_in_a_text_is_counted_as_fast_as_it_is_short():
    """It took a minute, in which the worker ran nothing else."""
    used = time.process_time()
    with pytest.raises(Refused, match="2000000 steps"):
        circuits.scan(openqasm_text.read(qasm2(40), most_qubits=10), MODEL)
    assert time.process_time() - used < 5


def test_a_bomb_in_qpy_is_counted_as_fast_as_it_is_short():
    file = io.BytesIO()
    qpy.dump(BOMBS["loops"], file)
    used = time.process_time()
    (loaded,) = from_qpy(file.getvalue(), Limits(), programs=1)
    with pytest.raises(Refused, match="2000000 steps"):
        circuits.scan(loaded, MODEL)
    assert time.process_time() - used < 5


def test_what_is_counted_is_what_is_read():
    circuit = nested(range(3), range(10, 0, -4))
    circuit.compose(doubled(3), inplace=True)
    with circuit.if_test((0, 1)):
        circuit.x(0)
    with circuit.while_loop((0, 1)):
        circuit.x(0)
        circuit.measure(0, 0)
    counting = circuits._Scanner(circuit, MODEL)
    list(counting.read(circuit, range(1), counting.bits, {}))
    read = circuits.MOST_STEPS - counting._left
    assert read <= steps(circuit) <= read + 10  # loops inside a body are counted once more each


def test_many_plain_operations_are_not_looked_at_one_by_one():
    circuit = QuantumCircuit(1)
    for _ in range(1000):
        circuit.x(0)
    assert steps(circuit) == 1000
