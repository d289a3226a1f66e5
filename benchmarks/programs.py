"""What workers run while the dispatcher is measured: nothing."""

from __future__ import annotations

from collections.abc import Callable

from qumulus.core.programs import Program
from qumulus.core.results import Outcome, Severity


def run(program: Program, _log: Callable[[str, Severity], None], _admit: Callable[[int], None]) -> Outcome:
    """Give the payload back."""
    return Outcome(result=program.payload)
