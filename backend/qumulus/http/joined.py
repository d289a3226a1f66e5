"""The head of an answer and the beginning of its body in one piece: each piece that is sent wakes the client, and interrupts us for that."""

from __future__ import annotations

import asyncio
from typing import Any

HEAD_ENDS = b"\r\n\r\n"


class Joined:
    """A transport that sends a head as soon as something follows, or the loop has nothing else to do at the moment."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        """Be the transport, in all that is not said here."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send data; a head that ends here a bit later."""
        if not self._head and data.endswith(HEAD_ENDS):
            self._head = data
            self._loop.call_soon(self._send)
        else:
            head, self._head = self._head, b""
            self._transport.write(head + data if head else data)

    def close(self) -> None:
        """Send what is left, and end."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        head, self._head = self._head, b""
        if head:
            self._transport.write(head)
