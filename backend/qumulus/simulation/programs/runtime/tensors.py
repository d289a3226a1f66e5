"""Tensors as the executor's schemas write them: base64 of little-endian numbers, compressed from version 2.0 on.

Booleans are packed, the first in the least significant bit.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .failures import invalid
from .wire import FAST, Allowance, from_base64

_TYPES = {
    f"{kind}{bits}": np.dtype(f"<{kind}{bits // 8}")
    for kind, sizes in {"f": (16, 32, 64), "i": (8, 16, 32, 64), "u": (8, 16, 32, 64), "c": (64, 128)}.items()
    for bits in sizes
}


def is_tensor(value: object) -> bool:
    """Whether a value has the form of a tensor."""
    return isinstance(value, Mapping) and value.keys() == {"data", "shape", "dtype"}


def from_tensor(value: Any, allowance: Allowance, what: str, *, compressed: bool) -> NDArray[Any]:
    """The array of a tensor.

    Raises:
        ProgramError: it is malformed, or its size is not the one that its shape says.
    """
    if not is_tensor(value):
        raise invalid(f"The {what} is not a tensor: send its data, shape and dtype.")
    shape, dtype = value["shape"], value["dtype"]
    if not isinstance(shape, list) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise invalid(f"The shape of the {what} is not a list of numbers.")
    raw = allowance.inflate(value["data"], what) if compressed else from_base64(value["data"], what)
    size = prod(shape)
    if dtype == "bool":
        flat: NDArray[Any] = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[:size].astype(bool)
        fits = len(raw) == -(-size // 8)
    elif dtype in _TYPES:
        fits = len(raw) == size * _TYPES[dtype].itemsize
        flat = np.frombuffer(raw, _TYPES[dtype]) if fits else np.zeros(0)
    else:
        raise invalid(f"The {what} has the unknown dtype {str(dtype)[:20]!r}.")
    if not fits:
        raise invalid(f"The {what} has {len(raw)} bytes, which is not what its shape {shape} says.")
    return flat.reshape(shape)


def to_tensor(array: NDArray[Any], *, compressed: bool) -> dict[str, Any]:
    """The tensor of an array of booleans or numbers."""
    if array.dtype.kind == "b":
        dtype, raw = "bool", np.packbits(array, bitorder="little").tobytes()
    else:
        dtype = f"{array.dtype.kind}{array.dtype.itemsize * 8}"
        raw = array.astype(_TYPES[dtype]).tobytes()
    data = zlib.compress(raw, FAST) if compressed else raw
    return {"data": b64encode(data).decode(), "shape": list(array.shape), "dtype": dtype}
