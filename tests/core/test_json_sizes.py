"""How much memory the values of a JSON text take, told before they are read."""

from __future__ import annotations

import tracemalloc

import pytest
from pydantic_core import from_json

from qumulus.core.json_sizes import LITTLE, size

MOST = 64 << 20
UNITS = ["[]", "[0]", "{}", '{"":0}', "0", '""', "1.5", "null"]


@pytest.mark.parametrize("unit", UNITS)
def test_values_take_no_more_than_is_told(unit: str) -> None:
    raw = f"[{','.join([unit] * 20_000)}]".encode()
    tracemalloc.start()
    value = from_json(raw)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(value) == 20_000
    assert LITTLE < taken <= size(raw, MOST) or taken <= LITTLE


@pytest.mark.parametrize("unit", UNITS)
def test_more_values_than_there_is_memory_for_are_told(unit: str) -> None:
    assert size(f"[{','.join([unit] * 400_000)}]".encode(), MOST) > MOST


@pytest.mark.parametrize(
    "text", ["[{," * 1_000_000, r"\\\"[" * 1_000_000, r"\\" * 1_000_000], ids=["brackets", "quotes", "backslashes"]
)
@pytest.mark.parametrize("end", ['"', ""], ids=["whole", "cut"])
def test_what_stands_in_a_text_is_no_value_also_where_that_does_not_end(text: str, end: str) -> None:
    assert size(f'"{text}{end}'.encode(), MOST) <= LITTLE


def test_a_text_of_very_many_texts_is_too_much() -> None:
    assert size(b'""' * 400_000 + b"[" * 2000, MOST) > MOST
