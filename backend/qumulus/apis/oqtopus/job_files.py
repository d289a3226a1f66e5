"""The zip files of a job, by the names that both APIs call them."""

from __future__ import annotations

import io
import json
import lzma
import zipfile
import zlib
from typing import Any

JOB_API = "oqtopus/user"
"""Where the jobs came in that have such files, as the core notes it."""

INPUT = "input"
OUTPUTS = ("combined_program", "result", "transpile_result", "sse_log")
ONLY_OF = {"combined_program": "multi_manual", "sse_log": "sse"}
"""Files that only one type of job has."""

MOST_BYTES = 64 << 20
"""How large a document may be that is shown in an answer itself."""


class Unreadable(ValueError):
    """A file is no zip file with one JSON document; the text is the end of a sentence about the file."""


_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the modules for archives raise when one is damaged, each in its own way."""

_DATE = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes


def key(job_id: str, name: str) -> str:
    """The key of a file in the storage."""
    return f"{job_id}/{name}.zip"


def pack(entry: str, text: str) -> bytes:
    """A zip file with the text as its only entry."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(entry, _DATE), text, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def unpack(content: bytes) -> Any:
    """The JSON document in a zip file with one entry. What the archive says of its size is not believed.

    Raises:
        Unreadable: it is no zip file, has not one entry, is larger than `MOST_BYTES`, or holds no JSON.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (name,) = archive.namelist()
            with archive.open(name) as entry:
                text = entry.read(MOST_BYTES + 1)
    except _DAMAGED:
        raise Unreadable("is not a zip file with one entry") from None
    if len(text) > MOST_BYTES:
        raise Unreadable(f"is larger than {MOST_BYTES} bytes when it is unpacked")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("does not hold a JSON document") from None
