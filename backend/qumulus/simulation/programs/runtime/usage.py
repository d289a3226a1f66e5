"""Usage as the service counts it, whatever machine simulates and however long that takes:

    seconds = 2 · sub-jobs + Σ over circuits of executions · (delay between shots + reset + duration of the circuit).

Source: "Workload usage", https://quantum.cloud.ibm.com/docs/guides/estimate-job-run-time, as of September 2026. The page does
not say when a job is divided; here a sub-job has as many executions as a sampler job may have.

Each program counts its circuits with `charge` when its inputs are checked and before anything is simulated. What was charged
becomes `Outcome.run_seconds`, and so `Job.run_seconds`, from which usage, limits of instances and sums of sessions are made; the
simulation's own seconds stand in the metadata, under "timings", and those of the executions alone under "executing". A job
whose usage would exceed its longest time is ended there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from qiskit.circuit import QuantumCircuit

from qumulus.simulation.carried import delay_between_shots
from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.errors import OverUsage
from qumulus.simulation.meter import meter
from qumulus.simulation.progress import progress
from qumulus.simulation.timeline import length

from .scheduling import with_values
from .submission import Submission

SUB_JOB = 2.0
"""Seconds that each sub-job takes beside its executions."""

SUB_JOB_EXECUTIONS = 10_000_000


@dataclass(frozen=True, slots=True)
class Load:
    """A circuit that is executed so often, and lasts so many seconds each time."""

    executions: int
    seconds: float


def quantum_seconds(loads: Iterable[Load], delay: float) -> float:
    """The seconds that a job with these circuits has the device; ``delay`` lies between two shots."""
    loads = list(loads)
    executions = sum(load.executions for load in loads)
    return SUB_JOB * max(1, ceil(executions / SUB_JOB_EXECUTIONS)) + executing_seconds(loads, delay)


def executing_seconds(loads: Iterable[Load], delay: float) -> float:
    """The part of them in which circuits are executed."""
    return sum(load.executions * (delay + load.seconds) for load in loads)


def duration(
    circuit: QuantumCircuit, model: DeviceModel, values: Mapping[Any, float], *, reset: bool, read: bool = False
) -> float:
    """The seconds from the first operation of a circuit to the end of the last one.

    ``values`` of the parameters are used where delays depend on them; ``reset`` and ``read`` say whether the qubits are reset
    before it and measured behind it.

    Raises:
        ProgramError: a delay is not known.
    """
    cycles = length(with_values(circuit, values), model)
    for name, added in (("reset", reset), ("measure", read)):
        cycles += model.cycles(name, (0,)) if added else 0
    return cycles * model.cycle


def charge(loads: Iterable[Load], submission: Submission, rep_delay: float | None) -> float:
    """Count the usage of a job, and return its seconds; that of a dry run is only told. ``rep_delay`` is the delay between shots that it asks for.

    Raises:
        OverUsage: it is more than the job may use; what it may use is counted.
    """
    delay = delay_between_shots(submission.model) if rep_delay is None else rep_delay
    loads = list(loads)
    seconds, most = quantum_seconds(loads, delay), submission.most_usage
    progress().counts(seconds, submission.device)
    if not submission.dry_run:
        meter().billed = seconds if most is None else min(seconds, most)
        meter().executing = executing_seconds(loads, delay)
    if most is not None and seconds > most:
        raise OverUsage(
            f"Job was cancelled because it ran too long: its circuits need {seconds:.3g} s of {submission.device}, and it may "
            f"use {most:g} s. Raise max_execution_time, or run fewer circuits or shots."
        )
    return seconds
