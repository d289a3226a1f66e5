"""A program that came with a job: unpacked here, inside the sandbox, and run as `python program.py` runs it."""

from __future__ import annotations

import io
import json
import lzma
import os
import sys
import zipfile
import zlib
from typing import NoReturn

from .convert import WrongInput

NAME = "program.py"
MEMBER = "sse_program"
MOST_BYTES = 64 << 20
# what a damaged archive raises: the same as in qumulus.payloads.zip_files, of which nothing can be imported here
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


def become(packed: bytes) -> NoReturn:
    """Unpack the program and become it: this process goes on as an interpreter that runs it.

    Raises:
        WrongInput: there is no program in it.
    """
    text = unpacked(packed)
    path = os.path.join(os.environ["TMPDIR"], NAME)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chdir(os.environ["TMPDIR"])
    os.execv(sys.executable, [sys.executable, "-B", "-u", path])  # noqa: S606


def unpacked(packed: bytes) -> str:
    """Return the text of the program, in a zip file with one JSON document. What the archive says of its size is not believed.

    Raises:
        WrongInput: it is no zip file, has not one entry, is too large, or has no program.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise WrongInput(f"The input has {len(names)} entries: pack one, named input.json.")
            with archive.open(names[0]) as entry:
                content = entry.read(MOST_BYTES + 1)
    except DAMAGED:
        raise WrongInput("The input is not a zip file that can be opened: pack it again.") from None
    if len(content) > MOST_BYTES:
        raise WrongInput(f"The input is larger than {MOST_BYTES} bytes when it is unpacked: send less.")
    try:
        members = json.loads(content)
    except (ValueError, RecursionError):
        raise WrongInput("The input is not a JSON document: pack it as UTF-8 text.") from None
    text = members.get(MEMBER) if isinstance(members, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise WrongInput(f"The input has no Python program: send its text as the member {MEMBER}.")
    return text
