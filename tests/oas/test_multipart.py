"""Forms with files, as they come in."""

from __future__ import annotations

import pytest

from qumulus.openapi.contract.multipart import MOST_PARTS, NotMultipart, parts

TYPE = 'multipart/form-data; boundary="b"'


def form(*fields: tuple[str, bytes]) -> bytes:
    """A form of (what follows form-data, content)."""
    each = (
        b"--b\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + body + b"\r\n"
        for head, body in fields
    )
    return b"".join(each) + b"--b--\r\n"


def test_fields_are_text_and_files_are_bytes() -> None:
    raw = form(('name="key"', "a/ü".encode()), ('name="file"; filename="input.zip"', b"PK\x00\r\n--"))
    assert parts(raw, TYPE) == {"key": "a/ü", "file": b"PK\x00\r\n--"}


def test_a_field_that_is_no_text_stays_bytes() -> None:
    assert parts(form(('name="key"', b"\xff")), TYPE) == {"key": b"\xff"}


@pytest.mark.parametrize(
    ("raw", "content_type", "sentence"),
    [
        (form(), "multipart/form-data", "has no boundary"),
        (form(), f'multipart/form-data; boundary="{"b" * 257}"', "is not a multipart form with this boundary"),
        (b"nothing of the kind", TYPE, "is not a multipart form with this boundary"),
        (form(*((f'name="{number}"', b"") for number in range(MOST_PARTS + 1))), TYPE, "has more than 64 parts"),
    ],
)
def test_what_is_no_such_form_is_refused(raw: bytes, content_type: str, sentence: str) -> None:
    with pytest.raises(NotMultipart, match=sentence):
        parts(raw, content_type)
