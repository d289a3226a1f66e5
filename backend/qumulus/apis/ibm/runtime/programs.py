"""Programs by the names that clients send, and the kinds of the core that run them."""

from __future__ import annotations

from collections.abc import Mapping

from qumulus.core.errors import NotFound
from qumulus.core.kinds import Kind
from qumulus.payloads import CALIBRATE, ESTIMATOR, EXECUTOR, NOISE_LEARNER, SAMPLER
from qumulus.payloads.primitives import PrimitiveInput

PROGRAMS: Mapping[str, Kind[PrimitiveInput]] = {
    "sampler": SAMPLER,
    "estimator": ESTIMATOR,
    "executor": EXECUTOR,
    "noise-learner": NOISE_LEARNER,
    "calibrate": CALIBRATE,
}
NAMES = {kind.name: name for name, kind in PROGRAMS.items()}
KINDS = frozenset(NAMES)


class UnknownProgram(NotFound):
    """There is no program of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no program named {name[:80]!r}: the programs are {', '.join(PROGRAMS)}.")


def kind(name: str) -> Kind[PrimitiveInput]:
    """The core's kind of a program.

    Raises:
        UnknownProgram
    """
    if name not in PROGRAMS:
        raise UnknownProgram(name)
    return PROGRAMS[name]


def kinds(name: str | None) -> frozenset[str]:
    """The names of the kinds that a list shows: that of a program, none where there is no such program, all without a name."""
    return KINDS if name is None else frozenset(kind.name for each, kind in PROGRAMS.items() if each == name)


def name(kind: str) -> str:
    """What clients call the kind of program with that name."""
    return NAMES[kind]
