"""Classical values of dynamic circuits: Qiskit's conditions and expressions, compiled to functions of the memory.

The memory of all branches is one array of bits, shape (branches, bits), the classical bits first and then the bits of the
declared variables. A value is computed for all branches at once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr, types

from .errors import ProgramError

Memory = NDArray[np.uint8]
Value = Callable[[Memory], NDArray[Any]]
Bits = Mapping[Clbit, int]
Variables = Mapping[Any, tuple[int, ...]]

_LARGEST_MACHINE_INTEGER = 62  # bits that a register may have and be an int64; wider ones are Python integers

_BINARY: dict[expr.Binary.Op, Callable[[Any, Any], Any]] = {
    expr.Binary.Op.BIT_AND: operator.and_,
    expr.Binary.Op.BIT_OR: operator.or_,
    expr.Binary.Op.BIT_XOR: operator.xor,
    expr.Binary.Op.LOGIC_AND: operator.and_,
    expr.Binary.Op.LOGIC_OR: operator.or_,
    expr.Binary.Op.EQUAL: operator.eq,
    expr.Binary.Op.NOT_EQUAL: operator.ne,
    expr.Binary.Op.LESS: operator.lt,
    expr.Binary.Op.LESS_EQUAL: operator.le,
    expr.Binary.Op.GREATER: operator.gt,
    expr.Binary.Op.GREATER_EQUAL: operator.ge,
    expr.Binary.Op.SHIFT_LEFT: operator.lshift,
    expr.Binary.Op.SHIFT_RIGHT: operator.rshift,
    expr.Binary.Op.ADD: operator.add,
    expr.Binary.Op.SUB: operator.sub,
    expr.Binary.Op.MUL: operator.mul,
}


def compile_value(what: Any, bits: Bits, variables: Variables) -> Value:
    """A condition, a bit, a register or an expression as a function of the memory; truth values are 0 and 1.

    Raises:
        ProgramError: the expression uses durations or divisions, which are not simulated.
    """
    if isinstance(what, tuple):
        left, right = compile_value(what[0], bits, variables), int(what[1])
        return lambda memory: left(memory) == right
    if isinstance(what, Clbit):
        return _reader([bits[what]])
    if isinstance(what, ClassicalRegister):
        return _reader([bits[bit] for bit in what])
    if isinstance(what, expr.Var):
        return _reader(_places(what, bits, variables))
    if isinstance(what, expr.Value):
        constant = int(what.value) if isinstance(what.type, types.Bool | types.Uint) else what.value
        return lambda memory: np.full(len(memory), constant, dtype=object if _is_wide(what.type) else None)
    return _compile_operation(what, bits, variables)


def bits_of(what: Any, bits: Bits) -> frozenset[int]:
    """The classical bits that a condition, a bit, a register or an expression depends on; variables are none."""
    if isinstance(what, tuple):
        return bits_of(what[0], bits)
    if isinstance(what, Clbit):
        return frozenset({bits[what]})
    if isinstance(what, ClassicalRegister):
        return frozenset(bits[bit] for bit in what)
    variables = (variable.var for variable in expr.iter_vars(what))
    return frozenset().union(*(bits_of(v, bits) for v in variables if isinstance(v, Clbit | ClassicalRegister)))


def compile_lvalue(what: expr.Expr, bits: Bits, variables: Variables) -> Callable[[Memory, Any], None]:
    """A function that writes values, shape (branches,), into the memory in place."""
    if isinstance(what, expr.Index) and isinstance(what.index, expr.Value):
        places: Sequence[int] = (_places(what.target, bits, variables)[what.index.value],)
    else:
        places = _places(what, bits, variables)

    def write(memory: Memory, values: Any) -> None:
        for shift, place in enumerate(places):
            memory[:, place] = (values >> shift) & 1

    return write


def _compile_operation(what: Any, bits: Bits, variables: Variables) -> Value:
    operands = [
        compile_value(getattr(what, name), bits, variables)
        for name in ("operand", "left", "right", "target", "index")
        if hasattr(what, name)
    ]
    if isinstance(what, expr.Cast):
        return _limited(operands[0], what.type)
    if isinstance(what, expr.Index):
        return lambda memory: (operands[0](memory) >> operands[1](memory)) & 1
    if isinstance(what, expr.Unary):
        if what.op is expr.Unary.Op.LOGIC_NOT:
            return lambda memory: operands[0](memory) == 0
        if what.op is expr.Unary.Op.BIT_NOT:
            return _limited(lambda memory: ~_integers(operands[0](memory)), what.type)
    if isinstance(what, expr.Binary) and what.op in _BINARY:
        compute = _BINARY[what.op]
        left, right = operands
        return _limited(lambda memory: compute(_integers(left(memory)), _integers(right(memory))), what.type)
    raise ProgramError("The circuit has a classical expression that is not simulated: use integers and truth values.")


def _integers(values: NDArray[Any]) -> NDArray[Any]:
    """Truth values as integers, so that arithmetic on them is arithmetic."""
    return values.astype(np.int64) if values.dtype == np.bool_ else values


def _limited(value: Value, kind: types.Type) -> Value:
    """The value in the range of its type: unsigned integers wrap around."""
    if isinstance(kind, types.Bool):
        return lambda memory: value(memory) != 0
    if isinstance(kind, types.Uint) and _is_wide(kind):
        return lambda memory: _integers(value(memory)).astype(object) & ((1 << kind.width) - 1)
    if isinstance(kind, types.Uint):
        return lambda memory: _integers(value(memory)) & ((1 << kind.width) - 1)
    return value


def _is_wide(kind: types.Type) -> bool:
    """Whether values of a type need Python's integers."""
    return isinstance(kind, types.Uint) and kind.width > _LARGEST_MACHINE_INTEGER


def _places(what: expr.Expr, bits: Bits, variables: Variables) -> tuple[int, ...]:
    """The places in the memory of a variable, a bit or a register."""
    if isinstance(what, expr.Var):
        if what in variables:
            return variables[what]
        if isinstance(what.var, Clbit):
            return (bits[what.var],)
        if isinstance(what.var, ClassicalRegister):
            return tuple(bits[bit] for bit in what.var)
    raise ProgramError("The circuit stores into, or reads from, a classical value that is not simulated.")


def _reader(places: Sequence[int]) -> Value:
    """The unsigned integer at these places, the least significant first."""
    if len(places) <= _LARGEST_MACHINE_INTEGER:
        weights: NDArray[Any] = np.array([1 << shift for shift in range(len(places))], dtype=np.int64)
    else:
        weights = np.array([1 << shift for shift in range(len(places))], dtype=object)
    columns = list(places)
    return lambda memory: memory[:, columns].astype(weights.dtype) @ weights
