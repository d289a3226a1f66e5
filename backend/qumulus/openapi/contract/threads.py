"""The threads in which handlers run that are no coroutines: they wait for the disk, and the loop must not.

asyncio hands a call to a thread and its result back in half of the time that the framework needs, and most handlers take less.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache, partial
from typing import TypeVar

MOST = 40  # handlers that run at the same time; the others wait for their turn

T = TypeVar("T")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST, thread_name_prefix="qumulus-handler")


async def in_thread(call: Callable[..., T], *arguments: object) -> T:
    """Return what ``call`` returns, called in one of the threads with the context of whoever awaits it."""
    return await asyncio.get_running_loop().run_in_executor(_pool(), partial(copy_context().run, call, *arguments))
