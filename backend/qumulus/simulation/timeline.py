"""The schedule of a circuit as it stands: when each of its instructions begins, and how long it lasts.

The times are those of `schedule`, which has the steps of the simulation before it; here they are Qiskit's instructions,
for what has to change a circuit (delays for Aer, decoupling pulses, stretches) or to show it. Times count in cycles of the
device, see `DeviceModel.cycle`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from qiskit.circuit import CircuitInstruction, Delay, ParameterExpression, QuantumCircuit, Qubit
from qiskit.circuit.classical import expr
from qiskit.utils.units import apply_prefix

from .devices import DeviceModel
from .durations import linear
from .errors import ProgramError
from .schedule import Backwards, feed_forward

Branch = Literal["main", "then", "else"]
Method = Literal["alap", "asap"]
_VARIABLES = "variables"


@dataclass(frozen=True, slots=True)
class Timed:
    """An instruction of a circuit on physical qubits, with its first cycle and its length.

    ``bodies`` are the schedules of a conditional or a loop, which begin together and end together.
    """

    instruction: CircuitInstruction
    qubits: tuple[int, ...]
    begin: int
    length: int
    bodies: tuple[Timeline, ...] = ()

    @property
    def end(self) -> int:
        """The first cycle after it."""
        return self.begin + self.length


@dataclass(frozen=True, slots=True)
class Timeline:
    """A circuit, or a body of one of its instructions, with its instructions in its own order."""

    circuit: QuantumCircuit
    timed: tuple[Timed, ...]
    length: int


def timeline(circuit: QuantumCircuit, model: DeviceModel, method: Method = "alap") -> Timeline:
    """The schedule of a circuit with every instruction as late, or as soon, as its neighbours allow.

    Raises:
        ProgramError: a delay is not known before the parameters have values, or is a stretch that nobody has resolved.
    """
    return _timeline(circuit, range(circuit.num_qubits), model, method)


def length(circuit: QuantumCircuit, model: DeviceModel) -> int:
    """The cycles that a circuit lasts: the length of its `timeline`, which is not made for that.

    Raises:
        ProgramError: as `timeline`.
    """
    return _lasts(circuit, range(circuit.num_qubits), model)


def _lasts(circuit: QuantumCircuit, physical: Sequence[int], model: DeviceModel) -> int:
    where = dict(zip(circuit.qubits, physical, strict=True))
    joined = bool(circuit.num_vars)
    ends, cycles_of_gate = defaultdict[Any, int](int), model.cycles
    for line in circuit.data:
        qubits = tuple([where[qubit] for qubit in line.qubits])
        if len(qubits) == 1 and line.is_standard_gate():  # most are
            ends[qubits[0]] += cycles_of_gate(line.name, qubits)
            continue
        blocks = line.operation.blocks if line.is_control_flow() else ()
        cycles = _length(line, qubits, [_lasts(block, qubits, model) for block in blocks], model)
        wires = (*qubits, *_classical(line, joined=joined))
        end = max([ends[wire] for wire in wires], default=0) + cycles
        for wire in wires:
            ends[wire] = end
    return max(ends.values(), default=0)


def _timeline(circuit: QuantumCircuit, physical: Sequence[int], model: DeviceModel, method: Method) -> Timeline:
    where = dict(zip(circuit.qubits, physical, strict=True))
    placed: Any = Backwards()
    joined = bool(circuit.num_vars)
    entries = list[tuple[CircuitInstruction, tuple[int, ...], int, int, list[Timeline]]]()
    for instruction in circuit.data if method == "asap" else reversed(circuit.data):
        qubits = tuple(where[qubit] for qubit in instruction.qubits)
        bodies = [
            _timeline(block, qubits, model, method)
            for block in (instruction.operation.blocks if instruction.is_control_flow() else ())
        ]
        length = _length(instruction, qubits, [body.length for body in bodies], model)
        wires = [*qubits, *_classical(instruction, joined=joined)]
        entries.append((instruction, qubits, placed.place(wires, length), length, bodies))
    whole = placed.length
    if method == "alap":
        entries = [(i, q, whole - distance - length, length, b) for i, q, distance, length, b in reversed(entries)]
    return Timeline(circuit, tuple(Timed(i, q, begin, n, tuple(b)) for i, q, begin, n, b in entries), whole)


def _length(instruction: CircuitInstruction, qubits: tuple[int, ...], bodies: Sequence[int], model: DeviceModel) -> int:
    """``bodies`` are the lengths of those that it has."""
    name = instruction.name
    if bodies:
        longest = max(bodies)
        if name == "for_loop":
            return longest * len(instruction.operation.params[0])
        return longest if name == "box" else longest + feed_forward(model)
    if name == "delay":
        return cycles_of(instruction, model)
    return model.cycles(name, qubits) if qubits else 0


def cycles_of(delay: CircuitInstruction, model: DeviceModel) -> int:
    """The cycles of a delay.

    Raises:
        ProgramError: it depends on a parameter without a value, or on a stretch.
    """
    length, unit = delay.params[0], delay.operation.unit
    if isinstance(length, expr.Expr):
        return linear(length, model.cycle).constant()
    if isinstance(length, ParameterExpression):
        if length.parameters:
            raise ProgramError(f"The delay {str(length)[:40]} is known only with the values of its parameters.")
        length = length.numeric()
    seconds = float(length) * (model.cycle if unit == "dt" else apply_prefix(1.0, unit))
    return round(seconds / model.cycle)


def _classical(instruction: CircuitInstruction, *, joined: bool) -> Iterator[Any]:
    """What an instruction reads and writes besides its qubits; ``joined``: its circuit has variables, which stay in order."""
    yield from instruction.clbits
    if joined and (instruction.is_control_flow() or instruction.name == "store"):
        yield _VARIABLES


def is_idle(line: CircuitInstruction) -> bool:
    """Whether nothing happens to the qubits: a delay, or a barrier."""
    return line.name in ("delay", "barrier")


def padded(circuit: QuantumCircuit, model: DeviceModel) -> QuantumCircuit:
    """The circuit with a delay wherever a qubit waits for others: what a simulator does that does not schedule by itself.

    Raises:
        ProgramError: as `timeline`.
    """
    return _padded(timeline(circuit, model), model, {}, begun=False)


def _padded(schedule: Timeline, model: DeviceModel, extra: Mapping[Qubit, int], *, begun: bool) -> QuantumCircuit:
    """``begun``: something has happened to the qubits before; ``extra`` cycles they wait before the first instruction."""
    result = schedule.circuit.copy_empty_like()
    free = dict.fromkeys(schedule.circuit.qubits, 0) if begun else dict[Qubit, int]()
    for qubit, cycles in extra.items():
        _wait(result, qubit, cycles, model)
    for entry in schedule.timed:
        instruction = entry.instruction
        for qubit in instruction.qubits:
            if qubit in free:
                _wait(result, qubit, entry.begin - free[qubit], model)
            if qubit in free or not is_idle(instruction):
                free[qubit] = entry.end
        result.append(_with_bodies(entry, model) if entry.bodies else instruction)
    if begun:
        for qubit, end in free.items():
            _wait(result, qubit, schedule.length - end, model)
    return result


def _with_bodies(entry: Timed, model: DeviceModel) -> CircuitInstruction:
    """A conditional or a loop with the waits of its bodies in them."""
    operation, latency = entry.instruction.operation, 0
    if operation.name not in ("for_loop", "box"):
        latency = feed_forward(model)
    longest = max(body.length for body in entry.bodies)
    blocks = [
        _padded(body, model, dict.fromkeys(body.circuit.qubits, latency + longest - body.length), begun=True)
        for body in entry.bodies
    ]
    if operation.name == "if_else" and len(blocks) == 1:
        (body,) = entry.bodies
        otherwise = body.circuit.copy_empty_like()
        for qubit in otherwise.qubits:
            _wait(otherwise, qubit, latency + longest, model)
        blocks.append(otherwise)
    return entry.instruction.replace(operation=operation.replace_blocks(blocks))


def _wait(circuit: QuantumCircuit, qubit: Qubit, cycles: int, model: DeviceModel) -> None:
    if cycles > 0:
        delay = Delay(cycles, "dt") if model.dt is not None else Delay(cycles * model.cycle, "s")
        circuit.append(delay, [qubit])


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a printed schedule."""

    branch: Branch
    instruction: str
    channel: str
    begin: int
    length: int
    pulse: str

    def __str__(self) -> str:
        return f"{self.branch},{self.instruction},{self.channel},{self.begin},{self.length},{self.pulse}"


def printed(schedule: Timeline) -> str:
    """The schedule in the form that the client's ``draw_circuit_schedule_timing`` reads: one line for each pulse.

    A line names branch, instruction with its qubits, channel, first cycle, cycles and kind of pulse. Qubits are driven on
    "Qubit q" and read on "AWGR0_q" (which readout instrument a qubit has is not published); conditions come over the hub.
    """
    return "".join(f"{line}\n" for line in sorted(_lines(schedule, "main", 0), key=lambda line: line.begin))


def _lines(schedule: Timeline, branch: Branch, start: int) -> Iterator[Line]:
    for entry in schedule.timed:
        yield from _of(entry, branch, start + entry.begin)


def _of(entry: Timed, branch: Branch, begin: int) -> Iterator[Line]:
    name, qubits = entry.instruction.name, entry.qubits
    if entry.bodies:
        yield from _branches(entry, branch, begin)
    elif name == "barrier":
        yield from (Line(branch, "barrier", f"Qubit {qubit}", begin, 0, "barrier") for qubit in qubits)
    elif name.startswith("measure"):
        for qubit in qubits:
            yield Line(branch, f"measure_{qubit}", f"Qubit {qubit}", begin, entry.length, "play")
            yield Line(branch, f"measure_{qubit}", f"AWGR0_{qubit}", begin, entry.length, "capture")
    elif qubits:
        shown = "_".join(map(str, (name, *qubits)))
        pulse = "delay" if name == "delay" else "play" if entry.length else "shift_phase"
        yield from (Line(branch, shown, f"Qubit {qubit}", begin, entry.length, pulse) for qubit in qubits)


def _branches(entry: Timed, branch: Branch, begin: int) -> Iterator[Line]:
    """The bodies of a conditional or a loop; those of a box and of a loop belong to the branch that they stand in."""
    longest = max(body.length for body in entry.bodies)
    latency = entry.length - longest
    name = entry.instruction.name
    if name in ("box", "for_loop"):
        rounds = entry.length // longest if longest else 0
        (body,) = entry.bodies
        yield from chain.from_iterable(_lines(body, branch, begin + k * longest) for k in range(rounds))
        return
    yield Line(branch, "broadcast", "Hub", begin, latency, "broadcast")
    yield Line(branch, "receive", "Receive", begin + latency, 0, "receive")
    for number, body in enumerate(entry.bodies):
        inner: Branch = branch if name == "while_loop" else "else" if number else "then"
        yield from _lines(body, inner, begin + entry.length - body.length)
