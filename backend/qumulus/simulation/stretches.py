"""Stretches: delays whose length is known only once the circuit is scheduled.

Without them the circuit has its shortest schedule. On each qubit, what lies between two operations that it shares with
others (a gate on two qubits, a barrier, a conditional) then has a fixed time, and a stretch s fills what is left of it:

    Σ lengths of all else + Σ (factor · s + rest) = time,   s = ⌊(time − Σ lengths − Σ rest) / Σ factors⌋.

A stretch on several qubits is the least that fits on each. What does not divide goes to the first delay that uses it, as on
the service (https://quantum.cloud.ibm.com/docs/guides/stretch). The bodies of a conditional or a loop end together, so that
a stretch in one of them fills what the longest of them leaves; in a loop it is the same in each round.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import floor
from typing import Any

from qiskit.circuit import Delay, QuantumCircuit
from qiskit.circuit.classical import expr

from .devices import DeviceModel
from .durations import Linear, linear
from .errors import ProgramError
from .timeline import Timeline, timeline

Place = tuple[int, ...]
"""Where an instruction stands: its index; in a body, behind those of the instruction and of the body."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A resolved stretch, in cycles: its value, what was left over, and the (begin, length) of each delay that uses it."""

    name: str
    value: int
    remainder: int
    delays: tuple[tuple[int, int], ...]


@dataclass(eq=False)
class _Segment:
    """What a qubit does between two operations that it shares with others."""

    begin: int
    end: int
    shift: int = 0  # from the begin of the circuit to that of its body
    parts: list[tuple[Place, int]] = field(default_factory=list)  # the place in the circuit, and its length

    def stretch(self, written: dict[Place, Linear]) -> Any:
        """The stretch that is used here, None without one.

        Raises:
            ProgramError: there are several.
        """
        found = {stretch for place, _ in self.parts if place in written for stretch in written[place].factors}
        if len(found) > 1:
            names = " and ".join(sorted(repr(stretch.name) for stretch in found))
            raise ProgramError(f"The stretches {names} are used on one qubit between two barriers: use one of them.")
        return next(iter(found), None)

    def left(self, written: dict[Place, Linear]) -> tuple[float, float]:
        """The cycles that are left for the stretch, and the sum of its factors."""
        free, factors = float(self.end - self.begin), 0.0
        for place, length in self.parts:
            if place in written:
                free -= written[place].rest
                factors += sum(written[place].factors.values())
            else:
                free -= length
        return free, factors


def resolved(circuit: QuantumCircuit, model: DeviceModel) -> tuple[QuantumCircuit, list[Stretch]]:
    """The circuit with every stretch replaced by its cycles, and what the stretches are; itself if it has none.

    Raises:
        ProgramError: a stretch has no solution, or is used where none is resolved.
    """
    if not circuit.num_stretches or model.ideal:
        return circuit, []
    written = dict(_written(circuit, model))
    shortest = {place: max(0, round(each.rest)) for place, each in written.items()}
    schedule = timeline(_with(circuit, shortest, model), model)
    segments = [
        (s, stretch) for s in _segments(schedule, schedule.length) if (stretch := s.stretch(written)) is not None
    ]
    values = dict[Any, int]()
    for segment, stretch in segments:
        free, factors = segment.left(written)
        if factors <= 0 or free < 0:
            raise ProgramError(
                f"The stretch {stretch.name!r} would be negative: what it is written with leaves it no time."
            )
        value = floor(free / factors + 1e-9)
        values[stretch] = min(value, values.get(stretch, value))
    lengths, found = dict[Place, int](), {stretch: (values[stretch], list[int](), list[Any]()) for stretch in values}
    for segment, stretch in segments:
        value, remainders, delays = found[stretch]
        remainder = _fill(segment, written, value, lengths)
        remainders.append(remainder)
        delays += _begun(segment, lengths, written)
    stretches = [
        Stretch(stretch.name, value, remainders[0], tuple(sorted(delays)))
        for stretch, (value, remainders, delays) in found.items()
    ]
    return _with(circuit, lengths, model), stretches


def _written(circuit: QuantumCircuit, model: DeviceModel, above: Place = ()) -> Iterator[tuple[Place, Linear]]:
    """What the delays are written with that use a stretch, in the circuit and in all bodies."""
    for index, line in enumerate(circuit.data):
        if line.is_control_flow():
            for number, block in enumerate(line.operation.blocks):
                yield from _written(block, model, (*above, index, number))
        elif line.name == "delay" and isinstance(line.params[0], expr.Expr):
            found = linear(line.params[0], model.cycle)
            if found.factors:
                yield (*above, index), found


def _segments(schedule: Timeline, length: int, above: Place = (), shift: int = 0) -> Iterator[_Segment]:
    """The segments of all qubits of a circuit or a body, which may last so long, and of the bodies within."""
    current = dict[int, _Segment]()
    for index, entry in enumerate(schedule.timed):
        shared = len(entry.qubits) > 1 or bool(entry.bodies)
        for qubit in entry.qubits:
            segment = current.setdefault(qubit, _Segment(0, length, shift))
            if shared:
                segment.end = entry.begin + length - schedule.length
                yield segment
                current[qubit] = _Segment(entry.end + length - schedule.length, length, shift)
            else:
                segment.parts.append(((*above, index), entry.length))
        longest = max((body.length for body in entry.bodies), default=0)
        late = length - schedule.length
        inner = shift + late + (entry.begin if entry.instruction.name == "for_loop" else entry.end - longest)
        for number, body in enumerate(entry.bodies):
            yield from _segments(body, longest, (*above, index, number), inner)
    yield from current.values()


def _fill(segment: _Segment, written: dict[Place, Linear], value: int, lengths: dict[Place, int]) -> int:
    """Give the delays of a segment their cycles, what is left over to the first; returns what that is.

    Raises:
        ProgramError: one would be negative.
    """
    places = [place for place, _ in segment.parts if place in written]
    for place in places:
        each = written[place]
        lengths[place] = floor(sum(each.factors.values()) * value + each.rest + 1e-9)
    used = sum(lengths[place] if place in written else length for place, length in segment.parts)
    remainder = segment.end - segment.begin - used
    lengths[places[0]] += remainder
    if min(lengths[place] for place in places) < 0:
        raise ProgramError("A delay by a stretch would be negative: what it is written with leaves it no time.")
    return remainder


def _begun(segment: _Segment, lengths: dict[Place, int], written: dict[Place, Linear]) -> Iterator[tuple[int, int]]:
    """The begin and the length of each delay by a stretch; together with all else they fill the segment."""
    time = segment.shift + segment.begin
    for place, length in segment.parts:
        if place in written:
            yield time, lengths[place]
        time += lengths.get(place, length)


def _with(circuit: QuantumCircuit, lengths: dict[Place, int], model: DeviceModel, above: Place = ()) -> QuantumCircuit:
    """The circuit with delays of so many cycles at some places."""
    result = circuit.copy_empty_like()
    for index, line in enumerate(circuit.data):
        place = (*above, index)
        if place in lengths:
            cycles = lengths[place]
            line = line.replace(operation=Delay(cycles, "dt") if model.dt else Delay(cycles * model.cycle, "s"))
        elif any(each[: len(place)] == place for each in lengths):
            blocks = [_with(block, lengths, model, (*place, n)) for n, block in enumerate(line.operation.blocks)]
            line = line.replace(operation=line.operation.replace_blocks(blocks))
        result.append(line)
    return result


def shown(stretches: Sequence[Stretch]) -> list[dict[str, Any]]:
    """The stretches as the service's metadata show them."""
    return [
        {"name": s.name, "value": s.value, "remainder": s.remainder, "expanded_values": [list(d) for d in s.delays]}
        for s in stretches
    ]
