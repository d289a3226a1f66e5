"""Programs by the names that clients send, and the kinds of the core that run them."""

from __future__ import annotations

from qumulus.core.errors import NotFound

PREFIX = "runtime."
PROGRAMS = ("sampler", "estimator", "executor", "noise-learner", "calibrate")
KINDS = frozenset(f"{PREFIX}{name}" for name in PROGRAMS)


class UnknownProgram(NotFound):
    """There is no program of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no program named {name[:80]!r}: the programs are {', '.join(PROGRAMS)}.")


def kind(name: str) -> str:
    """The core's kind of a program.

    Raises:
        UnknownProgram
    """
    if name not in PROGRAMS:
        raise UnknownProgram(name)
    return f"{PREFIX}{name}"


def name(kind: str) -> str:
    """What clients call a kind of program."""
    return kind.removeprefix(PREFIX)
