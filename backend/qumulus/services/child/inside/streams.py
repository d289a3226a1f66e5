"""What a program prints, in the order in which it printed that.

Two pipes have no common order: which of two lines came first can't be said once both are there. So what Python writes to the
standard error goes into the pipe of the standard output, between two marks; what other programs write there goes its own way.
"""

from __future__ import annotations

import io
import os
import sys

ERROR, OUTPUT = b"\0\2", b"\0\1"  # what follows belongs to the standard error, or to the standard output again


class Marked(io.RawIOBase):
    """The standard error of a program, written between marks to where the standard output went when the program began."""

    def __init__(self) -> None:
        self._order = os.dup(1)
        self._own = _identity(2)

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the standard error itself, for those who hand it on to other programs."""
        return 2

    def write(self, data) -> int:
        """Write all of ``data``, unmarked to the standard error itself where a program has led that elsewhere."""
        content = bytes(data)
        if _identity(2) == self._own:
            _whole(self._order, ERROR + content + OUTPUT)
        else:
            _whole(2, content)
        return len(content)


def _identity(number: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _whole(number: int, content: bytes) -> None:
    while content:
        content = content[os.write(number, content) :]


def keep_order() -> None:
    """Let what Python writes to the standard error from now on come in order with what it writes to the standard output."""
    sys.stderr = sys.__stderr__ = io.TextIOWrapper(
        Marked(),  # ty: ignore[invalid-argument-type]  # a raw stream will do, as in the interpreter's own when it is unbuffered
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
        write_through=True,
    )
