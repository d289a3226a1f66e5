"""The threads of handlers: also where the user who runs the server may have no more of them."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref

import pytest

from qumulus.core.errors import Unavailable
from qumulus.openapi.contract.threads import _Threads, in_thread


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many threads may still be started, as one number in a list."""
    left, start = [0], threading.Thread.start

    def begin(thread: threading.Thread) -> None:
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", begin)
    return left


def test_calls_wait_for_the_threads_that_there_are(scarce):
    scarce[0] = 2
    threads, done = _Threads(), threading.Semaphore(0)
    for _ in range(20):
        threads.run(lambda: (time.sleep(0.005), done.release())[1])
    for _ in range(20):
        assert done.acquire(timeout=60)
    scarce[0] = 1
    together = threading.Barrier(4, timeout=60)
    for _ in range(3):
        threads.run(lambda: together.wait() and None)
    together.wait()  # three threads now: none was counted that could not be started


def test_without_any_thread_a_call_is_refused_and_the_next_one_is_made(scarce):
    threads, done = _Threads(), threading.Event()
    with pytest.raises(Unavailable, match="may start no thread now"):
        threads.run(done.set)
    scarce[0] = 1
    threads.run(done.set)
    assert done.wait(60)


class Body:
    """What a request has brought along."""


def refuses(body: Body) -> None:
    raise ValueError("It is wrong.")


def test_nothing_of_a_request_that_was_refused_is_kept():
    async def refused() -> weakref.ref[Body]:
        body = Body()
        with pytest.raises(ValueError, match="wrong"):
            await in_thread(refuses, body)
        return weakref.ref(body)

    async def run() -> None:
        gc.disable()
        try:
            body = await refused()
            for _ in range(6000):
                if body() is None:
                    break
                await asyncio.sleep(0.01)  # the thread lets go of it
            assert body() is None
        finally:
            gc.enable()

    asyncio.run(run())
