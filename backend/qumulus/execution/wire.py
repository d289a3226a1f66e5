"""What processes say to each other: frames of a JSON header and raw parts over a stream socket. No pickle.

A frame is four bytes (the length of the header, big-endian), the header, and the parts whose lengths the header names. The
other end may be a worker in which an untrusted program went wrong: lengths are limited, and what is not such a frame ends
the connection.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HEADER_BYTES = 64 << 20
SEND_SECONDS = 60.0
AT_ONCE_BYTES = (
    64 << 10
)  # that are sent together, and read together: each sending wakes the other end, each reading waits for its turn

COMMAND = struct.Struct("!cI")  # to the fork server: what, and the number of a worker
FORK, KILL = b"f", b"k"

_length = struct.Struct("!I")


class BrokenWire(Exception):
    """The other end is gone, or says what is no frame."""


@dataclass(frozen=True, slots=True)
class Message:
    """One frame."""

    say: str
    members: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence[bytes] = ()


Frame = tuple[bytes, ...]
"""A frame apart: its header, then its parts."""


def packed(message: Message) -> Frame:
    """Return the frame that says a message."""
    lengths = [len(part) for part in message.parts]
    return (json.dumps({"say": message.say, "parts": lengths, **message.members}).encode(), *message.parts)


def unpacked(frame: Frame) -> Message:
    """Return what a frame says.

    Raises:
        BrokenWire: it is none.
    """
    header, *parts = frame
    say, members, lengths = _read(header)
    if lengths != [len(part) for part in parts]:
        raise BrokenWire("A frame has other parts than it says.")
    return Message(say, members, parts)


def _read(data: bytes) -> tuple[str, dict[str, Any], list[int]]:
    """Return what a header says: its word, its members and the lengths of its parts.

    Raises:
        BrokenWire: it is none.
    """
    try:
        header = read_header(data)
        say, lengths = header.pop("say"), header.pop("parts")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BrokenWire("A header can't be read.") from error
    if not isinstance(say, str) or not isinstance(lengths, list):
        raise BrokenWire("A header says too little.")
    if not all(type(length) is int and length >= 0 for length in lengths):
        raise BrokenWire("A header has lengths that are none.")
    return say, header, lengths


def read_header(data: bytes) -> dict[str, Any]:
    """Return the members of a header. JSON can say halves of characters, which no database takes: they become question marks.

    Raises:
        ValueError: it is no JSON.
    """
    header = json.loads(data)
    if b"\\ud" in data.lower():
        header = json.loads(json.dumps(header, ensure_ascii=False).encode("utf-8", "replace"))
    return header


class Wire:
    """One end of a connection."""

    def __init__(self, connection: socket.socket, *, most_bytes: int = 4 << 30) -> None:
        """``most_bytes``: the parts of one frame together."""
        self._socket = connection
        self._most_bytes = most_bytes
        self._ahead = b""  # of what comes next, read already
        connection.settimeout(SEND_SECONDS)

    def send(self, say: str, parts: Sequence[bytes] = (), **members: Any) -> None:
        """Send one frame.

        Raises:
            BrokenWire
        """
        self.send_frame(packed(Message(say, members, parts)))

    def send_frame(self, *frames: Frame) -> None:
        """Send what was packed, frame after frame.

        Raises:
            BrokenWire
        """
        pieces: list[bytes] = []
        for header, *parts in frames:  # nothing is sent of an empty part: who has read the last byte may be gone by now
            pieces += (_length.pack(len(header)), header, *filter(None, parts))
        if sum(map(len, pieces)) < AT_ONCE_BYTES:
            pieces = [b"".join(pieces)]
        try:
            for piece in pieces:
                sent = self._write(piece)
                if sent < len(piece):
                    self._socket.sendall(memoryview(piece)[sent:])
        except (OSError, TimeoutError) as error:
            raise BrokenWire("The other end takes nothing.") from error

    def _write(self, piece: bytes) -> int:
        """Write what can be written without waiting. A socket with a timeout asks first, and lets other threads go before both."""
        try:
            return os.write(self._socket.fileno(), piece)
        except BlockingIOError:
            return 0

    def receive(self, seconds: float | None = None) -> Message | None:
        """Return what the next frame says; None if it does not begin within ``seconds``.

        Raises:
            BrokenWire
        """
        if not self._ahead and not self._ready(seconds):
            return None
        self._read_ahead()
        return self._frame()[0]

    def receive_frame(self) -> Frame:
        """Return the next frame, to be passed on.

        Raises:
            BrokenWire
        """
        if not self._ahead:
            self._ready(None)
        message, header = self._frame()
        return (header, *message.parts)

    def _frame(self) -> tuple[Message, bytes]:
        (length,) = _length.unpack(self._exactly(_length.size))
        if length > HEADER_BYTES:
            raise BrokenWire("A header is too long.")
        header = self._exactly(length)
        say, members, lengths = _read(header)
        if sum(lengths) > self._most_bytes:
            raise BrokenWire("A frame is too long.")
        return Message(say, members, [self._exactly(length) for length in lengths]), header

    def end(self) -> None:
        """Let both ends see the end of the connection, whatever thread waits for it here."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def fileno(self) -> int:
        """Return the descriptor, for those who wait for several."""
        return self._socket.fileno()

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _ready(self, seconds: float | None) -> bool:
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(None if seconds is None else max(0, seconds) * 1000))
        except (OSError, ValueError) as error:
            raise BrokenWire("The connection is closed.") from error

    def _read_ahead(self) -> None:
        """Read all that is there, if that is not much: several small frames come together, each with a length and a header."""
        if not self._ahead:
            try:
                self._ahead = os.read(self._socket.fileno(), AT_ONCE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                raise BrokenWire("The other end is gone.") from error

    def _exactly(self, length: int) -> bytes:
        begun, self._ahead = self._ahead[:length], self._ahead[length:]
        if len(begun) == length:
            return begun
        buffer = bytearray(length)
        buffer[: len(begun)] = begun
        view = memoryview(buffer)[len(begun) :]
        deadline = time.monotonic() + SEND_SECONDS
        while view:
            try:
                count = self._socket.recv_into(view)
            except (OSError, TimeoutError) as error:
                raise BrokenWire("The other end is gone.") from error
            if count == 0:
                raise BrokenWire("The other end is gone.")
            view = view[count:]
            if view and time.monotonic() > deadline:
                raise BrokenWire("The other end is too slow.")
        return bytes(buffer)
