"""What the values of a JSON text take in memory when they are read, told without reading them: of a few characters it can be the hundredfold."""

from __future__ import annotations

import re

# bytes at most, measured over the bodies of all operations; most of it is taken by what is said of values that nobody asked for
CONTAINER, MEMBER, VALUE = 1024, 1536, 200
LITTLE = 1 << 20  # bytes up to which what looks like values in texts, as a program's brackets, may count too
# also one without an end: so that each place is looked at once
TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


def size(raw: bytes, most: int) -> int:
    """Return the bytes that the values in ``raw`` take at most, or some number above ``most``."""
    roughly = _counted(raw)
    if roughly <= LITTLE:
        return roughly
    bare, texts = TEXT.subn(b"", raw, count=most // VALUE + 1)
    return max(_counted(bare), texts * VALUE)


def _counted(raw: bytes) -> int:
    containers = raw.count(b"[") + raw.count(b"{")
    return containers * CONTAINER + raw.count(b":") * MEMBER + raw.count(b",") * VALUE
