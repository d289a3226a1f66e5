"""Zip files with one entry, as jobs carry their input and their results. Untrusted ones are opened in workers only."""

from __future__ import annotations

import io
import json
import lzma
import zipfile
import zlib
from typing import Any

DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the modules for archives raise when one is damaged, each in its own way. Child processes have the same in `inside.script`."""

_DATE = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes


class Unreadable(ValueError):
    """A file is no zip file with one JSON document; the text is the end of a sentence about the file."""


def pack(entry: str, content: bytes | str) -> bytes:
    """Return a zip file with the content as its only entry."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(entry, _DATE), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def pack_json(entry: str, content: Any) -> bytes:
    """Return a zip file with one JSON document."""
    return pack(entry, json.dumps(content, separators=(",", ":")))


def unpack_json(packed: bytes, *, most_bytes: int) -> Any:
    """Return the JSON document in a zip file with one entry. What the archive says of its size is not believed.

    Raises:
        Unreadable: it is no zip file, has not one entry, is larger than ``most_bytes``, or holds no JSON.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise Unreadable(f"has {len(names)} entries, where one is wanted")
            with archive.open(names[0]) as entry:
                content = entry.read(most_bytes + 1)
    except Unreadable:
        raise
    except DAMAGED as error:
        raise Unreadable("is not a zip file that can be opened") from error
    if len(content) > most_bytes:
        raise Unreadable(f"is larger than {most_bytes} bytes when it is unpacked")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unreadable("is not a JSON document in UTF-8") from error
