"""How an answer goes wrong on its way to the client: marked as injected, cut off, garbled."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from qumulus.core.faults import Fault
from qumulus.openapi.contract import Call, Send

Message = MutableMapping[str, Any]

HEADER = b"x-qumulus-fault"  # of every answer that a fault has touched: its id
GARBAGE = b"\xff\xfe\x00{"  # neither UTF-8 nor JSON


def mark(call: Call, fault: Fault) -> None:
    """Have the answer say that it was injected, and by what."""

    def wrap(send: Send) -> Send:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (HEADER, fault.id.encode())]
            await send(message)

        return marked

    call.alter(wrap)


def swallow(call: Call) -> None:
    """Have nothing sent."""

    def wrap(_send: Send) -> Send:
        async def swallowed(_message: Message) -> None:
            return

        return swallowed

    call.alter(wrap)


def garble(call: Call) -> None:
    """Have the second half of the answer be no text; its length stays."""
    _whole(call, lambda body: [_garbled(body)])


def cut(call: Call) -> None:
    """Have the first half of the answer sent, and then the connection end."""
    _whole(call, lambda body: [body[: len(body) // 2], None])


def _garbled(body: bytes) -> bytes:
    half = len(body) // 2
    rest = len(body) - half
    return body[:half] + (GARBAGE * (rest // len(GARBAGE) + 1))[:rest]


def _whole(call: Call, pieces: Callable[[bytes], list[bytes | None]]) -> None:
    """Have an answer sent as the ``pieces`` that are made of its whole body; None ends the connection."""
    begun: list[Message] = []
    body = bytearray()

    def wrap(send: Send) -> Send:
        async def altered(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body", False):
                return
            await send(_with_length(begun[0], len(body)))
            sent = pieces(bytes(body))
            for number, piece in enumerate(sent, start=1):
                if piece is None:
                    await call.hang_up(at_once=False)
                else:
                    await send({"type": "http.response.body", "body": piece, "more_body": number < len(sent)})

        return altered

    call.alter(wrap)


def _with_length(start: Message, length: int) -> Message:
    """Return the beginning of an answer that says how long it is, so that a client sees that something is missing."""
    others = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    return {**start, "headers": [*others, (b"content-length", str(length).encode())]}
