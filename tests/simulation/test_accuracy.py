"""The exact methods against density matrices with Aer's noise: total variation at most 1e-6 on four devices.

Aer does not schedule, so these are of the noise of local mode; `test_schedule` compares that of the device.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.transpiler import Target, generate_preset_pass_manager

from qumulus.core.programs import LOCAL_MODE_NOISE
from qumulus.simulation.branches import Evolution
from qumulus.simulation.circuits import scan
from qumulus.simulation.dense import contract
from qumulus.simulation.devices import DeviceModel, device_model
from qumulus.simulation.sampling import sample
from qumulus.simulation.target import CONTROL_FLOW
from qumulus.simulation.tasks import Task

from . import reference
from .accuracy import record
from .circuits import STATIC, isa, teleportation
from .reference import distribution, total_variation

DEVICES = ("brisbane", "fez", "kingston", "manila")
SIZES = (2, 3, 5, 8)
LARGEST = 10  # of which Aer takes a while
BOUND = 1e-6
TITLE = "total variation to the density matrix with Aer's noise"


def by_value(tensor: np.ndarray, qubits: list[int], terminal: dict[int, int]) -> np.ndarray:
    """A tensor with an axis a qubit as probabilities of the classical value."""
    order = sorted(range(len(qubits)), key=lambda axis: -terminal[qubits[axis]])
    return tensor.transpose(order).reshape(-1)


@pytest.mark.parametrize("kind", STATIC)
@pytest.mark.parametrize("name", DEVICES)
def test_exact_methods_agree_with_the_density_matrix(name: str, kind: str) -> None:
    model = device_model(name, noise=LOCAL_MODE_NOISE)
    sizes = [*SIZES, LARGEST] if name == "brisbane" else SIZES
    for n_qubits in (size for size in sizes if size <= model.n_qubits):
        circuit = isa(STATIC[kind](n_qubits), model)
        task = Task(scan(circuit, model), circuit, 1)
        expected = distribution(circuit, model)
        row = f"{kind}, {n_qubits} qubits" if (kind, n_qubits) != ("GHZ", 2) else "Bell"

        joint, qubits = np.ones(()), list[int]()
        for factor in contract(task.fused, task.readings):
            joint, qubits = np.multiply.outer(joint, factor.tensor), [*qubits, *factor.qubits]
        dense = total_variation(by_value(joint, qubits, task.active.terminal), expected)
        record(TITLE, row, name, dense)
        assert dense <= BOUND

        if n_qubits == LARGEST:
            continue
        _, states = Evolution(task.active, {}, 1e9).run(task.readings)
        branches = total_variation(by_value(states[0], sorted(task.readings), task.active.terminal), expected)
        record(TITLE, row, name, branches)
        assert branches <= BOUND


def corrected() -> QuantumCircuit:
    """A bit-flip code: a syndrome is read twice into one register, reset between, and steers a switch."""
    data, ancilla = QuantumRegister(2, "data"), QuantumRegister(1, "ancilla")
    syndrome, result = ClassicalRegister(2, "syndrome"), ClassicalRegister(2, "result")
    circuit = QuantumCircuit(data, ancilla, syndrome, result)
    circuit.ry(0.7, data[0])
    circuit.cx(data[0], data[1])
    for bit in syndrome:
        circuit.cx(data[0], ancilla[0])
        circuit.cx(data[1], ancilla[0])
        circuit.measure(ancilla[0], bit)
        circuit.reset(ancilla[0])
    with circuit.switch(syndrome) as case:
        with case(0b11):
            circuit.x(data[0])
        with case(0b01, 0b10):
            circuit.x(data[1])
    circuit.measure(data, result)
    return circuit


def repeated() -> QuantumCircuit:
    """A coin is thrown until it shows 0; a second qubit turns a little each time."""
    circuit = QuantumCircuit(2, 2)
    circuit.sx(0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.ry(0.4, 1)
        circuit.sx(0)
        circuit.measure(0, 0)
    circuit.measure(1, 1)
    return circuit


def with_control_flow(model: DeviceModel) -> Target:
    """The target of a device, with the control flow that its own calibration does not list."""
    target = copy.deepcopy(model.target)
    for name in CONTROL_FLOW.keys() - set(target.operation_names):
        target.add_instruction(CONTROL_FLOW[name], name=name)
    return target


DYNAMIC = {"teleportation": teleportation, "correction by switch": corrected, "repeat until success": repeated}


@pytest.mark.parametrize("kind", DYNAMIC)
@pytest.mark.parametrize("name", DEVICES)
def test_dynamic_circuits_agree_with_density_matrices(name: str, kind: str) -> None:
    model = device_model(name, noise=LOCAL_MODE_NOISE)
    circuit = generate_preset_pass_manager(1, target=with_control_flow(model), seed_transpiler=7).run(DYNAMIC[kind]())
    task = Task(scan(circuit, model), circuit, 1)
    memories, states = Evolution(task.active, {}, 1e9).run(task.readings)
    ours = reference.by_value(memories, states, task.active.terminal, circuit.num_clbits)
    distance = total_variation(ours, reference.Dynamic(circuit, model).distribution())
    record(TITLE, kind, name, distance)
    assert distance <= BOUND


@pytest.mark.parametrize("name", ["brisbane", "kingston"])
def test_feed_forward_agrees_with_aer_shot_by_shot(name: str) -> None:
    model = device_model(name)
    circuit = isa(teleportation(), model)
    shots = 20_000
    ours = sample(circuit, model, shots=1_000_000, seed=1, method="branches").counts()
    theirs = sample(circuit, model, shots=shots, seed=2, method="aer").counts()
    chi_squared = sum((theirs.get(k, 0) - shots * n / 1e6) ** 2 / (shots * n / 1e6) for k, n in ours.items())
    assert chi_squared < 24.3  # seven degrees of freedom; one seed in a thousand is worse
