"""Why a program of Qiskit Runtime fails, with the codes of IBM's registry of error codes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from qumulus.core.programs import Program
from qumulus.core.results import Log, Outcome
from qumulus.payloads.runtime_errors import INVALID, NOT_ISA, REGISTRY
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.meter import meter

Entry = Callable[[Program, Log], Outcome]

_LONGEST = 2000


def shown(text: str) -> str:
    """A text that may quote what was sent: what cannot be printed is replaced, and it is not endless."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST])


def invalid(message: str, code: int = INVALID) -> ProgramError:
    """The job asks for what cannot be run; the message says what to change."""
    return ProgramError(shown(message), code)


def objection(code: int, *values: object, detail: str = "") -> ProgramError:
    """The service's own words for what it does not take, with their values, and more in ours."""
    return invalid(f"{REGISTRY[code].filled(*values)} {detail}".strip(), code)


def not_isa(message: str) -> ProgramError:
    """A circuit uses what the backend does not have."""
    return ProgramError(
        f"{shown(message)} Circuits do not match the target definition (non-ISA circuits): transpile them for the target before "
        "you submit a primitive query, for example with generate_preset_pass_manager(optimization_level=1, "
        "backend=backend).",
        NOT_ISA,
    )


def coded(entry: Entry) -> Entry:
    """An entry whose failures all have a code: what the simulation itself objects to is not valid on the backend."""

    @wraps(entry)
    def run(program: Program, log: Log) -> Outcome:
        meter().billed = 0.0  # until its inputs are checked: what is not valid is not charged
        try:
            return entry(program, log)
        except ProgramError as error:
            if error.code is not None:
                raise
            raise invalid(error.message) from error

    return run
