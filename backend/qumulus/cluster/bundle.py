"""Frames of several runs as one value: Ray carries one argument of bytes in half the time that it takes for a list of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from qumulus.execution.wire import Frame

_frame = struct.Struct("!II")  # the number of a run, and how many parts its frame has
_part = struct.Struct("!Q")  # the length of a part


def bundled(frames: Iterable[tuple[int, Frame]]) -> bytes:
    """Join frames into bytes, each with the number of its run."""
    pieces: list[bytes] = []
    for number, frame in frames:
        pieces += (_frame.pack(number, len(frame)), *(_part.pack(len(part)) for part in frame), *frame)
    return b"".join(pieces)


def unbundled(data: bytes) -> list[tuple[int, Frame]]:
    """Take the bytes of `bundled` apart again."""
    frames, at = [], 0
    while at < len(data):
        number, count = _frame.unpack_from(data, at)
        at += _frame.size
        lengths = [_part.unpack_from(data, at + index * _part.size)[0] for index in range(count)]
        at += count * _part.size
        parts = []
        for length in lengths:
            parts.append(data[at : at + length])
            at += length
        frames.append((number, tuple(parts)))
    return frames
