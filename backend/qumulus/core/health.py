"""Whether what requests and jobs need is there now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str  # such as "disk"
    reason: str | None = None  # a sentence that says what is wrong; None where nothing is
    needed: bool = True  # whether jobs can't be taken and run without it

    @property
    def well(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.reason is None


class Grade(StrEnum):
    """How a finding is to be taken."""

    WELL = "well"
    LOOK = "look"  # it works, and may not be what is wanted
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at on the machine of a server, in its installation or its state."""

    what: str
    grade: Grade = Grade.WELL
    told: str
    do: str | None = None  # a sentence; None where nothing is to be done


Diagnose = Callable[[], Sequence[Finding]]
Checks = Callable[[], Sequence[Check]]


def first_need(checks: Sequence[Check]) -> str | None:
    """Why jobs can't be taken and run, in a sentence; None when they can."""
    return next((check.reason for check in checks if check.needed and check.reason), None)
