"""The entry of tests whose programs say how much memory they need: the payload is the numbers, one after the other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from programs import Log

from qumulus.core.programs import Program
from qumulus.core.results import Outcome, Severity


def run(program: Program, log: Log, admit: Callable[[int], None], seconds: float = 0.3) -> Outcome:
    for needed in program.payload.split():
        admit(int(needed))
    begun = time.monotonic()
    time.sleep(seconds)
    return Outcome(result=f"{begun} {time.monotonic()}".encode())


def keep(program: Program, log: Log, admit: Callable[[int], None]) -> Outcome:
    """Keep the memory until the file is there that the payload may name behind the number."""
    needed, *path = program.payload.decode().split(maxsplit=1)
    admit(int(needed))
    log("has its memory", Severity.INFO)
    while not all(map(os.path.exists, path)):
        time.sleep(0.005)
    return Outcome()
