"""What happens to jobs, as it happens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from qumulus.apis.dependencies import Following
from qumulus.openapi.contract import Operations, Stream

from .callers import Administrator
from .schemas.events import Event, Seconds

UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # the second is for proxies

operation = Operations()


@operation("followEvents")
async def follow_events(administrator: Administrator, following: Following, seconds: Seconds = 60) -> Stream[Event]:
    """Server-sent events until the time is over."""

    async def events() -> AsyncIterator[Event]:
        async for jobs in following.changes(seconds):
            yield Event(event="changed", data=json.dumps({"jobs": jobs}, separators=(",", ":")))

    return Stream(events(), UNBUFFERED)
