"""What was sent, as the client's ``RuntimeEncoder`` writes it: ``{"__type__": …, "__value__": …}``; `values` writes results.

Decoding is by position: whoever reads a payload names the type that may stand there, and nothing else is decoded. No type
names a class, no array holds objects, and everything that is decompressed counts against one allowance of the job.
"""

from __future__ import annotations

import binascii
import io
import zlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .failures import invalid

_NPY_HEADER = 1 << 12
_NPY_FIRST = b"\x93NUMPY\x01\x00"
"""How files of the first version begin, which nearly all have; the length of the header follows, in two bytes."""
_NPY_SHORT = 256
FAST = 1  # zlib's level: random bits do not compress any better at higher ones


@dataclass(slots=True)
class Allowance:
    """How many bytes the job's compressed values may still unfold to."""

    left: int

    def inflate(self, text: object, what: str) -> bytes:
        """The bytes of a value that is compressed with zlib and written in base64.

        Raises:
            ProgramError: it is neither, it is cut off, or it unfolds to more than is left.
        """
        packed = from_base64(text, what)
        inflater = zlib.decompressobj()
        try:
            data = inflater.decompress(packed, self.left + 1)
        except zlib.error as error:
            raise invalid(
                f"The {what} is not compressed with zlib: encode it with the client's RuntimeEncoder."
            ) from error
        if len(data) > self.left:
            raise invalid(f"The job unfolds to more bytes than it may: its {what} is too large or a compression bomb.")
        if not inflater.eof:
            raise invalid(f"The {what} is cut off: send it again in whole.")
        self.left -= len(data)
        return data


def from_base64(text: object, what: str) -> bytes:
    """The bytes of a value in base64.

    Raises:
        ProgramError: it is not base64.
    """
    try:
        return b64decode(text, validate=True)  # ty: ignore[invalid-argument-type]
    except (TypeError, ValueError, binascii.Error) as error:
        raise invalid(f"The {what} is not written in base64: encode it with the client's RuntimeEncoder.") from error


def typed(value: object, name: str) -> Any:
    """The content of a value of one type, None if it is of another."""
    return value.get("__value__") if isinstance(value, Mapping) and value.get("__type__") == name else None


def array(value: object, allowance: Allowance, what: str) -> NDArray[Any]:
    """A numeric array: a list of numbers, or an ``.npy`` file without objects.

    Raises:
        ProgramError: it is neither.
    """
    content = typed(value, "ndarray")
    if content is None and isinstance(value, Mapping):
        raise invalid(f"The {what} has the type {str(value.get('__type__'))[:40]!r}: send an array.")
    if isinstance(content, str):
        return _from_npy(allowance.inflate(content, what), what)
    try:
        numbers = np.asarray(value if content is None else content)
    except ValueError as error:
        raise invalid(f"The {what} is not an array: its rows differ in length.") from error
    if numbers.size and numbers.dtype.kind not in "biufc":
        raise invalid(f"The {what} holds other things than numbers.")
    return numbers


def _from_npy(data: bytes, what: str) -> NDArray[Any]:
    try:
        numbers = _plain_npy(data)
        if numbers is None:
            numbers = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False, max_header_size=_NPY_HEADER)
    except Exception as error:  # any error of the parser says the same; its header is read by Python's own tokenizer
        raise invalid(f"The {what} is not an .npy file of numbers; one with objects is never opened.") from error
    if numbers.dtype.kind not in "biufc":
        raise invalid(f"The {what} holds other things than numbers.")
    return numbers


def _plain_npy(data: bytes) -> NDArray[Any] | None:
    """The array of a file with a short header of the first version; None of any other, and of other things than numbers.

    NumPy reads each header with the tokenizer of Python. They are few, so that they are kept.

    Raises:
        Exception: the file is damaged.
    """
    start = len(_NPY_FIRST) + 2
    end = start + int.from_bytes(data[len(_NPY_FIRST) : start], "little")
    if not data.startswith(_NPY_FIRST) or end > _NPY_SHORT:
        return None
    shape, by_columns, kind = _npy_header(data[:end])
    if kind.kind not in "biufc" or by_columns:
        return None
    return np.ndarray(shape, kind, data, end).copy()


@lru_cache(maxsize=256)
def _npy_header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """The shape, whether it is stored by columns, and the type."""
    file = io.BytesIO(header)
    np.lib.format.read_magic(file)
    return np.lib.format.read_array_header_1_0(file, max_header_size=_NPY_HEADER)
