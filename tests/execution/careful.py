"""The entry of tests whose programs say how much memory they need: the payload is the numbers, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable

from programs import Log

from qumulus.core.programs import Program
from qumulus.core.results import Outcome


def run(program: Program, log: Log, admit: Callable[[int], None], seconds: float = 0.3) -> Outcome:
    for needed in program.payload.split():
        admit(int(needed))
    begun = time.monotonic()
    time.sleep(seconds)
    return Outcome(result=f"{begun} {time.monotonic()}".encode())


def longer(program: Program, log: Log, admit: Callable[[int], None]) -> Outcome:
    return run(program, log, admit, 1.0)
