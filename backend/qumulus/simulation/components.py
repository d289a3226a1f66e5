"""The parts of a dynamic circuit that share neither a gate nor a classical bit: each is simulated by itself."""

from __future__ import annotations

from dataclasses import replace

from .circuits import ActiveCircuit
from .steps import Channel, Step, bits_read, bits_written, qubits_of


def components(circuit: ActiveCircuit) -> list[ActiveCircuit]:
    """The circuit in parts, on the same active qubits and bits. One with variables stays whole: they may join anything."""
    if circuit.n_memory > circuit.n_bits:
        return [circuit]
    parent = dict[tuple[str, int], tuple[str, int]]()

    def root(node: tuple[str, int]) -> tuple[str, int]:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = parent[above]
            node = above
        return node

    joined = [_nodes(step) for step in circuit.steps]
    ended = {qubit: [("qubit", qubit), ("bit", bit)] for qubit, bit in circuit.terminal.items()}
    for nodes in (*joined, *ended.values()):
        for node in nodes[1:]:
            parent[root(node)] = root(nodes[0])
    steps, terminal = dict[tuple[str, int], list[Step]](), dict[tuple[str, int], dict[int, int]]()
    for step, nodes in zip(circuit.steps, joined, strict=True):
        if nodes:
            steps.setdefault(root(nodes[0]), []).append(step)
    for qubit, nodes in ended.items():
        terminal.setdefault(root(nodes[0]), {})[qubit] = circuit.terminal[qubit]
    return [
        replace(circuit, steps=tuple(steps.get(part, ())), terminal=terminal.get(part, {}))
        for part in dict.fromkeys([*steps, *terminal])
    ] or [circuit]


def written(circuit: ActiveCircuit) -> list[int]:
    """The bits that a circuit writes, in ascending order."""
    return sorted({bit for step in circuit.steps for bit in bits_written(step)} | set(circuit.terminal.values()))


def read(step: Step) -> set[int]:
    """The bits that are read from qubits in a step or its bodies."""
    return set() if isinstance(step, Channel) else set(bits_written(step, stored=False))


def _nodes(step: Step) -> list[tuple[str, int]]:
    if isinstance(step, Channel):
        return [("qubit", qubit) for qubit in step.qubits]
    bits = (*bits_written(step), *bits_read(step))
    return [*(("qubit", qubit) for qubit in qubits_of(step)), *(("bit", bit) for bit in bits)]
