"""The head of an answer goes out with the beginning of its body, and is never kept back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from qumulus.http.joined import Joined

HEAD, BODY = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", b"ab"


class Transport:
    """What was sent, piece by piece."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True


def after(*does: Callable[[Joined], None]) -> Transport:
    """The transport, one turn of the loop after something was done with it."""
    transport = Transport()

    async def run() -> None:
        joined = Joined(cast(Any, transport), asyncio.get_running_loop())
        for each in does:
            each(joined)
        await asyncio.sleep(0)

    asyncio.run(run())
    return transport


def writes(data: bytes) -> Callable[[Joined], None]:
    return lambda joined: joined.write(data)


def test_a_head_and_its_body_are_one_piece():
    assert after(writes(HEAD), writes(BODY)).sent == [HEAD + BODY]


def test_a_head_whose_body_comes_later_does_not_wait_for_it():
    assert after(writes(HEAD)).sent == [HEAD]


def test_two_heads_without_bodies_are_both_sent_in_their_order():
    assert b"".join(after(writes(HEAD), writes(HEAD)).sent) == HEAD + HEAD


def test_what_is_closed_sends_its_head_first():
    transport = after(writes(HEAD), Joined.close)
    assert (transport.sent, transport.closed) == ([HEAD], True)
