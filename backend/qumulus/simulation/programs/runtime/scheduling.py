"""How the circuits of a job are scheduled before they run, and what the result tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qiskit.circuit import QuantumCircuit

from qumulus.simulation.crosstalk import with_crosstalk
from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.stretches import Stretch, resolved, shown
from qumulus.simulation.timeline import printed, timeline
from qumulus.simulation.twin import is_twin

from .decoupling import Decoupling, by_values, decoupled

EXECUTION = "execution"
TIMING, STRETCHES = "scheduler_timing", "stretch_values"
TOLD = tuple(f"{EXECUTION}.{name}" for name in (TIMING, STRETCHES))
"""Experimental options that ask for the schedule."""

ASKED = tuple(f"options.{name}" for name in TOLD)
"""Those that the client merges into the others, by their names there."""


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A circuit as it runs: its stretches are resolved, its waits decoupled if the options ask for it.

    ``circuit`` is what is simulated, ``scheduled`` the same without what neighbours do to each other.
    """

    circuit: QuantumCircuit
    scheduled: QuantumCircuit
    stretches: list[Stretch]


def compiled(circuit: QuantumCircuit, model: DeviceModel, decoupling: Decoupling | None) -> Compiled:
    """The circuit as it runs on a device.

    Raises:
        ProgramError: a stretch has no solution, or the circuit is dynamic, which decoupling does not go with.
    """
    fixed, stretches = resolved(circuit, model)
    scheduled = fixed if decoupling is None else decoupled(fixed, decoupling, model)
    disturbed = is_twin(model) and not _by_values(scheduled)
    return Compiled(with_crosstalk(scheduled, model) if disturbed else scheduled, scheduled, stretches)


@dataclass(frozen=True, slots=True)
class Told:
    """What of the schedule a job wants to know."""

    timing: bool = False
    stretches: bool = False

    @classmethod
    def asked(cls, *groups: object) -> Told:
        """What any of these groups of options asks for."""
        members = [group for group in groups if isinstance(group, Mapping)]
        return cls(*(any(group.get(name) is True for group in members) for name in (TIMING, STRETCHES)))

    def __bool__(self) -> bool:
        return self.timing or self.stretches

    def of(self, item: Compiled, model: DeviceModel, values: Mapping[Any, float]) -> dict[str, Any]:
        """The schedule of a circuit and the values of its stretches, as the service's metadata show them.

        ``values`` of the parameters are used where delays depend on them.

        Raises:
            ProgramError: a delay is not known.
        """
        found = dict[str, Any]()
        if self.timing:
            schedule = timeline(with_values(item.scheduled, values), model)
            found[TIMING] = {"timing": printed(schedule), "circuit_duration": schedule.length}
        if self.stretches:
            found[STRETCHES] = shown(item.stretches)
        return found


def with_values(circuit: QuantumCircuit, values: Mapping[Any, float]) -> QuantumCircuit:
    """The circuit with values where its delays need them."""
    return circuit.assign_parameters(dict(values)) if _by_values(circuit) else circuit


def _by_values(circuit: QuantumCircuit) -> bool:
    """Whether a circuit has delays that are known only with the values of parameters."""
    return "delay" in circuit.count_ops() and any(map(by_values, circuit.data))
