"""The arrays in results of IBM's primitives, read without NumPy, which the process that serves requests does not load.

In the form for Python's client an array is the base64 text of a compressed .npy file, in that of the REST API a list of numbers, or of
outcomes as hexadecimal numbers.
"""

from __future__ import annotations

import ast
import base64
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAGIC = b"\x93NUMPY"
KINDS = {"<f8": "d", "<f4": "f", "|u1": "B", "<i8": "q", "<i4": "i"}


@dataclass(frozen=True, slots=True)
class Array:
    """Numbers, and how they lie."""

    shape: list[int]
    flat: list[Any]


def numbers(pub: Mapping[str, Any], name: str) -> Array | None:
    """Return an array of numbers of an entry's data; None where it has none of that name."""
    return _array(_data(pub).get(name))


def shots(pub: Mapping[str, Any]) -> Sequence[str] | None:
    """Return every shot of an entry, the last register first; None where it has none, or those of several parameter sets."""
    registers = [_register(each) for each in _data(pub).values()]
    if not registers or not all(registers):
        return None
    return ["".join(reversed(parts)) for parts in zip(*filter(None, registers), strict=True)]


def _data(pub: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of an entry: arrays by name."""
    data = pub.get("data", {})
    inner = data.get("__value__", data)
    return inner.get("fields", inner)


def _register(told: Any) -> Sequence[str] | None:
    inner = told.get("__value__", told) if isinstance(told, dict) else {}
    width = inner.get("num_bits")
    if width and isinstance(inner.get("samples"), list):
        return [f"{int(each, 16):0{width}b}" for each in inner["samples"]]
    array = _array(inner.get("array"))
    if not width or array is None or len(array.shape) != 2:
        return None
    rows = _rows(array)
    return [f"{int.from_bytes(bytes(row), 'big'):0{width}b}" for row in rows]


def _rows(array: Array) -> Iterator[Sequence[int]]:
    step = array.shape[1]
    return (array.flat[start : start + step] for start in range(0, len(array.flat), step))


def _array(told: Any) -> Array | None:
    if isinstance(told, list):
        flat = told
        shape = []
        while flat and isinstance(flat, list):
            shape.append(len(flat))
            flat = flat[0]
        return Array(shape, list(_flattened(told)))
    if isinstance(told, int | float):
        return Array([], [told])
    if isinstance(told, dict) and told.get("__type__") == "ndarray":
        return _npy(zlib.decompress(base64.b64decode(told["__value__"])))
    return None


def _flattened(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from _flattened(each)
    else:
        yield value


def _npy(content: bytes) -> Array | None:
    """Return an array of the form .npy, versions 1 and 2."""
    if not content.startswith(MAGIC):
        return None
    length = "<H" if content[6] == 1 else "<I"
    begin = 8 + struct.calcsize(length)
    (size,) = struct.unpack_from(length, content, 8)
    header = ast.literal_eval(content[begin : begin + size].decode("latin-1"))
    kind = KINDS.get(header["descr"])
    if kind is None or header["fortran_order"]:
        return None
    data = content[begin + size :]
    return Array(list(header["shape"]), [value for (value,) in struct.iter_unpack(f"<{kind}", data)])
