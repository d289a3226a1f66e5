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
from .machine import slowness
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

    ``terms`` are what is to be estimated, where no shots are read for anything else, and ``sums`` the observables that they are
    added up to: for each the coefficients of its terms, by their places. The run should take ``budget`` seconds;
    a method that comes ever nearer to an answer ends there, and gives up if it is not near enough, unless
    ``at_any_accuracy`` says that no other method is left. ``kept`` is for what a method wants to find again.
    """

    active: ActiveCircuit
    circuit: QuantumCircuit
    shots: int
    limits: Limits = field(default_factory=Limits)
    binding: Binding = field(default_factory=dict)
    patience: float = inf
    terms: Sequence[Weights] = ()
    sums: Sequence[Mapping[int, float]] = ()
    budget: float = inf
    at_any_accuracy: bool = False
    kept: dict[str, Any] = field(default_factory=dict)

    def budget_of_approximation(self) -> float:
        """Seconds of the reference machine that a method may take which always answers: no more than a pub should."""
        return min(self.budget, self.limits.pub_budget, self.limits.seconds) / slowness()

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
    """What a run would take; seconds of the reference machine, unless they are said to be of this one."""

    seconds: float
    memory_bytes: float

    def here(self) -> Estimate:
        """The same in seconds of this machine."""
        return Estimate(self.seconds * slowness(), self.memory_bytes)

    def __str__(self) -> str:
        return f"{self.seconds:.2g} s and {self.memory_bytes / (1 << 20):.3g} MiB"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Shots as they were read into the classical bits, shape (shots, bits), and how accurate they are."""

    memory: Memory
    accuracy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """The covariances, in one shot, of pairs of terms; shapes (pairs, 2) and (pairs,). That of all other pairs is nothing."""

    pairs: NDArray[np.int64]
    values: Matrix


@dataclass(frozen=True, slots=True)
class Means:
    """Means of terms over infinitely many shots, in their order, and how accurate they are.

    ``covariance`` is None where it is not known, or nobody asks for it.
    """

    values: Matrix
    accuracy: Mapping[str, Any] = field(default_factory=dict)
    covariance: Covariance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to simulate.

    ``objection`` says in a clause why the method cannot do a task, or gives None if it can; ``estimate`` says what it
    takes. ``approximation`` names what differs from the device model, None if nothing. ``reluctance`` is how many times
    slower an exact method may be before this one is preferred; for a task for which it is the ``last_resort``, any other
    that may is, however slow. ``sample`` draws shots, and ``expect`` gives the mean of each term over what the terminal
    measurements would read in infinitely many; a method has one of them or both, and ``draws_only`` says of which tasks it
    can only draw shots. ``by_name_only`` methods run when they are named, and never else. A method that ``always_answers``
    ends within the task's budget, as accurately as it comes: it is asked last before anything is refused.
    """

    name: str
    engine: str
    objection: Callable[[Task], str | None]
    estimate: Callable[[Task], Estimate]
    sample: Callable[[Task, Seed], Drawn] | None = None
    expect: Callable[[Task, Sequence[Weights]], Means] | None = None
    draws_only: Callable[[Task], bool] = lambda _: False
    approximation: str | None = None
    reluctance: float = 1.0
    last_resort: Callable[[Task], bool] = lambda _: False
    by_name_only: bool = False
    always_answers: bool = False
