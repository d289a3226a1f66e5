"""The values of results, in the two forms that the service writes them in.

Typed: ``{"__type__": …, "__value__": …}``, compressed, as the client's ``RuntimeDecoder`` reads it; for jobs that set
``support_qiskit``. Plain: JSON that anybody reads, as the service's REST API has it otherwise.
"""

from __future__ import annotations

import io
import json
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from itertools import chain
from math import prod
from secrets import token_hex
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from qiskit import qasm3, qpy
from qiskit.circuit import QuantumCircuit

from .circuits import OLDEST
from .wire import FAST

_BYTE = 8
_WORD_BYTES = 8
_QUOTED = np.array([f'"{number:#x}",'.encode() for number in range(1 << _BYTE)])
"""Bytes as hexadecimal numbers in JSON; the short ones are filled up with zeros."""

_SAMPLE_BITS = 8 * 8
"""What a sample takes in plain JSON beside its digits: quotes, comma and prefix."""


class Value(Protocol):
    """A value with two forms; either may hold further values."""

    def typed(self) -> Any:
        """Return the form that the client decodes."""
        ...

    def plain(self) -> Any:
        """Return the form in pure JSON."""
        ...


class Form(Enum):
    """How a result is written."""

    TYPED = "typed"
    PLAIN = "plain"

    def written(self, document: Any) -> bytes:
        """Write a document that may hold values anywhere, as JSON."""
        mark, pieces = token_hex(16), list[bytes]()

        def of(value: Value | Json) -> Any:
            if isinstance(value, Json):
                pieces.append(value.text)
                return mark
            return value.typed() if self is Form.TYPED else value.plain()

        between = json.dumps(document, separators=(",", ":"), default=of).encode().split(f'"{mark}"'.encode())
        return b"".join(chain.from_iterable(zip(between, [*pieces, b""], strict=True)))

    def bits(self, width: int) -> int:
        """Return how many bits the shot of a register with this many bits takes while a result is written."""
        return width if self is Form.TYPED else 2 * width + _SAMPLE_BITS


@dataclass(frozen=True, slots=True, eq=False)
class Json:
    """What is JSON already, and is written as it is: thousands of short texts take long one by one."""

    text: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Array:
    """Numbers in an array of any shape, () included."""

    numbers: NDArray[Any]
    name: ClassVar = "ndarray"

    def typed(self) -> Any:
        """Return an ``.npy`` file, compressed; an array without dimensions stays one."""
        return _typed(self.name, b64encode(zlib.compress(_npy(np.asarray(self.numbers)), FAST)).decode())

    def plain(self) -> Any:
        """Return nested lists: a complex number as [real, imaginary], and null for what is no finite number."""
        numbers = np.asarray(self.numbers)
        if numbers.dtype.kind == "c":
            numbers = np.stack([numbers.real, numbers.imag], axis=-1)
        if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
            finite = numbers.astype(object)
            finite[~np.isfinite(numbers)] = None
            return finite.tolist()
        return numbers.tolist()


def _npy(numbers: NDArray[Any]) -> bytes:
    """Return an ``.npy`` file."""
    if numbers.flags.c_contiguous:
        return _npy_header(numbers.dtype, numbers.shape) + numbers.tobytes()
    file = io.BytesIO()
    np.lib.format.write_array(file, numbers, allow_pickle=False)
    return file.getvalue()


@lru_cache(maxsize=256)
def _npy_header(kind: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return how the file of an array begins that is stored by rows: NumPy takes as long to write it as all else."""
    file = io.BytesIO()
    described = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)
    return file.getvalue()


def _numbers(rows: NDArray[np.uint8]) -> list[int]:
    """Return the numbers that rows of bytes are, most significant first."""
    count, width = rows.shape
    if width > _WORD_BYTES:
        return [int.from_bytes(row.tobytes(), "big") for row in rows]
    words = np.zeros(
        (count, _WORD_BYTES), np.uint8
    )  # all at once: one after the other takes longer than the simulation
    words[:, _WORD_BYTES - width :] = rows
    return words.view(">u8")[:, 0].tolist()


def _listed(numbers: NDArray[np.uint8]) -> bytes:
    """Return bytes in an array of any shape as nested lists of hexadecimal numbers, in JSON."""
    inner = (
        _QUOTED[numbers].tobytes().replace(b"\0", b"")[:-1] if numbers.ndim == 1 else b",".join(map(_listed, numbers))
    )
    return b"[" + inner + b"]"


def _packed(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return rows of bits, least significant first, as rows of bytes, most significant first."""
    if not 0 < bits.shape[1] <= _BYTE:
        return np.ascontiguousarray(np.packbits(bits, axis=1, bitorder="little")[:, ::-1])
    packed = bits[:, :1].copy()  # column by column: packbits takes several times as long for short rows
    for place in range(1, bits.shape[1]):
        packed |= bits[:, place : place + 1] << place
    return packed


@dataclass(frozen=True, slots=True, eq=False)
class Bits:
    """The bits of a register, shape (sets · shots, width), least significant first, of sets with the shape ``shape``."""

    bits: NDArray[np.uint8]
    shape: tuple[int, ...]
    name: ClassVar = "BitArray"

    @property
    def _packed(self) -> NDArray[np.uint8]:
        """The shots in bytes, most significant first; shape (*shape, shots, bytes)."""
        shots = len(self.bits) // max(1, prod(self.shape))
        packed = _packed(self.bits)
        return packed.reshape(*self.shape, shots, packed.shape[1])

    def typed(self) -> Any:
        """Return a BitArray of shape (*shape, shots)."""
        return _typed(self.name, {"array": Array(self._packed), "num_bits": self.bits.shape[1]})

    def plain(self) -> Any:
        """Return the samples as hexadecimal numbers, in lists nested as the shape (*shape, shots)."""
        packed = self._packed
        if packed.shape[-1] == 1:
            return {"samples": Json(_listed(packed[..., 0])), "num_bits": self.bits.shape[1]}
        rows = packed.reshape(-1, packed.shape[-1])
        samples = np.empty(len(rows), object)
        samples[:] = [hex(number) for number in _numbers(rows)]
        return {"samples": samples.reshape(packed.shape[:-1]).tolist(), "num_bits": self.bits.shape[1]}


@dataclass(frozen=True, slots=True, eq=False)
class DataBin:
    """The data of one pub, by their names."""

    fields: Mapping[str, Array | Bits]
    shape: tuple[int, ...]

    def typed(self) -> Any:
        """Return the fields with their types and the shape of the pub."""
        value = {
            "field_names": list(self.fields),
            "field_types": [field.name for field in self.fields.values()],
            "shape": self.shape,
            "fields": dict(self.fields),
        }
        return _typed("DataBin", value)

    def plain(self) -> Any:
        """Return the fields."""
        return dict(self.fields)


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A moment, which the service tells in UTC and without a zone."""

    time: datetime

    def typed(self) -> Any:
        """Return the time in ISO 8601, with its type."""
        return _typed("datetime", self.plain())

    def plain(self) -> Any:
        """Return the time in ISO 8601."""
        return self.time.astimezone(UTC).replace(tzinfo=None).isoformat()


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Members under the name of their type."""

    name: str
    members: Mapping[str, Any]

    def typed(self) -> Any:
        """Return the members with the name of their type."""
        return _typed(self.name, self.members)

    def plain(self) -> Any:
        """Return the members."""
        return self.members


@dataclass(frozen=True, slots=True, eq=False)
class Object:
    """Members of a class of the client, or the settings that another class is made of."""

    module: str
    name: str
    members: Mapping[str, Any]
    kind: str = "_json"

    def typed(self) -> Any:
        """Return the members with the place of their class."""
        return {"__type__": self.kind, "__module__": self.module, "__class__": self.name, "__value__": self.members}

    def plain(self) -> Any:
        """Return the members."""
        return self.members


@dataclass(frozen=True, slots=True, eq=False)
class Circuit:
    """A circuit."""

    circuit: QuantumCircuit

    def typed(self) -> Any:
        """Return the circuit in a QPY file that every client that is served reads, compressed."""
        file = io.BytesIO()
        qpy.dump(self.circuit, file, version=OLDEST)
        return _typed("QuantumCircuit", b64encode(zlib.compress(file.getvalue())).decode())

    def plain(self) -> Any:
        """Return the circuit in OpenQASM 3."""
        return qasm3.dumps(self.circuit)


def _typed(name: str, value: Any) -> dict[str, Any]:
    return {"__type__": name, "__value__": value}
