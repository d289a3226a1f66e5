"""Circuits that the tests of the simulation share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr
from qiskit.circuit.library import QFTGate, efficient_su2, quantum_volume
from qiskit.transpiler import generate_preset_pass_manager

from qumulus.simulation.devices import DeviceModel


def isa(circuit: QuantumCircuit, model: DeviceModel) -> QuantumCircuit:
    """The circuit in the device's own gates, on qubits that the transpiler chooses."""
    return generate_preset_pass_manager(optimization_level=1, target=model.target, seed_transpiler=7).run(circuit)


def bell() -> QuantumCircuit:
    return ghz(2)


def ghz(n_qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(n_qubits)
    circuit.h(0)
    for qubit in range(n_qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def su2(n_qubits: int, layers: int = 2, entanglement: str = "linear", seed: int = 1) -> QuantumCircuit:
    """Efficient SU(2) with random angles."""
    ansatz = efficient_su2(n_qubits, reps=layers, entanglement=entanglement)
    circuit = ansatz.assign_parameters(np.random.default_rng(seed).uniform(0, 2 * np.pi, ansatz.num_parameters))
    circuit.measure_all()
    return circuit


def volume(n_qubits: int) -> QuantumCircuit:
    circuit = quantum_volume(n_qubits, seed=3)
    circuit.measure_all()
    return circuit


def ising(n_qubits: int, steps: int) -> QuantumCircuit:
    """Trotter steps of a transverse-field Ising chain."""
    circuit = QuantumCircuit(n_qubits)
    for _ in range(steps):
        for start in (0, 1):
            for qubit in range(start, n_qubits - 1, 2):
                circuit.rzz(0.3, qubit, qubit + 1)
        circuit.rx(0.4, range(n_qubits))
    circuit.measure_all()
    return circuit


def heisenberg(n_qubits: int, steps: int) -> QuantumCircuit:
    """Trotter steps of a Heisenberg chain from a Néel state; not measured."""
    circuit = QuantumCircuit(n_qubits)
    circuit.x(range(0, n_qubits, 2))
    for _ in range(steps):
        for start in (0, 1):
            for qubit in range(start, n_qubits - 1, 2):
                for turn in (circuit.rxx, circuit.ryy, circuit.rzz):
                    turn(0.3, qubit, qubit + 1)
    return circuit


def ring(n_qubits: int, layers: int) -> QuantumCircuit:
    """QAOA on a ring with random angles."""
    random, circuit = np.random.default_rng(2), QuantumCircuit(n_qubits)
    circuit.h(range(n_qubits))
    for _ in range(layers):
        cost, mixer = random.uniform(0, 3, 2)
        for qubit in range(n_qubits):
            circuit.rzz(cost, qubit, (qubit + 1) % n_qubits)
        circuit.rx(mixer, range(n_qubits))
    circuit.measure_all()
    return circuit


def fourier(n_qubits: int) -> QuantumCircuit:
    """The quantum Fourier transform of a product state that is no eigenstate of it."""
    circuit = QuantumCircuit(n_qubits)
    for qubit in range(n_qubits):
        circuit.ry(0.3 + qubit, qubit)
    circuit.compose(QFTGate(n_qubits).definition, range(n_qubits), inplace=True)
    circuit.measure_all()
    return circuit


def brickwork(n_qubits: int, depth: int, seed: int = 2) -> QuantumCircuit:
    """Random single-qubit gates, then cx on even and odd pairs in turn."""
    random, circuit = np.random.default_rng(seed), QuantumCircuit(n_qubits)
    for layer in range(depth):
        for qubit in range(n_qubits):
            circuit.u(*random.uniform(0, 2 * np.pi, 3), qubit)
        for qubit in range(layer % 2, n_qubits - 1, 2):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def device_ghz(model: DeviceModel) -> QuantumCircuit:
    """GHZ of all qubits of a device: a breadth-first tree on the coupling map, from its centre; no swaps."""
    neighbours: dict[int, set[int]] = {qubit: set() for qubit in range(model.n_qubits)}
    for first, second in model.target.build_coupling_map().get_edges():
        neighbours[first].add(second)
        neighbours[second].add(first)
    circuit, seen, tree = QuantumCircuit(model.n_qubits), {model.n_qubits // 2}, [model.n_qubits // 2]
    circuit.h(tree[0])
    for qubit in tree:
        for other in sorted(neighbours[qubit] - seen):
            seen.add(other)
            tree.append(other)
            circuit.cx(qubit, other)
    circuit.measure_all()
    in_place = list(range(model.n_qubits))
    manager = generate_preset_pass_manager(optimization_level=1, target=model.target, initial_layout=in_place)
    return manager.run(circuit)


def lattice_layers(model: DeviceModel) -> list[list[tuple[int, int]]]:
    """The edges of a heavy hexagon in three layers without a common qubit each."""
    layers: list[list[tuple[int, int]]] = [[], [], []]
    for edge in sorted({(min(edge), max(edge)) for edge in model.target.build_coupling_map().get_edges()}):
        next(layer for layer in layers if all(set(edge).isdisjoint(other) for other in layer)).append(edge)
    return layers


def kicked_ising(model: DeviceModel, steps: int, kick: float, optimization_level: int = 2) -> QuantumCircuit:
    """The utility experiment on the whole device (Nature 618, 500): kicks by rx, then rzz of −π/2 on every edge."""
    circuit = QuantumCircuit(model.n_qubits)
    for _ in range(steps):
        circuit.rx(kick, range(model.n_qubits))
        for layer in lattice_layers(model):
            for edge in layer:
                circuit.rzz(-np.pi / 2, *edge)
    return on_its_own_qubits(circuit, model, optimization_level)


def qaoa(model: DeviceModel, layers: int) -> QuantumCircuit:
    """QAOA of the device's own graph, with all its qubits, without measurements."""
    random, circuit = np.random.default_rng(1), QuantumCircuit(model.n_qubits)
    circuit.h(range(model.n_qubits))
    for _ in range(layers):
        cost, mixer = random.uniform(0.3, 1.0, 2)
        for edges in lattice_layers(model):
            for edge in edges:
                circuit.rzz(cost, *edge)
        circuit.rx(mixer, range(model.n_qubits))
    return on_its_own_qubits(circuit, model)


def on_its_own_qubits(circuit: QuantumCircuit, model: DeviceModel, optimization_level: int = 2) -> QuantumCircuit:
    """A circuit of the device's qubits in the device's gates, where each qubit stays."""
    in_place = list(range(model.n_qubits))
    return generate_preset_pass_manager(
        optimization_level, target=model.target, initial_layout=in_place, seed_transpiler=7
    ).run(circuit)


def teleportation() -> QuantumCircuit:
    """A state sent over a Bell pair, mended by what was measured."""
    circuit = QuantumCircuit(3, 3)
    circuit.ry(1.1, 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test((circuit.clbits[1], 1)):
        circuit.x(2)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.z(2)
    circuit.measure(2, 2)
    return circuit


def long_range_cnot(distance: int) -> QuantumCircuit:
    """A CNOT over ``distance`` qubits by Bell pairs, Bell measurements and parities of what was read, from |+⟩ to |0⟩.

    E. Bäumer et al., PRX Quantum 5, 030339 (2024). The result is a Bell pair of the two ends.
    """
    between = QuantumRegister(distance - 1)
    ends, inner = ClassicalRegister(2, "ends"), ClassicalRegister(distance - 1, "inner")
    circuit = QuantumCircuit(QuantumRegister(1), between, QuantumRegister(1), inner, ends)
    circuit.h(0)
    pairs = range(1 if distance % 2 else 2, distance - 1, 2)
    for qubit in pairs:
        circuit.h(qubit)
        circuit.cx(qubit, qubit + 1)
    if distance % 2 == 0:
        circuit.cx(0, 1)
    for qubit in range(0 if distance % 2 else 1, distance, 2):
        circuit.cx(qubit, qubit + 1)
    to_x, to_z = [*range(1, distance, 2)], [*range(2, distance, 2)]
    if distance % 2 == 0:
        to_x, to_z = [*range(2, distance, 2)], [*range(1, distance, 2)]
    circuit.h(to_z)
    circuit.measure(between, inner)
    for qubits, target, gate in ((to_x, distance, circuit.x), (to_z, 0, circuit.z)):
        parity = expr.lift(inner[qubits[0] - 1]) if qubits else expr.lift(False)
        for qubit in qubits[1:]:
            parity = expr.bit_xor(parity, inner[qubit - 1])
        with circuit.if_test(parity):
            gate(target)
    circuit.measure([0, distance], ends)
    return circuit


def ghz_by_parities(n_qubits: int) -> QuantumCircuit:
    """GHZ of every other qubit in constant depth: parities of neighbours are read, and prefixes of them flip."""
    read, result = ClassicalRegister(n_qubits // 2, "read"), ClassicalRegister((n_qubits + 1) // 2, "result")
    circuit = QuantumCircuit(QuantumRegister(n_qubits), read, result)
    circuit.h(range(0, n_qubits, 2))
    for qubit in range(1, n_qubits, 2):
        circuit.cx(qubit - 1, qubit)
    for qubit in range(1, n_qubits - 1, 2):
        circuit.cx(qubit + 1, qubit)
    circuit.measure(range(1, n_qubits, 2), read)
    parity = expr.lift(False)
    for qubit in range(2, n_qubits, 2):
        parity = expr.bit_xor(parity, read[qubit // 2 - 1])
        with circuit.if_test(parity):
            circuit.x(qubit)
    circuit.measure(range(0, n_qubits, 2), result)
    return circuit


STATIC: dict[str, Callable[[int], QuantumCircuit]] = {"GHZ": ghz, "SU(2)": su2, "quantum volume": volume}
