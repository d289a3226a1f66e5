"""Durations that are written as expressions: constants, computed ones, and multiples of a stretch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qiskit.circuit import Duration
from qiskit.circuit.classical import expr
from qiskit.utils.units import apply_prefix

from .errors import ProgramError


@dataclass(frozen=True, slots=True)
class Linear:
    """A duration Σ factor · stretch + rest, in cycles; ``factors`` goes by the stretches themselves."""

    factors: Mapping[Any, float]
    rest: float

    def constant(self) -> int:
        """The cycles of a duration without a stretch.

        Raises:
            ProgramError: a stretch is in it.
        """
        if self.factors:
            name = next(iter(self.factors)).name
            raise ProgramError(
                f"The stretch {name!r} is not resolved here: use it in delays of the whole circuit, not inside of a "
                "conditional or a loop."
            )
        return round(self.rest)

    def times(self, number: float) -> Linear:
        """The same, so many times."""
        return Linear({stretch: factor * number for stretch, factor in self.factors.items()}, self.rest * number)

    def plus(self, other: Linear) -> Linear:
        """Both, one after the other."""
        stretches = self.factors.keys() | other.factors.keys()
        factors = {s: self.factors.get(s, 0.0) + other.factors.get(s, 0.0) for s in stretches}
        return Linear({s: factor for s, factor in factors.items() if factor}, self.rest + other.rest)


def linear(length: expr.Expr, cycle: float) -> Linear:
    """A duration that is written as an expression; ``cycle`` is the device's, in seconds.

    Raises:
        ProgramError: it is not a sum of multiples of stretches and constants.
    """
    if isinstance(length, expr.Stretch):
        return Linear({length: 1.0}, 0.0)
    if isinstance(length, expr.Value) and isinstance(length.value, Duration):
        unit, number = length.value.unit(), float(length.value.value())
        return Linear({}, number if unit == "dt" else apply_prefix(number, unit) / cycle)
    if isinstance(length, expr.Cast):
        return linear(length.operand, cycle)
    if isinstance(length, expr.Unary) and length.op is expr.Unary.Op.NEGATE:
        return linear(length.operand, cycle).times(-1.0)
    if isinstance(length, expr.Binary):
        found = _combined(length, cycle)
        if found is not None:
            return found
    raise ProgramError(
        "A delay is written as an expression that is not resolved here: use sums of durations and of multiples of stretches."
    )


def _combined(length: expr.Binary, cycle: float) -> Linear | None:
    """A sum or a difference of durations, or a duration multiplied or divided by a number; None for anything else."""
    operation, left, right = length.op, length.left, length.right
    kinds = expr.Binary.Op
    if operation in (kinds.ADD, kinds.SUB):
        return linear(left, cycle).plus(linear(right, cycle).times(1.0 if operation is kinds.ADD else -1.0))
    if operation is kinds.MUL and (number := _number(left)) is not None:
        return linear(right, cycle).times(number)
    if operation is kinds.MUL and (number := _number(right)) is not None:
        return linear(left, cycle).times(number)
    if operation is kinds.DIV and (number := _number(right)):
        return linear(left, cycle).times(1.0 / number)
    return None


def _number(length: expr.Expr) -> float | None:
    """The number of a constant that is no duration."""
    if isinstance(length, expr.Cast):
        return _number(length.operand)
    if isinstance(length, expr.Value) and not isinstance(length.value, Duration):
        return float(length.value)
    return None
