"""Who runs each kind of program: the functions, imported when the first program of their kind comes."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from qumulus import payloads
from qumulus.core.kinds import Runners
from qumulus.core.programs import Program
from qumulus.core.results import Log, Outcome

Runner = Callable[[Program, Log], Outcome]

RUNNERS: Runners[str] = Runners(
    "The simulation",
    {
        payloads.OPENQASM_TASK: "qumulus.simulation.programs.openqasm:run",
        payloads.CIRCUITS: "qumulus.simulation.programs.kipu:run",
        payloads.OPENQASM_ARCHIVE: "qumulus.simulation.programs.openqasm_jobs:run",
        payloads.SAMPLER: "qumulus.simulation.programs.runtime.sampler:run",
        payloads.ESTIMATOR: "qumulus.simulation.programs.runtime.estimator:run",
        payloads.EXECUTOR: "qumulus.simulation.programs.runtime.executor:run",
        payloads.NOISE_LEARNER: "qumulus.simulation.programs.runtime.noise_learner:run",
        payloads.CALIBRATE: "qumulus.simulation.programs.runtime.calibrate:run",
        payloads.DRAWING: "qumulus.simulation.programs.drawing:run",
    },
)


def runner(kind: str) -> Runner:
    """The function that runs programs of a kind.

    Raises:
        UnknownKind
    """
    module, name = RUNNERS.of(kind).split(":")
    return getattr(importlib.import_module(module), name)
