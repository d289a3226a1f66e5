"""Zip files that people send, opened for a service or inside the sandbox of a program."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from qumulus.core.errors import InvalidRequest
from qumulus.payloads import zip_files
from qumulus.services.archive import opened
from qumulus.services.child.inside import script
from qumulus.services.child.inside.convert import WrongInput

METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("read", "refusal"), [(opened, InvalidRequest), (script.unpacked, WrongInput)])
def test_a_damaged_archive_is_refused_with_a_sentence_whatever_is_damaged(
    read: Callable[[bytes], Any], refusal: type[Exception], method: int
):
    content, random = io.BytesIO(), Random(1)
    with zipfile.ZipFile(content, "w", method) as file:
        file.writestr("input.json", json.dumps({"sse_program": "print(1)\n" * 50}))
    for _ in range(300):
        damaged = bytearray(content.getvalue())
        damaged[random.randrange(len(damaged))] = random.randrange(256)
        with suppress(refusal):
            read(bytes(damaged))


def test_what_a_damaged_archive_raises_is_the_same_inside_and_outside_of_a_sandbox():
    assert script.DAMAGED == zip_files.DAMAGED
