"""Dynamical decoupling: pulses in the waits of a circuit that undo each other.

Where the device schedules its circuits, pulses go wherever a qubit waits for others or for a delay, each with the error
of its gate; under the noise of local mode, which has no schedule, they go into the delays of the circuit. Pulses refocus
slow dephasing. Relaxation by T1 and T2, which is all that a calibration tells, is fast: against it decoupling costs a little.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Literal

from qiskit.circuit import CircuitInstruction, Delay, ParameterExpression, QuantumCircuit, Qubit
from qiskit.circuit.library import RZGate, XGate

from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.timeline import cycles_of, is_idle, timeline

from .failures import invalid

_AXES = {"XX": (0.0, 0.0), "XpXm": (0.0, pi), "XY4": (0.0, pi / 2, pi, -pi / 2)}
"""The axes of the pulses as angles from X in the equator: a pulse is an X between two rotations about Z."""


@dataclass(frozen=True, slots=True)
class Decoupling:
    """Which pulses, where the time goes that does not divide by the device's unit of time, and how waits come about.

    ``skip_reset`` leaves qubits alone that are known to be in 0: before their first gate, and after a reset.
    """

    sequence: Literal["XX", "XpXm", "XY4"]
    slack: Literal["middle", "edges"]
    method: Literal["alap", "asap"] = "alap"
    skip_reset: bool = False


def decoupled(circuit: QuantumCircuit, decoupling: Decoupling, model: DeviceModel) -> QuantumCircuit:
    """The circuit with pulses in every wait that is long enough for them; its duration stays.

    Raises:
        ProgramError: the circuit is dynamic, which decoupling does not go with.
    """
    if any(instruction.is_control_flow() for instruction in circuit.data):
        raise invalid("Dynamical decoupling does not go with dynamic circuits: disable one of them.")
    if model.scheduled and not any(map(by_values, circuit.data)):
        return _in_waits(circuit, decoupling, model)
    return _in_delays(circuit, decoupling, model)


def by_values(line: CircuitInstruction) -> bool:
    """Whether an instruction is a delay that is known only with the values of parameters."""
    return line.name == "delay" and isinstance(line.params[0], ParameterExpression)


def _in_waits(circuit: QuantumCircuit, decoupling: Decoupling, model: DeviceModel) -> QuantumCircuit:
    """Pulses wherever a qubit waits by the schedule; a delay is a wait like any other.

    Barriers have done their work then: a wait may begin before one and end behind it.
    """
    result = circuit.copy_empty_like()
    schedule = timeline(circuit, model, decoupling.method)
    free = dict.fromkeys(circuit.qubits, 0)
    ground = set(circuit.qubits)
    for entry in schedule.timed:
        instruction = entry.instruction
        if is_idle(instruction):
            continue
        for qubit in instruction.qubits:
            if (cycles := entry.begin - free[qubit]) > 0:
                alone = decoupling.skip_reset and qubit in ground
                _wait(result, qubit, circuit, cycles, None if alone else decoupling, model)
            free[qubit] = entry.end
            ground.discard(qubit)
            if instruction.name == "reset":
                ground.add(qubit)
        result.append(instruction)
    return result


def _in_delays(circuit: QuantumCircuit, decoupling: Decoupling, model: DeviceModel) -> QuantumCircuit:
    """Pulses in the delays that stand in the circuit."""
    result = circuit.copy_empty_like()
    for instruction in circuit.data:
        if instruction.name == "delay" and not by_values(instruction) and model.dt is not None:
            _wait(result, instruction.qubits[0], circuit, cycles_of(instruction, model), decoupling, model)
        else:
            result.append(instruction)
    return result


def _wait(
    result: QuantumCircuit,
    qubit: Qubit,
    circuit: QuantumCircuit,
    cycles: int,
    decoupling: Decoupling | None,
    model: DeviceModel,
) -> None:
    """Append a wait with the pulses in it, or alone if it is too short for them."""
    axes = () if decoupling is None else _AXES[decoupling.sequence]
    physical = (circuit.find_bit(qubit).index,)
    if decoupling is None or model.noise is None or ("x", physical) not in model.noise.gates:
        _delay(result, qubit, cycles, model)
        return
    free = cycles - len(axes) * model.cycles("x", physical)
    if free < 2 * len(axes):
        _delay(result, qubit, cycles, model)
        return
    for pause, axis in zip(pauses(free, len(axes), decoupling.slack), (*axes, None), strict=True):
        _delay(result, qubit, pause, model)
        if axis is not None:
            for step in (RZGate(-axis), XGate(), RZGate(axis)) if axis else (XGate(),):
                result.append(step, [qubit])


def _delay(result: QuantumCircuit, qubit: Qubit, cycles: int, model: DeviceModel) -> None:
    result.append(Delay(cycles, "dt") if model.dt is not None else Delay(cycles * model.cycle, "s"), [qubit])


def pauses(free: int, pulses: int, slack: Literal["middle", "edges"]) -> list[int]:
    """The pauses τ/2, τ, …, τ, τ/2 before, between and after the pulses, in units of dt; they add up to ``free``.

    What does not divide goes to the pause in the middle, or evenly to the first and the last.
    """
    between = free // pulses
    found = [between // 2, *[between] * (pulses - 1), between // 2]
    rest = free - sum(found)
    if slack == "middle":
        found[pulses // 2] += rest
    else:
        found[0] += rest // 2
        found[-1] += rest - rest // 2
    return found
