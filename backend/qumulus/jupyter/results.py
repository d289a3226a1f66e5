"""Counts and expectation values of a result, read with the standard library alone: notebooks need not have a client to look at a job."""

from __future__ import annotations

import ast
import base64
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

MOST_BYTES = 16 << 20
"""Of an array, unpacked: larger ones are not looked at."""
HEADER = 10
"""Bytes before the description of an array: magic, version and length, in the format of NumPy's files."""


class Value(NamedTuple):
    """An expectation value with its standard error."""

    value: float
    error: float


def counts(result: object) -> dict[str, int] | None:
    """Return the counts of the first circuit of a result; None where it has none."""
    if isinstance(result, Mapping) and isinstance(result.get("counts"), Mapping):
        return {str(outcome): int(number) for outcome, number in result["counts"].items()}
    for fields in _fields(result):
        for field in fields.values():
            if _named(field) == "BitArray":
                return _drawn(field["__value__"])
    return None


def values(result: object) -> list[Value]:
    """Return the expectation values of a result, of all circuits, in their order."""
    found: list[Value] = []
    for fields in _fields(result):
        if {"evs", "stds"} <= fields.keys():
            numbers, errors = _floats(fields["evs"]), _floats(fields["stds"])
            found += [Value(*both) for both in zip(numbers, errors, strict=False)]
    return found


def _fields(result: object) -> Iterator[Mapping[str, Any]]:
    """Yield the data of each pub of a primitive's result, as IBM's encoder writes it."""
    body = result.get("__value__", {}) if _named(result) == "PrimitiveResult" and isinstance(result, Mapping) else {}
    for pub in body.get("pub_results", ()):
        yield pub["__value__"]["data"]["__value__"]["fields"]


def _named(value: object) -> str | None:
    return value.get("__type__") if isinstance(value, Mapping) else None


def _drawn(bits: Mapping[str, Any]) -> dict[str, int] | None:
    """Return how often each row of a packed array came; the bits of a row stand at its end."""
    width, (kind, shape, content) = int(bits["num_bits"]), _array(bits["array"])
    if kind != "|u1" or not shape or not content:
        return None
    size = shape[-1]
    rows = Counter(content[at : at + size] for at in range(0, len(content), size))
    return {f"{int.from_bytes(row):0{width}b}"[-width:]: number for row, number in sorted(rows.items())}


def _floats(value: object) -> Sequence[float]:
    if isinstance(value, (int, float)):
        return [float(value)]
    kind, _, content = _array(value)
    return struct.unpack(f"<{len(content) // 8}d", content) if kind == "<f8" else ()


def _array(value: object) -> tuple[str, tuple[int, ...], bytes]:
    """Return kind, shape and bytes of an array that was saved as NumPy does, packed, and written in base64."""
    if not isinstance(value, Mapping) or _named(value) != "ndarray":
        return "", (), b""
    saved = zlib.decompressobj().decompress(base64.b64decode(value["__value__"]), MOST_BYTES)
    (length,) = struct.unpack("<H", saved[HEADER - 2 : HEADER])
    about = ast.literal_eval(saved[HEADER : HEADER + length].decode("latin-1"))
    return about["descr"], about["shape"], saved[HEADER + length :]
