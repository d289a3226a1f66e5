"""YAML with the meaning of version 1.2, in both directions.

PyYAML reads version 1.1, in which ``1e7`` is text, ``on`` is true and an unquoted date is a date. OpenAPI documents are
1.2. The `Reader` follows 1.2 (its core schema); the `Writer` quotes whatever either version would misread, so a written
file means the same to every tool.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

_INT, _FLOAT, _BOOL, _NULL = (f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))

# (tag, pattern, first characters): section 10.3.2 of the YAML 1.2.2 specification
_CORE_SCHEMA = (
    (_NULL, r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    (_BOOL, r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    (_INT, r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)", list("-+0123456789")),
    (_FLOAT, r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    (_FLOAT, r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))", list("-+.")),
)


Malformed = yaml.YAMLError
"""What `read` raises of a text that is no YAML."""


class DoubleKey(ValueError):
    """A mapping names the same key twice."""


class Reader(yaml.CSafeLoader):
    """Reads YAML 1.2; a key that stands twice in one mapping is an error."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own class attribute

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Construct a mapping as PyYAML does, after a look for double keys."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise DoubleKey(f"line {key.start_mark.line + 1} names {key.value} a second time")
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def _integer(self, node: yaml.ScalarNode) -> int:
        text = self.construct_scalar(node)
        return int(text, 0) if text.startswith(("0o", "0x")) else int(text)

    def _number(self, node: yaml.ScalarNode) -> int | float:
        text = self.construct_scalar(node).lower()
        value = float(text.replace(".inf", "inf").replace(".nan", "nan"))
        # 1e7 is a whole number; 1.0 stays what its author wrote
        return int(value) if "e" in text and value.is_integer() else value


for _tag, _pattern, _first in _CORE_SCHEMA:
    Reader.add_implicit_resolver(_tag, re.compile(f"^{_pattern}$"), _first)
Reader.add_constructor(_INT, Reader._integer)
Reader.add_constructor(_FLOAT, Reader._number)


class Writer(yaml.CSafeDumper):
    """Writes what YAML 1.1 and 1.2 read alike, text of several lines as a block, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the name is PyYAML's
        """Always: an alias is short for the machine and long for the reader."""
        return True

    def _text(self, value: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


# beside the rules of 1.1, which the writer has already, those of 1.2: text that either takes for something else is quoted
for _tag, _pattern, _first in _CORE_SCHEMA:
    Writer.add_implicit_resolver(_tag, re.compile(f"^{_pattern}$"), _first)
Writer.add_representer(str, Writer._text)


def read(text: bytes) -> Any:
    """Return what ``text`` means.

    Raises:
        DoubleKey, yaml.YAMLError: with the line; the caller knows the file.
    """
    return yaml.load(text, Reader)  # noqa: S506 - a subclass of the safe loader


def write(value: Any) -> str:
    """``value`` as YAML, keys in the order given."""
    return yaml.dump(value, Dumper=Writer, sort_keys=False, allow_unicode=True, width=120)
