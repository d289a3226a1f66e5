"""One circuit to simulate, and what a method answers about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from qumulus.core.programs import Limits

from .blocks import Fused, fuse
from .circuits import ActiveCircuit
from .deferral import deferred
from .seeds import Seed
from .steps import Binding, Channel, number
from .transfer import MEASURE, Matrix

Memory = NDArray[np.uint8]

Weights = Mapping[int, Matrix]
"""A term of an observable: for some measured qubits what the readings 0 and 1 count, shape (2,); others count 1."""


@dataclass(eq=False)
class Task:
    """A scanned circuit with its parameters' values, the shots that are asked for and the limits.

    ``patience`` is set when a method is chosen: seconds of the reference machine (`machine`) that the next best one takes.
    A method that can only guess what it takes gives up when it has worked for so long.
    """

    active: ActiveCircuit
    circuit: QuantumCircuit
    shots: int
    limits: Limits = field(default_factory=Limits)
    binding: Binding = field(default_factory=dict)
    patience: float = inf

    def value(self, parameter: Any) -> float:
        """The number of a gate's parameter, which may be an expression of the circuit's."""
        return number(parameter, self.binding)

    @cached_property
    def deferred(self) -> ActiveCircuit | None:
        """The circuit with all measurements at its end, None where that is not possible; see `deferral`."""
        return deferred(self.active)

    @property
    def channels(self) -> ActiveCircuit:
        """The same, for methods that object to circuits for which it is not possible."""
        if self.deferred is None:
            raise ValueError("The measurements of this circuit cannot be deferred to its end.")
        return self.deferred

    @cached_property
    def fused(self) -> Fused:
        """The `channels` as two-qubit blocks."""
        return fuse((step for step in self.channels.steps if isinstance(step, Channel)), self.binding)

    @cached_property
    def readings(self) -> dict[int, Matrix]:
        """For each qubit measured at the end the rows that give the probabilities of reading 0 and 1; shape (2, 4)."""
        return _readings(self.active)

    @cached_property
    def outputs(self) -> dict[int, Matrix]:
        """The same for all that the `channels` measure."""
        return self.readings if self.channels is self.active else _readings(self.channels)


def _readings(circuit: ActiveCircuit) -> dict[int, Matrix]:
    return {qubit: circuit.confusion(qubit) @ MEASURE for qubit in circuit.terminal}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would take."""

    seconds: float
    memory_bytes: float

    def __str__(self) -> str:
        return f"{self.seconds:.2g} s and {self.memory_bytes / (1 << 20):.3g} MiB"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Shots as they were read into the classical bits, shape (shots, bits), and how accurate they are."""

    memory: Memory
    accuracy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Means:
    """Exact means of terms, in their order, and how accurate they are."""

    values: Matrix
    accuracy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to simulate.

    ``objection`` says in a clause why the method cannot do a task, or gives None if it can; ``estimate`` says what it
    takes. ``approximation`` names what differs from the device model, None if nothing. ``reluctance`` is how many times
    slower an exact method may be before this one is preferred; for a task for which it is the ``last_resort``, any other
    that may is, however slow. ``expect`` gives the exact mean of each term over what the terminal measurements read;
    methods that can only draw shots have none, and ``draws_only`` says so of the tasks for which one can only draw shots.
    ``by_name_only`` methods run when they are named, and never else.
    """

    name: str
    engine: str
    objection: Callable[[Task], str | None]
    estimate: Callable[[Task], Estimate]
    sample: Callable[[Task, Seed], Drawn]
    expect: Callable[[Task, Sequence[Weights]], Means] | None = None
    draws_only: Callable[[Task], bool] = lambda _: False
    approximation: str | None = None
    reluctance: float = 1.0
    last_resort: Callable[[Task], bool] = lambda _: False
    by_name_only: bool = False
