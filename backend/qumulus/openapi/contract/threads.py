"""The threads in which handlers run that are no coroutines: they wait for the disk, and the loop must not.

Most handlers take less time than the executors of the library need to hand a call to a thread, and its result back.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import cache, partial
from queue import SimpleQueue
from typing import Any, TypeVar

from qumulus.core.errors import Unavailable

MOST = 40  # handlers that run at the same time; the others wait for their turn

T = TypeVar("T")


class _Threads:
    """As many threads as are needed, and not more than ``MOST``. They end with the process."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._count = 0
        self._free = 0  # threads that have nothing to do, less the calls that wait for one

    def run(self, call: Callable[[], None]) -> None:
        """Have one of them call ``call``, which does not raise.

        Raises:
            Unavailable: there is none, and none can be started.
        """
        with self._lock:
            self._free -= 1
            more = self._free < 0 and self._count < MOST
            if more:
                self._count += 1
                self._free += 1
        if more:
            self._start()
        self._calls.put(call)

    def _start(self) -> None:
        try:
            threading.Thread(target=self._loop, name=f"qumulus-handler-{self._count}", daemon=True).start()
        except RuntimeError:  # this user may have no more of them now
            with self._lock:
                self._count -= 1
                others = self._count > 0
                if others:  # they take one more turn
                    self._free -= 1
            if not others:
                raise Unavailable(
                    "The server may start no thread now: send the request again in a few seconds."
                ) from None

    def _loop(self) -> None:
        while True:
            self._calls.get()()
            with self._lock:
                self._free += 1


@cache
def _threads() -> _Threads:
    return _Threads()


async def in_thread(call: Callable[..., T], *arguments: object) -> T:
    """Return what ``call`` returns, called in one of the threads with the context of whoever awaits it."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[T] = loop.create_future()
    _threads().run(partial(_called, loop, ended, partial(copy_context().run, call, *arguments)))
    try:
        return await ended
    finally:
        del (
            ended
        )  # what it raises knows this frame: each would keep the other, and all that a request has brought along


def _called(loop: asyncio.AbstractEventLoop, ended: asyncio.Future[T], call: Callable[[], T]) -> None:
    settle: Callable[[Any], None]
    what: Any
    try:
        settle, what = ended.set_result, call()
    except BaseException as error:  # whatever it is, it belongs to who awaits it
        settle, what = ended.set_exception, error
    with suppress(RuntimeError):  # the loop has ended: nobody awaits it any more
        loop.call_soon_threadsafe(_settled, ended, settle, what)
    del ended, settle, what  # as above


def _settled(ended: asyncio.Future[Any], settle: Callable[[Any], None], what: Any) -> None:
    if not ended.done():  # else whoever awaited it was cancelled
        settle(what)
