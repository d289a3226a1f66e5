"""The parser of OpenQASM 3, which takes half a millisecond a gate, spared the gates: long rows of plain ones are read here.

A plain gate is `name q[0], q[1];` or `name(1.5, -pi/2) q[0];` outside of braces. What is read is the tree that the parser would give,
with the same positions; what is not plain, the parser reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import TypeVar

import openqasm3
from openqasm3 import ast
from openqasm3.visitor import QASMVisitor

Node = TypeVar("Node", bound=ast.QASMNode)

LEAST = 50
"""Plain gates in a row that are worth a call of the parser more."""

_OPERAND = r"[A-Za-z_]\w*\s*\[\s*\d{1,9}\s*\]"
_ANGLE = r"-?\s*(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|pi)(?:\s*/\s*\d+(?:\.\d*)?)?"
_GATE = rf"(?P<name>[A-Za-z_]\w*)(?:\s*\((?P<angles>\s*{_ANGLE}(?:\s*,\s*{_ANGLE})*)\s*\))?\s+(?P<operands>{_OPERAND}(?:\s*,\s*{_OPERAND})*)\s*;"
_PLAIN = re.compile(rf"[^\S\n]*{_GATE}[^\S\n]*(?:\n|\Z)")
_ONE_OPERAND = re.compile(r"([A-Za-z_]\w*)\s*\[\s*(\d+)\s*\]")
_ONE_ANGLE = re.compile(r"(-?)\s*(pi|[\d.]+(?:[eE][+-]?\d+)?)(?:\s*/\s*([\d.]+))?")
_WORDS = frozenset(
    [
        *("OPENQASM", "include", "defcalgrammar", "def", "cal", "defcal", "gate", "extern", "box", "let", "break"),
        *("continue", "if", "else", "end", "return", "for", "while", "in", "switch", "case", "default", "pragma"),
        *("input", "output", "const", "readonly", "mutable", "qreg", "qubit", "creg", "bool", "bit", "int", "uint"),
        *("float", "angle", "complex", "array", "void", "duration", "stretch", "gphase", "inv", "pow", "ctrl"),
        *("negctrl", "measure", "reset", "delay", "barrier", "durationof", "nop", "true", "false", "im", "opaque"),
    ]
)
"""Names that no gate has, because the language has them."""


def parse(code: str, bare: str) -> ast.Program:
    """Return the tree of a program; ``bare`` is its text with blanks for comments.

    Raises:
        QASM3ParsingError: as the parser raises it.
    """
    rows = list(_rows(bare))
    if not rows:
        return openqasm3.parse(code)
    program: ast.Program | None = None
    statements: list[ast.Statement | ast.Pragma] = []
    at = 0
    for start, end, gates in rows:
        parsed = _parsed(code, at, start)
        program = program or parsed
        statements += [*parsed.statements, *gates]
        at = end
    statements += _parsed(code, at, len(code)).statements
    whole = ast.Program(statements=statements, version=None if program is None else program.version)
    if program is not None:
        whole.span = program.span
    return whole


def _parsed(code: str, start: int, end: int) -> ast.Program:
    """What the parser says of a part, with the positions that it has in the whole."""
    part = code[start:end]
    if not part.strip():
        return ast.Program(statements=[])
    text = "\n" * code.count("\n", 0, start) + part
    program = openqasm3.parse(text)
    if start:
        _Columns(text).visit(program)
    return program


class _Columns(QASMVisitor[None]):
    """Gives names their column in the line, where the parser has told their place in the whole text."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]

    def visit_Identifier(self, node: ast.Identifier) -> None:  # noqa: N802
        """Correct the place of a name."""
        span = node.span
        if span is None or self._lines[span.start_line - 1].startswith(node.name, span.start_column):
            return
        before = self._starts[span.start_line - 1]
        node.span = ast.Span(span.start_line, span.start_column - before, span.end_line, span.end_column - before)


def _rows(bare: str) -> Iterator[tuple[int, int, list[ast.Statement]]]:
    """Rows of plain gates, each with its place in the text; all of them on lines of their own."""
    depth, at, line, row, start = 0, 0, 1, list[ast.Statement](), 0
    while at < len(bare):
        found = _PLAIN.match(bare, at) if depth == 0 else None
        if found is not None and found["name"] not in _WORDS:
            start = start if row else at
            row.append(_gate(found, line, at))
            line += found[0].count("\n")
            at = found.end()
            continue
        if len(row) >= LEAST:
            yield start, at, row
        row = []
        ending = bare.find("\n", at)
        ending = len(bare) if ending < 0 else ending + 1
        text = bare[at:ending]
        depth += text.count("{") - text.count("}")
        line, at = line + 1, ending
    if len(row) >= LEAST:
        yield start, at, row


def _gate(found: re.Match[str], line: int, begins: int) -> ast.QuantumGate:
    """The tree of a gate that stands on one line, which begins at ``begins``."""
    text = found.string
    qubits: list[ast.IndexedIdentifier | ast.Identifier] = []
    for each in _ONE_OPERAND.finditer(text, *found.span("operands")):
        name = _at(ast.Identifier(each[1]), each.start(1), each.end(1), line, begins)
        index = _at(ast.IntegerLiteral(int(each[2])), each.start(2), each.end(2), line, begins)
        qubit = ast.IndexedIdentifier(name=name, indices=[[index]])
        qubits.append(_at(qubit, each.start(), each.end(), line, begins))
    angles = (
        []
        if found["angles"] is None
        else [_angle(each, line, begins) for each in _ONE_ANGLE.finditer(text, *found.span("angles"))]
    )
    gate = ast.QuantumGate(
        modifiers=[],
        name=_at(ast.Identifier(found["name"]), found.start("name"), found.end("name"), line, begins),
        arguments=angles,
        qubits=qubits,
    )
    end = text.index(";", found.end("operands"))
    return _at(gate, found.start("name"), end + 1, line, begins)


def _angle(found: re.Match[str], line: int, begins: int) -> ast.Expression:
    sign, value, divisor = found.groups()
    expression: ast.Expression = _at(_number(value), found.start(2), found.end(2), line, begins)
    start = found.start(1) if sign else found.start(2)
    if sign:
        expression = ast.UnaryExpression(ast.UnaryOperator[sign], expression)
        expression = _at(expression, start, found.end(2), line, begins)
    if divisor is not None:
        right = _at(_number(divisor), found.start(3), found.end(3), line, begins)
        expression = ast.BinaryExpression(ast.BinaryOperator["/"], expression, right)
        expression = _at(expression, start, found.end(), line, begins)
    return expression


def _number(text: str) -> ast.Identifier | ast.IntegerLiteral | ast.FloatLiteral:
    if text == "pi":
        return ast.Identifier(text)
    return ast.IntegerLiteral(int(text)) if text.isdigit() else ast.FloatLiteral(float(text))


def _at(node: Node, start: int, end: int, line: int, begins: int) -> Node:
    node.span = ast.Span(line, start - begins, line, end - 1 - begins)
    return node
