"""The language of conditions in OQTOPUS' runbooks (expr-lang, as far as they use it), evaluated."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

Value = Any
Scope = Mapping[str, Value]
Node = Callable[[Scope], Value]

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<name>[A-Za-z_]\w*)
    |(?P<sign>\?\?|\?\.|\|\||&&|==|!=|<=|>=|[-+<>!?:.,()\[\]{}]))""",
    re.VERBOSE,
)
LITERALS = {"true": True, "false": False, "nil": None, "null": None}


def _eager(apply: Callable[[Value, Value], Value]) -> Callable[[Node, Node, Scope], Value]:
    return lambda left, right, scope: apply(left(scope), right(scope))


def _coalesced(left: Node, right: Node, scope: Scope) -> Value:
    found = left(scope)
    return right(scope) if found is None else found


BINARY: list[dict[str, Callable[[Node, Node, Scope], Value]]] = [  # from what binds least to what binds most
    {"??": _coalesced},
    {"||": lambda left, right, scope: left(scope) or right(scope)},
    {"&&": lambda left, right, scope: left(scope) and right(scope)},
    {"==": _eager(operator.eq), "!=": _eager(operator.ne)},
    {
        "<": _eager(operator.lt),
        "<=": _eager(operator.le),
        ">": _eager(lambda a, b: a is not None and a > b),
        ">=": _eager(operator.ge),
    },
    {"+": _eager(operator.add)},
]
ELEMENT = "#"  # what a predicate such as {.device_id == "qulacs"} is asked about


class _Now:
    @staticmethod
    def Format(form: str) -> str:  # noqa: N802 - the name in Go
        return form


def _canonical(value: Value) -> str:
    return json.dumps(value, sort_keys=True)


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "date": datetime.fromisoformat,
    "find": lambda items, wanted: next((item for item in items if wanted(item)), None),
    "fromJSON": json.loads,
    "len": len,
    "now": _Now,
    "string": str,
    "toJSON": _canonical,
}


def evaluated(text: str, scope: Scope) -> Value:
    """The value of an expression.

    Raises:
        SyntaxError: that is none, or one that no runbook has used before.
    """
    parser = _Parser(text)
    node = parser.expression()
    parser.end()
    return node(scope)


def _member(value: Value, name: Value) -> Value:
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, list):
        return value[name]
    return None if value is None else getattr(value, name)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        place, end = 0, len(text.rstrip())
        while place < end:
            found = TOKEN.match(text, place)
            if found is None:
                raise SyntaxError(f"no expression: {text[place:]!r}")
            self._tokens.append((found.lastgroup or "", found[found.lastgroup or 0]))
            place = found.end()
        self._tokens.append(("end", ""))

    def end(self) -> None:
        if self._tokens[0][0] != "end":
            raise SyntaxError(f"{self._tokens[0][1]!r} is too much in {self._text!r}")

    def expression(self) -> Node:
        condition = self._binary(0)
        if not self._took("?"):
            return condition
        yes = self.expression()
        self._need(":")
        no = self.expression()
        return lambda scope: yes(scope) if condition(scope) else no(scope)

    def _binary(self, level: int) -> Node:
        if level == len(BINARY):
            return self._unary()
        node = self._binary(level + 1)
        while self._tokens[0][0] == "sign" and self._tokens[0][1] in BINARY[level]:
            node = partial(BINARY[level][self._next()[1]], node, self._binary(level + 1))
        return node

    def _unary(self) -> Node:
        if self._took("!"):
            node = self._unary()
            return lambda scope: not node(scope)
        return self._postfix(self._primary())

    def _postfix(self, node: Node) -> Node:
        while True:
            if self._took(".") or self._took("?."):
                node = self._reading(node, self._named())
            elif self._took("["):
                key = self.expression()
                self._need("]")
                node = self._reading(node, key)
            elif self._took("("):
                node = self._calling(node, self._until(")"))
            else:
                return node

    def _named(self) -> Node:
        name = self._next()[1]
        return lambda _scope: name

    @staticmethod
    def _reading(node: Node, key: Node) -> Node:
        return lambda scope: _member(node(scope), key(scope))

    @staticmethod
    def _calling(node: Node, arguments: list[Node]) -> Node:
        return lambda scope: node(scope)(*(argument(scope) for argument in arguments))

    def _primary(self) -> Node:
        kind, text = self._next()
        if kind == "number":
            number = json.loads(text)
            return lambda _scope: number
        if kind == "text":
            said = text[1:-1].replace('\\"', '"').replace("\\'", "'")
            return lambda _scope: said
        if kind == "name":
            return self._name(text)
        if text == "(":
            node = self.expression()
            self._need(")")
            return node
        if text == "{":
            return self._braced()
        if text == ".":
            return self._reading(lambda scope: scope[ELEMENT], self._named())
        raise SyntaxError(f"{text!r} begins no expression in {self._text!r}")

    @staticmethod
    def _name(text: str) -> Node:
        if text in LITERALS:
            return lambda _scope: LITERALS[text]
        return lambda scope: scope[text] if text in scope else FUNCTIONS.get(text)

    def _braced(self) -> Node:
        """A map, or the predicate that `find` is given."""
        if self._tokens[0][1] == ".":
            node = self.expression()
            self._need("}")
            return lambda scope: lambda element: node({**scope, ELEMENT: element})
        entries: dict[str, Node] = {}
        while not self._took("}"):
            name = self._next()[1]
            self._need(":")
            entries[name] = self.expression()
            self._took(",")
        return lambda scope: {name: node(scope) for name, node in entries.items()}

    def _until(self, close: str) -> list[Node]:
        nodes: list[Node] = []
        while not self._took(close):
            nodes.append(self.expression())
            self._took(",")
        return nodes

    def _next(self) -> tuple[str, str]:
        return self._tokens.pop(0)

    def _took(self, sign: str) -> bool:
        if self._tokens[0] == ("sign", sign):
            self._next()
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._took(sign):
            raise SyntaxError(f"{sign!r} is missing in {self._text!r}")
