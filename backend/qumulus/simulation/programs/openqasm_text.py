"""OpenQASM text to a circuit: version 2 and 3, with every error as a sentence and a position.

Programs come from people who may never have heard of an include file, so a program that includes none may use the
standard gates (and `cnot`) all the same. Such a name is known only where the program does not define it itself, which
is why nothing is put before the text: a gate of the user's stays the user's, and so does every line and column.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from antlr4.error.Errors import RecognitionException
from openqasm3 import ast
from openqasm3.parser import QASM3ParsingError
from qiskit import qasm2
from qiskit.circuit import ClassicalRegister, Gate, Instruction, QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit_qasm3_import import ConversionError, types
from qiskit_qasm3_import.converter import ConvertVisitor
from qiskit_qasm3_import.data import Scope, Symbol
from qiskit_qasm3_import.expression import ValueResolver

from qumulus.simulation.errors import ProgramError, of_reader

from .openqasm_blocks import parse

NESTING = 256
"""Brackets within brackets; the parsers recurse, and one of them would take its process down."""

OPERATIONS = 100_000
"""Operations that a program may stand for with its own gates written out; a few lines can stand for 2^40."""

STANDARD_GATES: Mapping[str, Gate] = {
    name: gate for name, gate in get_standard_gate_name_mapping().items() if isinstance(gate, Gate)
}
"""The gates that Qiskit knows by name."""

SPELLINGS = {"cnot": "cx", "CX": "cx", "phase": "p", "cphase": "cp", "toffoli": "ccx"}
"""Other names of these gates, in use elsewhere."""

GATES: Mapping[str, Gate] = {**STANDARD_GATES, **{name: STANDARD_GATES[gate] for name, gate in SPELLINGS.items()}}

_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_VERSION = re.compile(r"\s*OPENQASM\s+(\d+)(?:\.\d+)?\s*;")
_PHYSICAL = re.compile(r"\$(\d+)")
_NO_TEXT = re.compile("[\ud800-\udfff]")
_QASM2_TOO_LONG = re.compile(r"(?<![\w.])\d{19,}(?![\w.])")  # the parser of version 2 ends its process at such a number
_NAME = r"([A-Za-z_]\w*)"
_QASM2_INCLUDE = re.compile(r'include\s*"qelib1\.inc"')
_QASM2_REGISTER = re.compile(rf"\b([qc])reg\s+{_NAME}\s*\[\s*(\d+)\s*\]")
_QASM2_DEFINED = re.compile(rf"\b(?:gate|opaque|qreg|creg)\s+{_NAME}")
_QASM2_USED = re.compile(rf"(?:^|[;{{}})])\s*{_NAME}(?=\s*[\s(])")
_QASM2_POSITION = re.compile(r"^<input>:(\d+),(\d+): (.*)$", re.DOTALL)
_QASM3_POSITION = re.compile(r"^L?(\d+)(?:,|:C)(\d+): (.*)$", re.DOTALL)

_REFUSALS = (QiskitError, ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)
"""What the converter lets escape when a program is wrong in a way that it does not look for."""


def read(code: str, *, most_qubits: int, inputs: bool = False) -> QuantumCircuit:
    """The circuit of an OpenQASM program. A declared bit or qubit costs memory, so the registers are counted first.

    Classical bits that were declared one by one stand in one register, in the order of their declarations. With
    ``inputs`` the inputs of a program of version 3 are the parameters of the circuit; else it may have none.

    Raises:
        ProgramError: the text is no program, or goes over ``most_qubits``; with line and column, both from 1.
    """
    if _NO_TEXT.search(code):
        raise ProgramError("The program has characters that are half of one: send it as text in UTF-8.")
    bare = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), code)
    if not bare.strip():
        raise ProgramError("The program is empty: send OpenQASM 3 or OpenQASM 2.")
    _check_nesting(bare)
    for physical in _PHYSICAL.finditer(bare):
        _check_size("qubits", _number(physical[1]) + 1, most_qubits)
    with _without_collecting():
        circuit = {"2": _read_version_2, "3": _read_version_3}[_version(bare)](code, bare, most_qubits)
    loose = [bit for bit in circuit.clbits if not circuit.find_bit(bit).registers]
    if circuit.parameters and not inputs:
        names = ", ".join(sorted(parameter.name for parameter in circuit.parameters))
        raise ProgramError(f"The program has inputs without a value ({names[:200]}): write the values into it.")
    if loose:
        circuit.add_register(ClassicalRegister(bits=loose, name=_free_name(circuit)))
    return circuit


@contextmanager
def _without_collecting() -> Generator[None]:
    """Let the collector of garbage rest: a tree of a long program has none, and is looked through again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _version(bare: str) -> str:
    header = _VERSION.match(bare)
    if header is None:
        return "2" if _QASM2_INCLUDE.search(bare) else "3"
    if header[1] not in ("2", "3"):
        raise ProgramError(f"Line 1: OpenQASM {header[1][:20]} is not known here: write OPENQASM 3.0 or OPENQASM 2.0.")
    return header[1]


def _check_nesting(bare: str) -> None:
    depth = 0
    for match in re.finditer(r"[(\[{]|[)\]}]|\n", bare):
        depth += {"(": 1, "[": 1, "{": 1, "\n": 0}.get(match[0], -1)
        if depth > NESTING:
            line = bare.count("\n", 0, match.start()) + 1
            raise ProgramError(f"Line {line}: brackets are nested more than {NESTING} deep: write it flatter.")


def _number(digits: str) -> int:
    return int(digits) if len(digits) < 19 else 10**19


def _check_size(what: str, size: int, most: int) -> None:
    if size > most:
        raise ProgramError(f"The program declares {size} {what}, and {most} are the limit: declare fewer.")


def check_length(operations: int) -> None:
    """Refuse what would take for ever to write out.

    Raises:
        ProgramError: more than `OPERATIONS`.
    """
    if operations > OPERATIONS:
        raise ProgramError(
            f"The program stands for {operations} operations with its own gates written out, and {OPERATIONS} are the"
            " limit: write a shorter one."
        )


def _free_name(circuit: QuantumCircuit) -> str:
    taken = {register.name for register in (*circuit.cregs, *circuit.qregs)}
    return next(name for name in ("bits", *(f"bits{number}" for number in range(len(taken) + 1))) if name not in taken)


def _sentence(text: str, line: int | None = None, column: int | None = None) -> str:
    where = "" if line is None else f"Line {line}, column {column}: "
    return f"{where}{text.strip().rstrip('.') or 'this cannot be read'}."


# -- version 2 ---------------------------------------------------------------------------------------------------------


def _read_version_2(code: str, bare: str, most_qubits: int) -> QuantumCircuit:
    if found := _QASM2_TOO_LONG.search(bare):
        line = bare.count("\n", 0, found.start()) + 1
        raise ProgramError(
            f"Line {line}: a number has {len(found[0])} digits, and 18 are the limit: write a shorter one."
        )
    sizes = {"q": 0, "c": 0}
    for register in _QASM2_REGISTER.finditer(bare):
        sizes[register[1]] += _number(register[3])
    _check_size("qubits", sizes["q"], most_qubits)
    _check_size("classical bits", sizes["c"], most_qubits)
    try:
        return qasm2.loads(code, include_path=(), custom_instructions=_custom_instructions(bare))
    except qasm2.QASM2ParseError as error:
        found = _QASM2_POSITION.match(error.message)
        if found is None:
            raise ProgramError(_sentence(error.message)) from error
        raise ProgramError(_sentence(found[3], int(found[1]), int(found[2]) + 1)) from error
    except BaseException as error:  # the native code of the parser panics over what it did not think of
        if isinstance(error, Exception) or not of_reader(error):
            raise
        raise ProgramError(
            "The parser of OpenQASM 2 gives up over the program: write it as `qiskit.qasm2.dumps` does, "
            "and no number with more than 18 digits."
        ) from error


def _custom_instructions(bare: str) -> list[qasm2.CustomInstruction]:
    """The gates that the program uses and neither includes nor defines."""
    included = (
        {gate.name for gate in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if not gate.builtin}
        if _QASM2_INCLUDE.search(bare)
        else set()
    )
    own = {match[1] for match in _QASM2_DEFINED.finditer(bare)}
    used = {match[1] for match in _QASM2_USED.finditer(bare)}
    return [
        qasm2.CustomInstruction(name, len(gate.params), gate.num_qubits, _constructor(gate), builtin=True)
        for name, gate in GATES.items()
        if name in used - own - included - {"CX", "U"}
    ]


def _constructor(gate: Gate) -> Callable[..., Instruction]:
    return gate.base_class


# -- version 3 ---------------------------------------------------------------------------------------------------------


def _read_version_3(code: str, bare: str, most_qubits: int) -> QuantumCircuit:
    try:
        program = parse(code, bare)
        converter = _Converter(program, most_qubits)
        with converter.errors_in_place(code):
            circuit = converter.circuit(program)
    except QASM3ParsingError as error:
        raise _syntax_error(error) from error
    except RecursionError as error:
        raise ProgramError("The program is nested too deeply: write it flatter.") from error
    return circuit


def _syntax_error(error: QASM3ParsingError) -> ProgramError:
    """A syntax error of the parser, whose own text is empty when the grammar and not the lexer refuses."""
    if found := _QASM3_POSITION.match(str(error)):
        return ProgramError(_sentence(found[3], int(found[1]), int(found[2]) + 1))
    cause: BaseException | None = error.__cause__
    token = None
    while cause is not None and token is None:
        inner = cause if isinstance(cause, RecognitionException) else next(iter(cause.args), None)
        token = getattr(inner, "offendingToken", None)
        cause = cause.__cause__
    if token is None:
        return ProgramError(_sentence(str(error) or "The program is not OpenQASM 3"))
    found = "the end of the program" if token.type == token.EOF else repr(token.text[:40])
    return ProgramError(_sentence(f"{found} is not expected here", token.line, token.column + 1))


def _in_line(code: str, line: int, column: int, text: str) -> int:
    """The column of the name in ``text``: the parser gives some names their place in the whole program instead."""
    before = code.split("\n")[:line]
    start = sum(len(each) + 1 for each in before[:-1])
    named = re.search(r"'(\w+)'", text)
    misplaced = named is not None and not before[-1].startswith(named[1], column)
    return column - start if misplaced and 0 <= column - start < len(before[-1]) else column


def _check_definitions(definitions: Iterable[ast.QuantumGateDefinition]) -> None:
    """Count before anything is converted: the converter copies a gate's definition, and all inside of it, wherever the gate is used.

    Raises:
        ProgramError: one stands for too much.
    """
    lengths = dict[str, int]()  # of the program's own gates, written out
    for definition in definitions:
        used = (inner.name.name for inner in definition.body if isinstance(inner, ast.QuantumGate))
        lengths[definition.name.name] = sum(lengths.get(name, 1) for name in used)
        check_length(lengths[definition.name.name])


class _Converter(ConvertVisitor):
    """The field's converter, with sizes checked before they cost memory and the standard gates known by name."""

    def __init__(self, program: ast.Program, most_qubits: int) -> None:
        super().__init__()
        self._most = most_qubits
        self._declared = {"qubits": 0, "classical bits": 0}
        self._statement: ast.Statement | None = None
        includes = any(isinstance(statement, ast.Include) for statement in program.statements)
        own = [statement for statement in program.statements if isinstance(statement, ast.QuantumGateDefinition)]
        _check_definitions(own)
        names = {definition.name.name for definition in own}
        self._offered = {} if includes else {name: gate for name, gate in GATES.items() if name not in names}

    def circuit(self, program: ast.Program) -> QuantumCircuit:
        """The circuit of the whole program. (The base class returns its state, whatever its annotation says.)"""
        state: Any = self.convert(program)
        return state.circuit

    @contextmanager
    def errors_in_place(self, code: str) -> Generator[None]:
        """Give every error of the conversion the position of the statement that it stands in."""
        try:
            yield
        except ConversionError as error:
            found = _QASM3_POSITION.match(error.message)
            if found is None:
                self._fail(error.message, error)
            line, column = int(found[1]), int(found[2])
            raise ProgramError(_sentence(found[3], line, _in_line(code, line, column, found[3]) + 1)) from error
        except _REFUSALS as error:
            self._fail(str(error.args[0]) if error.args else type(error).__name__, error)

    def _fail(self, text: str, error: Exception) -> NoReturn:
        span = self._statement.span if self._statement is not None else None
        position = (None, None) if span is None else (span.start_line, span.start_column + 1)
        raise ProgramError(_sentence(text, *position)) from error

    def visit(self, node: ast.QASMNode, context: Any = None) -> Any:
        if isinstance(node, ast.Statement):
            self._statement = node
        return super().visit(node, context)

    def visit_QubitDeclaration(self, node: ast.QubitDeclaration, context: Any) -> Any:  # noqa: N802
        self._declare("qubits", node.size, context)
        return super().visit_QubitDeclaration(node, context)

    def visit_ClassicalDeclaration(self, node: ast.ClassicalDeclaration, context: Any) -> Any:  # noqa: N802
        if isinstance(node.type, ast.BitType):
            self._declare("classical bits", node.type.size, context)
        return super().visit_ClassicalDeclaration(node, context)

    def _declare(self, what: str, size: ast.Expression | None, context: Any) -> None:
        value = 1 if size is None else ValueResolver(context, True).resolve(size)[0]
        if isinstance(value, int):  # what is no number is refused, with its position, by the converter
            self._declared[what] += max(value, 0)
            _check_size(what, self._declared[what], self._most)

    def visit_QuantumGate(self, node: ast.QuantumGate, context: Any) -> Any:  # noqa: N802
        name = node.name.name
        symbol = context.symbol_table.get(name, node)
        if (
            symbol is None and node.duration is not None and name not in self._offered
        ):  # a type that is misspelt, mostly
            raise ConversionError(f"'{name}' is not declared: it is no type, and no gate", node)
        if symbol is None and (gate := self._offered.get(name)) is not None:
            kind = types.Gate(len(gate.params), gate.num_qubits)
            symbol = Symbol(name, gate.base_class, kind, Scope.GLOBAL, node)
            context.symbol_table.insert(symbol)
        if symbol is not None and isinstance(symbol.type, types.Gate):
            wanted = 3 if symbol.scope is Scope.BUILTIN else symbol.type.n_classical
            if len(node.arguments) != wanted:
                angles = "angle" if wanted == 1 else "angles"
                raise ConversionError(f"gate '{name}' takes {wanted} {angles}, not {len(node.arguments)}", node)
        return super().visit_QuantumGate(node, context)

    def _resolve_condition(self, node: ast.Expression, context: Any) -> Any:
        """OpenQASM casts a 0 or 1 that a bit is compared with; the base class wants it cast."""
        if isinstance(node, ast.BinaryExpression):
            resolver = ValueResolver(context, True)
            for side, literal, other in (("lhs", node.lhs, node.rhs), ("rhs", node.rhs, node.lhs)):
                number = isinstance(literal, ast.IntegerLiteral) and literal.value in (0, 1)
                if number and isinstance(resolver.resolve(other)[1], types.Bit):
                    setattr(node, side, ast.BooleanLiteral(bool(literal.value)))
        return super()._resolve_condition(node, context)
