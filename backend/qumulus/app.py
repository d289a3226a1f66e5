"""The only module that knows every part: composes the cloud and its front door.

`uvicorn qumulus.app:app` works as well as `qumulus serve`.
"""

from __future__ import annotations

from .front import Front, Receive, Scope, Send, refuse
from .settings import Settings


class StartError(Exception):
    """The server can't start; the text says why and what to do."""


def create_app(settings: Settings | None = None) -> Front:
    """Compose the application.

    Raises:
        StartError: an API does not keep its contract, or the state can't be opened.
    """
    settings = settings or Settings()
    return Front([], fallback=nothing_here, allowed_hosts=settings.allowed_hosts.split(","), lifespan=lifespan)


async def nothing_here(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer for a path that no API owns."""
    await refuse(send, 404, f"There is nothing at {scope['path'][:200]}: see /docs for what there is.")


async def lifespan(_scope: Scope, receive: Receive, send: Send) -> None:
    """The life of the process: what is started before the first request and stopped after the last."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return


def __getattr__(name: str) -> Front:
    """`app`, made when it is asked for."""
    if name == "app":
        return create_app()
    raise AttributeError(name)
