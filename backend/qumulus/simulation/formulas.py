"""Conditions of dynamic circuits as formulas of bits: parities, and conjunctions of them.

`classical` computes a condition from the values of all bits. A formula says how it is made up of bits, one after the other,
so that it can be computed inside a circuit; see `deferral`. What is not made up so, such as sums, has no formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr, types

from .classical import Bits, Variables


@dataclass(frozen=True, slots=True)
class Parity:
    """The sum modulo 2 of some bits, and 1 more if ``flipped``; of no bits it is a constant."""

    bits: frozenset[int]
    flipped: bool = False


@dataclass(frozen=True, slots=True)
class Every:
    """Whether all parts are true; ``flipped`` is whether they are not."""

    parts: tuple[Formula, ...]
    flipped: bool = False


Formula = Parity | Every

TRUE, FALSE = Parity(frozenset(), True), Parity(frozenset())


def negation(formula: Formula) -> Formula:
    """The opposite of a formula."""
    if isinstance(formula, Parity):
        return Parity(formula.bits, not formula.flipped)
    return Every(formula.parts, not formula.flipped)


def conjunction(parts: Iterable[Formula]) -> Formula:
    """Whether all parts are true, without constants."""
    kept = dict.fromkeys(part for part in parts if part != TRUE)
    if FALSE in kept:
        return FALSE
    return next(iter(kept), TRUE) if len(kept) < 2 else Every(tuple(kept))


def disjunction(parts: Iterable[Formula]) -> Formula:
    """Whether any part is true."""
    return negation(conjunction(negation(part) for part in parts))


def equals(places: Sequence[int], label: int) -> Formula:
    """Whether the unsigned integer at these places, the least significant first, is the label."""
    if not 0 <= label < 1 << len(places):
        return FALSE
    return conjunction(Parity(frozenset({place}), not label >> shift & 1) for shift, place in enumerate(places))


def matches(what: Any, labels: Iterable[int], bits: Bits, variables: Variables) -> Formula | None:
    """Whether what a switch looks at is one of the labels; None if that is no formula."""
    places = _places(what, bits, variables)
    if places is not None:
        return disjunction(equals(places, label) for label in labels)
    formula = formula_of(what, bits, variables)
    if formula is None:
        return None
    return disjunction(formula if label else negation(formula) for label in labels if label in (0, 1))


def formula_of(what: Any, bits: Bits, variables: Variables) -> Formula | None:
    """A condition, a bit or an expression that is true or false as a formula; None if it is none."""
    if isinstance(what, tuple):
        places = _places(what[0], bits, variables)
        return None if places is None else equals(places, int(what[1]))
    places = _places(what, bits, variables)
    if places is not None:
        return Parity(frozenset(places)) if len(places) == 1 else None
    if isinstance(what, expr.Value):
        return (TRUE if what.value else FALSE) if isinstance(what.type, types.Bool) else None
    if isinstance(what, expr.Cast) and isinstance(what.type, types.Bool):
        return _is_not_zero(what.operand, bits, variables)
    if isinstance(what, expr.Unary) and what.op in _NEGATIONS and isinstance(what.type, types.Bool):
        inner = _is_not_zero(what.operand, bits, variables)
        return None if inner is None else negation(inner)
    return _of_two(what, bits, variables) if isinstance(what, expr.Binary) else None


def stored(target: Any, value: expr.Expr, bits: Bits, variables: Variables) -> dict[int, Formula] | None:
    """What each place of a bit, a register or a variable gets by storing a value; None if that is no formula."""
    places = _places(target, bits, variables)
    if places is None:
        return None
    if isinstance(value, expr.Value):
        return {place: TRUE if int(value.value) >> shift & 1 else FALSE for shift, place in enumerate(places)}
    formula = formula_of(value, bits, variables) if len(places) == 1 else None
    return None if formula is None else {places[0]: formula}


_NEGATIONS = frozenset({expr.Unary.Op.LOGIC_NOT, expr.Unary.Op.BIT_NOT})
_SUMS = {expr.Binary.Op.BIT_XOR: False, expr.Binary.Op.NOT_EQUAL: False, expr.Binary.Op.EQUAL: True}
_CONJUNCTIONS = frozenset({expr.Binary.Op.BIT_AND, expr.Binary.Op.LOGIC_AND})
_DISJUNCTIONS = frozenset({expr.Binary.Op.BIT_OR, expr.Binary.Op.LOGIC_OR})


def _of_two(what: expr.Binary, bits: Bits, variables: Variables) -> Formula | None:
    if not isinstance(what.left.type, types.Bool):
        return _compared(what, bits, variables)
    left, right = formula_of(what.left, bits, variables), formula_of(what.right, bits, variables)
    if left is None or right is None:
        return None
    if what.op in _CONJUNCTIONS:
        return conjunction((left, right))
    if what.op in _DISJUNCTIONS:
        return disjunction((left, right))
    if what.op not in _SUMS:
        return None
    if not isinstance(left, Parity) or not isinstance(right, Parity):
        return _sum(left, right, flipped=_SUMS[what.op])
    return Parity(left.bits ^ right.bits, left.flipped ^ right.flipped ^ _SUMS[what.op])


def _sum(left: Formula, right: Formula, *, flipped: bool) -> Formula:
    """One of two formulas is true, and not both."""
    either = disjunction((conjunction((left, negation(right))), conjunction((negation(left), right))))
    return negation(either) if flipped else either


def _compared(what: expr.Binary, bits: Bits, variables: Variables) -> Formula | None:
    """Whether a register is a number, or is not."""
    if what.op not in (expr.Binary.Op.EQUAL, expr.Binary.Op.NOT_EQUAL):
        return None
    sides = (what.left, what.right) if isinstance(what.right, expr.Value) else (what.right, what.left)
    places = _places(sides[0], bits, variables)
    if places is None or not isinstance(sides[1], expr.Value):
        return None
    same = equals(places, int(sides[1].value))
    return same if what.op is expr.Binary.Op.EQUAL else negation(same)


def _is_not_zero(what: expr.Expr, bits: Bits, variables: Variables) -> Formula | None:
    places = _places(what, bits, variables)
    return formula_of(what, bits, variables) if places is None else negation(equals(places, 0))


def _places(what: Any, bits: Bits, variables: Variables) -> tuple[int, ...] | None:
    """The places in the memory of a bit, a register, a variable or a bit of one; None of anything else."""
    if isinstance(what, Clbit):
        return (bits[what],)
    if isinstance(what, ClassicalRegister):
        return tuple(bits[bit] for bit in what)
    if isinstance(what, expr.Var):
        return variables[what] if what in variables else _places(what.var, bits, variables)
    if isinstance(what, expr.Index) and isinstance(what.index, expr.Value):
        whole = _places(what.target, bits, variables)
        return None if whole is None or what.index.value >= len(whole) else (whole[what.index.value],)
    return None
