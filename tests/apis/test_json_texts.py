"""JSON that somebody else has made, read without taking more memory than there is for it."""

from __future__ import annotations

import threading

import pytest

from qumulus.apis import json_texts
from qumulus.apis.json_texts import TooManyValues, reading, sent
from qumulus.apis.planqk.service.interim import interim_results
from qumulus.core.clock import SystemClock
from qumulus.core.results import LogLine

BOMB = b"[" + b"[0]," * 3_000_000 + b"0]"


def test_few_bytes_of_very_many_values_are_not_read() -> None:
    with pytest.raises(TooManyValues), reading(BOMB):
        raise AssertionError("it was read")
    with pytest.raises(TooManyValues):
        sent(BOMB.decode())


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 1000, b'"\\ud800"', b"\xff"])
def test_what_is_no_json_is_told(content: bytes) -> None:
    with pytest.raises(ValueError), reading(content):  # noqa: PT011  a ValueError of any kind
        raise AssertionError("it was read")


def test_a_large_text_is_read_while_no_other_one_is_and_a_small_one_at_any_time() -> None:
    large = b'"%b"' % (b"x" * json_texts.LITTLE)
    begun, read = threading.Event(), threading.Event()

    def other() -> None:
        begun.set()
        with reading(large):
            read.set()

    with reading(large) as value:
        waiting = threading.Thread(target=other)
        waiting.start()
        assert begun.wait(30)
        assert json_texts._alone.locked()
        assert not read.is_set()
        with reading(b"[1]") as small:
            assert small == [1]
        assert len(value) == json_texts.LITTLE
    waiting.join(30)
    assert read.is_set()


def test_interim_results_are_the_lines_that_are_objects() -> None:
    now = SystemClock().wall()
    told = ['{"step": 1}', "[1]", "{", '{"a": NaN}', "{}" * 2]
    lines = [LogLine(now, f"PlanQK:Job:InterimResult: {each}") for each in told]
    assert list(interim_results([LogLine(now, "hello"), *lines])) == [b'{"step":1}', b'{"a":null}']
