"""Zip files from outside."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from random import Random

import pytest

from qumulus.payloads.zip_files import Unreadable, pack, pack_json, unpack_json


def archive(**entries: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, value in entries.items():
            file.writestr(name, value)
    return content.getvalue()


def test_a_document_comes_back_and_the_same_one_packs_the_same() -> None:
    packed = pack_json("input.json", {"program": ["Grüße"]})
    assert unpack_json(packed, most_bytes=1000) == {"program": ["Grüße"]}
    assert packed == pack_json("input.json", {"program": ["Grüße"]})


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"", "not a zip file"),
        (b"PK\x03\x04 cut off", "not a zip file"),
        (archive(), "has 0 entries"),
        (archive(a=b"{}", b=b"{}"), "has 2 entries"),
        (archive(a=b"\xff"), "not a JSON document"),
        (archive(a=b"{"), "not a JSON document"),
        (archive(a=b"[" * 100_000), "not a JSON document"),
        (archive(a=b"0" * 50_000_000), "larger than 1000000 bytes"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(packed: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        unpack_json(packed, most_bytes=1_000_000)


def test_an_archive_that_lies_about_its_size_is_not_believed() -> None:
    packed = bytearray(pack("input.json", b" " * 5_000_000))
    directory = packed.rindex(b"PK\x01\x02")
    packed[directory + 24 : directory + 28] = (10).to_bytes(4, "little")
    with pytest.raises(Unreadable):
        unpack_json(bytes(packed), most_bytes=1_000_000)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_archive_is_refused_with_a_sentence_whatever_is_damaged(method: int) -> None:
    content, random = io.BytesIO(), Random(1)
    with zipfile.ZipFile(content, "w", method) as file:
        file.writestr("input.json", json.dumps({"program": ["x" * 50], "operator": [1] * 300}))
    whole = content.getvalue()
    for _ in range(1000):
        damaged = bytearray(whole)
        damaged[random.randrange(len(damaged))] = random.randrange(256)
        with suppress(Unreadable):
            unpack_json(bytes(damaged), most_bytes=1_000_000)
