"""The end of a server with namespaces, one of which does not end as it should."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from qumulus.http.credentials import Credentials
from qumulus.http.front import Message, Receive, Scope, Send
from qumulus.http.namespaces import Namespaces


class Cloud:
    """What a front door is to those before it: it lives, and answers."""

    def __init__(self, *, ends: bool) -> None:
        self.ended = False
        self._ends = ends

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if not self._ends:
            raise RuntimeError("can't start new thread")
        self.ended = True
        await send({"type": "lifespan.shutdown.complete"})


class Folders:
    """Any namespace is there."""

    def folder(self, name: str) -> Path | None:
        return Path(name)


def test_a_namespace_that_fails_at_its_end_keeps_no_other_cloud_from_its_own(caplog):
    own, clouds = Cloud(ends=True), {"a": Cloud(ends=False), "b": Cloud(ends=True)}
    folders: Any = Folders()
    app = Namespaces(own, folders, lambda folder: clouds[folder.name], Credentials([], []))  # ty: ignore[invalid-argument-type]

    async def life() -> list[str]:
        told: asyncio.Queue[Message] = asyncio.Queue()
        said: list[str] = []

        async def say(message: Message) -> None:
            said.append(message["type"])
            if message["type"] == "lifespan.startup.complete":
                for name in clouds:
                    path = f"/namespaces/{name}/hello"
                    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": []}
                    await app(scope, told.get, answer)
                await told.put({"type": "lifespan.shutdown"})

        async def answer(message: Message) -> None:
            said.append(str(message.get("status", "")))

        await told.put({"type": "lifespan.startup"})
        await app({"type": "lifespan"}, told.get, say)
        return said

    said = asyncio.run(life())
    assert [each for each in said if each] == ["lifespan.startup.complete", "204", "204", "lifespan.shutdown.complete"]
    assert (own.ended, clouds["b"].ended) == (True, True)
    assert "The namespace a is closed, and not all of it has come to its end." in caplog.text
