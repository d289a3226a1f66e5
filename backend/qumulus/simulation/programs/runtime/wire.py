"""Values as the client's ``RuntimeEncoder`` writes them: ``{"__type__": …, "__value__": …}``.

Decoding is by position: whoever reads a payload names the type that may stand there, and nothing else is decoded. No type
names a class, no array holds objects, and everything that is decompressed counts against one allowance of the job.
"""

from __future__ import annotations

import binascii
import io
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .failures import invalid

_NPY_HEADER = 1 << 12
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
        numbers = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False, max_header_size=_NPY_HEADER)
    except (ValueError, TypeError, OverflowError, EOFError, SyntaxError, RecursionError, MemoryError) as error:
        raise invalid(f"The {what} is not an .npy file of numbers; one with objects is never opened.") from error
    if numbers.dtype.kind not in "biufc":
        raise invalid(f"The {what} holds other things than numbers.")
    return numbers


def to_array(numbers: NDArray[Any]) -> dict[str, Any]:
    """An array as the client reads it; one without dimensions stays an array."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(numbers), allow_pickle=False)
    return {"__type__": "ndarray", "__value__": b64encode(zlib.compress(file.getvalue(), FAST)).decode()}


def to_bit_array(bits: NDArray[np.uint8], shape: tuple[int, ...]) -> dict[str, Any]:
    """Bits of shape (sets · shots, width), least significant first, as a BitArray of shape (*shape, shots).

    The client keeps the bits of a shot in bytes, most significant first.
    """
    width = bits.shape[1]
    packed = np.packbits(bits, axis=1, bitorder="little")[:, ::-1]
    shots = len(bits) // max(1, int(np.prod(shape)))
    whole = np.ascontiguousarray(packed.reshape(*shape, shots, packed.shape[1]))
    return {"__type__": "BitArray", "__value__": {"array": to_array(whole), "num_bits": width}}


def to_data_bin(fields: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    """The data of one pub; ``fields`` are encoded already."""
    value = {
        "field_names": list(fields),
        "field_types": [str(content["__type__"]) for content in fields.values()],
        "shape": shape,
        "fields": dict(fields),
    }
    return {"__type__": "DataBin", "__value__": value}


def to_datetime(time: datetime) -> dict[str, str]:
    """A moment with its time zone."""
    return {"__type__": "datetime", "__value__": time.isoformat()}


def to_value(name: str, **content: Any) -> dict[str, Any]:
    """A value of a named type."""
    return {"__type__": name, "__value__": content}
