"""Always-on ZZ between neighbours: a phase of both together, for as long as neither of them has a gate.

    U(t) = exp(−i 2π ζ t |11⟩⟨11|)

with ζ the shift of a qubit's frequency when its neighbour is excited; frequencies are calibrated with neighbours in |0⟩. Gates
are calibrated with it. A pulse on one of both takes the phase back, the same pulse on both at once does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import pi

from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import CPhaseGate

from .devices import DeviceModel
from .seeds import generator
from .timeline import Timeline, is_idle, timeline

FIXED_COUPLERS, TUNABLE_COUPLERS = 50e3, 2e3
"""The typical ζ in hertz: of devices whose gates are `ecr` or `cx` (P. Jurcevic et al., Quantum Sci. Technol. 6, 025020, 2021),
and of those with tunable couplers, whose gate is `cz` (J. Stehlik et al., Phys. Rev. Lett. 127, 080505, 2021)."""

_SPREAD = 0.3

Interval = tuple[int, int]


def shift(model: DeviceModel, pair: tuple[int, int]) -> float:
    """ζ of two neighbours in hertz, which is theirs for good."""
    noise = model.noise
    if noise is None:
        return 0.0
    typical = TUNABLE_COUPLERS if any(("cz", found) in noise.gates for found in (pair, pair[::-1])) else FIXED_COUPLERS
    return typical * (1.0 + _SPREAD * float(generator((noise.character, *sorted(pair))).standard_normal()))


def with_crosstalk(circuit: QuantumCircuit, model: DeviceModel) -> QuantumCircuit:
    """The circuit with the phases that neighbours give each other while both wait; a dynamic one stays as it is.

    Raises:
        ProgramError: a delay is known only with the values of its parameters.
    """
    if any(line.is_control_flow() for line in circuit.data):
        return circuit
    schedule = timeline(circuit, model)
    waits = _waits(schedule)
    items = [(float(entry.begin), place, entry.instruction) for place, entry in enumerate(schedule.timed)]
    for first, second in _neighbours(model):
        if first in waits and second in waits:
            zeta = shift(model, (first, second))
            qubits = [circuit.qubits[first], circuit.qubits[second]]
            for begin, end in _both(waits[first], waits[second]):
                angle = -2 * pi * zeta * (end - begin) * model.cycle
                items.append(((begin + end) / 2, len(items), (CPhaseGate(angle), qubits)))
    result = circuit.copy_empty_like()
    for _, _, item in sorted(items, key=lambda each: each[:2]):
        result.append(*item) if isinstance(item, tuple) else result.append(item)
    return result


def _neighbours(model: DeviceModel) -> list[tuple[int, int]]:
    """Each pair of qubits that have a gate, once."""
    noise = model.noise
    pairs = () if noise is None else (qubits for _, qubits in noise.gates if len(qubits) == 2)
    return sorted({(min(pair), max(pair)) for pair in pairs})


def _waits(schedule: Timeline) -> dict[int, list[Interval]]:
    """When each qubit waits, between its first operation and its last one."""
    found, free = dict[int, list[Interval]](), dict[int, int]()
    for entry in schedule.timed:
        if is_idle(entry.instruction):
            continue
        for qubit in entry.qubits:
            if qubit in free and entry.begin > free[qubit]:
                found.setdefault(qubit, []).append((free[qubit], entry.begin))
            free[qubit] = entry.end
    return found


def _both(first: list[Interval], second: list[Interval]) -> Iterator[Interval]:
    """When both wait."""
    for begin, end in first:
        for other_begin, other_end in second:
            low, high = max(begin, other_begin), min(end, other_end)
            if high > low:
                yield low, high
