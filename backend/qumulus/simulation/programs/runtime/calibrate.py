"""The calibrator of Qiskit Runtime, which recalibrates a device. Calibrations here are snapshots, so every job fails."""

from __future__ import annotations

from qumulus.core.programs import Program
from qumulus.core.results import Outcome

from .failures import Log, coded, invalid
from .submission import read


@coded
def run(program: Program, _log: Log) -> Outcome:
    """Fail the job.

    Raises:
        ProgramError: always.
    """
    submission = read(program)
    raise invalid(
        f"{submission.device} is not calibrated by jobs: its calibrations are snapshots of the real device. "
        "Choose another one with its calibration id."
    )
