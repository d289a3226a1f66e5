"""Dynamical decoupling: pulses in the delays of a circuit that undo each other.

The calibrated noise of a device acts in gates and in delays that the circuit declares; other idle time has none. So pulses
go into the declared delays, each with the error of its gate. They refocus slow dephasing, which this noise does not have:
as on a device whose dephasing is fast, decoupling costs a little here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Literal

from qiskit.circuit import Delay, ParameterExpression, QuantumCircuit, Qubit
from qiskit.circuit.library import RZGate, XGate
from qiskit.utils.units import apply_prefix

from qumulus.simulation.devices import DeviceModel

from .failures import invalid

_AXES = {"XX": (0.0, 0.0), "XpXm": (0.0, pi), "XY4": (0.0, pi / 2, pi, -pi / 2)}
"""The axes of the pulses as angles from X in the equator: a pulse is an X between two rotations about Z."""


@dataclass(frozen=True, slots=True)
class Decoupling:
    """Which pulses, and where the time goes that does not divide by the device's unit of time."""

    sequence: Literal["XX", "XpXm", "XY4"]
    slack: Literal["middle", "edges"]


def decoupled(circuit: QuantumCircuit, decoupling: Decoupling, model: DeviceModel) -> QuantumCircuit:
    """The circuit with pulses in every delay that is long enough for them; its duration stays.

    Raises:
        ProgramError: the circuit is dynamic, which decoupling does not go with.
    """
    result = circuit.copy_empty_like()
    for instruction in circuit.data:
        if instruction.is_control_flow():
            raise invalid("Dynamical decoupling does not go with dynamic circuits: disable one of them.")
        if isinstance(instruction.operation, Delay):
            _fill(result, instruction.qubits[0], circuit, instruction.operation, decoupling, model)
        else:
            result.append(instruction)
    return result


def _fill(
    result: QuantumCircuit,
    qubit: Qubit,
    circuit: QuantumCircuit,
    delay: Delay,
    decoupling: Decoupling,
    model: DeviceModel,
) -> None:
    """Append a delay with the pulses in it, or alone if it is too short for them."""
    axes = _AXES[decoupling.sequence]
    gate = None if model.noise is None else model.noise.gates.get(("x", (circuit.find_bit(qubit).index,)))
    duration, dt = delay.duration, model.dt
    if gate is None or dt is None or isinstance(duration, ParameterExpression):
        result.append(delay, [qubit])
        return
    total = duration if delay.unit == "dt" else round(apply_prefix(float(duration), delay.unit) / dt)
    free = int(total) - len(axes) * round(gate.length / dt)
    if free < 2 * len(axes):
        result.append(delay, [qubit])
        return
    for pause, axis in zip(pauses(free, len(axes), decoupling.slack), (*axes, None), strict=True):
        result.append(Delay(pause, "dt"), [qubit])
        if axis is not None:
            for step in (RZGate(-axis), XGate(), RZGate(axis)) if axis else (XGate(),):
                result.append(step, [qubit])


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
