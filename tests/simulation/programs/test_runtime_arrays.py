"""Arrays as they are sent and as they are returned: what NumPy itself reads and writes."""

from __future__ import annotations

import io
import json
import zlib
from base64 import b64decode, b64encode
from typing import Any

import numpy as np
import pytest

from qumulus.simulation.errors import ProgramError
from qumulus.simulation.programs.runtime.values import Array, Bits, Form
from qumulus.simulation.programs.runtime.wire import Allowance, array

ARRAYS = [
    np.zeros(()),
    np.zeros((0,)),
    np.zeros((3, 0, 2)),
    np.arange(6.0).reshape(2, 3),
    np.arange(6, dtype=">i4"),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(12)[::-2],
    np.array([1 + 2j, 3.0]),
    np.array([True, False]),
]


def file(values: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    """What NumPy writes."""
    found = io.BytesIO()
    np.lib.format.write_array(found, values, version=version)
    return found.getvalue()


def sent(content: bytes) -> Any:
    """A file as the client sends it."""
    return {"__type__": "ndarray", "__value__": b64encode(zlib.compress(content)).decode()}


@pytest.mark.parametrize("version", [None, (2, 0), (3, 0)])
@pytest.mark.parametrize("values", ARRAYS, ids=repr)
def test_a_file_is_read_as_numpy_reads_it(values: np.ndarray, version: tuple[int, int] | None) -> None:
    for _ in range(2):  # the second time its header is known
        found = array(sent(file(values, version)), Allowance(1 << 20), "array")
        assert found.dtype == values.dtype
        assert found.shape == values.shape
        assert (found == values).all()
        assert found.flags.writeable


@pytest.mark.parametrize("values", [*ARRAYS, np.float64(0.5), np.zeros((40,) + (1,) * 25)], ids=repr)
def test_a_file_is_written_as_numpy_writes_it(values: np.ndarray) -> None:
    written = Array(values).typed()["__value__"]
    assert zlib.decompress(b64decode(written)) == file(np.asarray(values))


@pytest.mark.parametrize(
    "content",
    [
        file(np.arange(6.0))[:-1],
        file(np.arange(6.0))[:40],
        file(np.arange(6.0))[:9],
        file(np.arange(6.0)).replace(b"(6,), ", b"(-6,),"),
        file(np.arange(6.0)).replace(b"(6,), ", b"(7,), "),
        file(np.arange(6.0)).replace(b"<f8", b"|O8"),
        file(np.zeros(2, "i4,f8")),
        file(np.zeros(2, "(2,3)f8"))[:100],
    ],
)
def test_a_file_that_is_damaged_or_holds_other_things_is_refused(content: bytes) -> None:
    with pytest.raises(ProgramError):
        array(sent(content), Allowance(1 << 20), "array")


@pytest.mark.parametrize("width", [1, 2, 7, 8, 9, 16, 17, 70])
def test_bits_are_packed_as_the_client_unpacks_them(width: int) -> None:
    bits = np.random.default_rng(width).integers(0, 2, (50, width), np.uint8)
    numbers = [int("".join(map(str, row[::-1])), 2) for row in bits.tolist()]
    found = Bits(bits, (5,))
    packed = found.typed()["__value__"]["array"].numbers
    assert packed.shape == (5, 10, -(-width // 8))
    assert [int.from_bytes(row.tobytes(), "big") for row in packed.reshape(50, -1)] == numbers
    samples = json.loads(Form.PLAIN.written(found))["samples"]
    assert np.shape(samples) == (5, 10)
    assert np.ravel(samples).tolist() == [hex(number) for number in numbers]


@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_several_registers_stand_each_in_its_place(shape: tuple[int, ...]) -> None:
    shots = 4 if shape != (0,) else 0
    ones, zeros = (np.full((max(1, np.prod(shape, dtype=int)) * shots, 1), value, np.uint8) for value in (1, 0))
    document = {"a": Bits(ones, shape), "text": '"0x0"', "b": [Bits(zeros, shape)], "c": None}
    found = json.loads(Form.PLAIN.written(document))
    expected = {letter: np.full((*shape, shots), f"0x{value}").tolist() for letter, value in (("a", 1), ("b", 0))}
    assert found == {
        "a": {"samples": expected["a"], "num_bits": 1},
        "text": '"0x0"',
        "b": [{"samples": expected["b"], "num_bits": 1}],
        "c": None,
    }
