"""Arrays in results of primitives, read without NumPy, beside what NumPy writes."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any

import numpy as np
import pytest

from qumulus.apis.planqk.quantum.translate import arrays


def packed(array: Any) -> dict[str, str]:
    """An array as the encoder of IBM's client writes it."""
    written = io.BytesIO()
    np.save(written, array)
    return {"__type__": "ndarray", "__value__": base64.b64encode(zlib.compress(written.getvalue())).decode()}


def pub(**fields: Any) -> dict[str, Any]:
    return {"data": {"__type__": "DataBin", "__value__": {"fields": fields}}}


@pytest.mark.parametrize("array", [np.array([[0.5, -1.0], [0.0, 2.5]]), np.array(0.25), np.array([1, 2, 3])])
def test_numbers_keep_their_shape(array: Any):
    found = arrays.numbers(pub(evs=packed(array)), "evs")
    assert found is not None
    assert (tuple(found.shape), found.flat) == (array.shape, array.ravel().tolist())


def test_lists_are_read_as_they_are():
    assert arrays.numbers({"data": {"evs": [[1, 2], [3, 4]]}}, "evs") == arrays.Array([2, 2], [1, 2, 3, 4])
    assert arrays.numbers({"data": {"evs": 0.5}}, "evs") == arrays.Array([], [0.5])
    assert arrays.numbers({"data": {}}, "evs") is None


def test_the_last_register_stands_first():
    low = {"__type__": "BitArray", "__value__": {"array": packed(np.array([[1], [2]], "u1")), "num_bits": 2}}
    wide = np.array([[1, 0], [0, 3]], "u1")
    high = {"__type__": "BitArray", "__value__": {"array": packed(wide), "num_bits": 9}}
    assert arrays.shots(pub(a=low, b=high)) == ["100000000" + "01", "000000011" + "10"]
    assert arrays.shots({"data": {"a": {"samples": ["0x1", "0x2"], "num_bits": 3}}}) == ["001", "010"]


def test_several_parameter_sets_have_no_shots_of_one():
    several = {"__value__": {"array": packed(np.zeros((2, 3, 1), "u1")), "num_bits": 2}}
    assert arrays.shots(pub(a=several)) is None
    assert arrays.shots(pub()) is None
