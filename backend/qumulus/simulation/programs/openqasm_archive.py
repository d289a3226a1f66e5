"""Zip files with one entry, as jobs carry their input and their results. Untrusted ones are opened only in workers."""

from __future__ import annotations

import io
import json
import lzma
import zipfile
import zlib
from typing import Any

from qumulus.simulation.errors import ProgramError

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


def pack(entry: str, content: bytes) -> bytes:
    """A zip file with one entry."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(entry, _DATE), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def pack_json(entry: str, content: Any) -> bytes:
    """A zip file with one JSON document."""
    return pack(entry, json.dumps(content, separators=(",", ":")).encode())


def unpack_json(packed: bytes, *, most_bytes: int) -> Any:
    """The JSON document in a zip file with one entry. What the archive says of its size is not believed.

    Raises:
        ProgramError: it is no zip file, has not one entry, is larger than ``most_bytes``, or holds no JSON.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise ProgramError(f"The input has {len(names)} entries: pack one, named input.json.")
            with archive.open(names[0]) as entry:
                content = entry.read(most_bytes + 1)
    except _DAMAGED as error:
        raise ProgramError("The input is not a zip file that can be opened: pack it again.") from error
    if len(content) > most_bytes:
        raise ProgramError(f"The input is larger than {most_bytes} bytes when it is unpacked: send less.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ProgramError("The input is not a JSON document: pack it as UTF-8 text.") from error
