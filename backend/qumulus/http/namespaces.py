"""In front of all: one server, several clouds.

A request goes to the namespace that its path, a header or its credential names, else to the server's own. The header may name that, too:
then no credential leads elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from qumulus.core.errors import NotAuthenticated, Unavailable
from qumulus.core.ports.namespaces import BEGINS, OWN, PREFIX
from qumulus.openapi.contract.rules import REFUSED

from .credentials import Credentials, Form
from .front import App, Front, Message, Receive, Scope, Send, refuse

log = logging.getLogger("qumulus.namespaces")

HEADER = b"x-qumulus-namespace"
NOT_MADE = "There is no such namespace: make it with PUT /emulator/namespaces/NAME."
NOT_KNOWN = (
    "The credential is of a namespace that is not there: make that first, or send a credential without its name and ~."
)
LOOK_SECONDS = 1.0  # between two looks whether another process has removed one


class Folders(Protocol):
    """Where the states of namespaces are."""

    def folder(self, name: str) -> Path | None: ...


class Running:
    """A cloud that this process has opened, from its start to its end."""

    def __init__(self, cloud: Front, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder
        self._told: asyncio.Queue[Message] = asyncio.Queue()
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Start what runs beside requests."""
        self._task = asyncio.create_task(self.cloud({"type": "lifespan"}, self._told.get, self._heard.put))
        await self._tell("lifespan.startup")

    async def end(self) -> None:
        """End it."""
        await self._tell("lifespan.shutdown")

    async def _tell(self, what: str) -> None:
        if self._task is None:
            return
        await self._told.put({"type": what})
        heard = asyncio.create_task(self._heard.get())
        done, _ = await asyncio.wait({heard, self._task}, return_when=asyncio.FIRST_COMPLETED)
        heard.cancel()
        if heard not in done:
            self._task.result()  # it has ended instead of answering: its error, if that was why


class Namespaces:
    """The ASGI application of a server: its own cloud, and those of its namespaces, which are opened when somebody asks for them."""

    def __init__(self, own: Front, folders: Folders, opened: Callable[[Path], Front], credentials: Credentials) -> None:
        """``opened`` makes the cloud of a folder; it may take a second, is called in a thread, and raises `Unavailable` where it can't."""
        self._own = own
        self._folders = folders
        self._opened = opened
        self._credentials = credentials
        self._running: dict[str, Running] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watching: asyncio.Task[None] | None = None

    def owns(self, path: str) -> bool:
        """Say whether an API is mounted at ``path``."""
        return self._own.owns(path)

    def drain(self) -> None:
        """Take no new work, in no cloud."""
        for each in [self._own, *(running.cloud for running in list(self._running.values()))]:
            each.drain()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the life of the process."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        name = named(scope)
        if name == OWN and not scope["path"].startswith(PREFIX):
            await self._own(scope, receive, send)
            return
        form = await self._credentials.form(scope, path_within(scope["path"]), receive)
        led = self._led(scope, form) if name is None else None
        if name is None and led is None:
            await self._own(scope, receive if form is None else form.receive, send)
            return
        name = name or led or ""
        try:
            app = await self._cloud(name)
        except Unavailable as error:
            await refuse(send, 503, error.message)
            return
        if app is None and led is not None:  # the server's own cloud says so, as each API refuses credentials
            scope[REFUSED] = NotAuthenticated(NOT_KNOWN)
            await self._own(scope, receive if form is None else form.receive, send)
            return
        if app is None:
            await refuse(send, 404, NOT_MADE)
            return
        scope = within(scope, name)
        scope["headers"] = self._credentials.without(name, scope["headers"])
        if form is not None:
            form.forget(name)
            scope["headers"] = form.headers(scope["headers"])
            receive = form.receive
        await app(scope, receive, send)

    def _led(self, scope: Scope, form: Form | None) -> str | None:
        """Return the namespace that the credential of a request leads to."""
        for header, value in scope["headers"]:
            if (found := self._credentials.namespace(header, value)) is not None:
                return found
        return None if form is None else form.namespace

    async def _cloud(self, name: str) -> App | None:
        """Return the cloud of a namespace, which is opened where it is not; None where there is none."""
        folder = self._folders.folder(name)
        known = self._running.get(name)
        if folder is None:
            return None
        if known is not None and known.folder == folder:
            return known.cloud
        async with self._locks.setdefault(name, asyncio.Lock()):
            known = self._running.get(name)
            if known is not None and known.folder == folder:
                return known.cloud
            await self._close(name)
            begun = Running(await asyncio.to_thread(self._opened, folder), folder)
            await begun.begin()
            self._running[name] = begun
            log.info("The namespace %s is open.", name)
            return begun.cloud

    async def _close(self, name: str) -> None:
        known = self._running.pop(name, None)
        if known is None:
            return
        try:
            await known.end()
        except Exception:  # whatever it is: the other clouds, and the server's own one, have to end as well
            log.exception("The namespace %s is closed, and not all of it has come to its end.", name)
        else:
            log.info("The namespace %s is closed.", name)

    def close(self, name: str) -> None:
        """Close what is open of a namespace. Called in a thread, which waits for it."""
        if self._loop is not None and name in self._running:
            asyncio.run_coroutine_threadsafe(self._close(name), self._loop).result()

    async def _watch(self) -> None:
        """Close what other processes have removed or replaced."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for name, known in list(self._running.items()):
                if self._folders.folder(name) != known.folder:
                    await self._close(name)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()

        async def hearing() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                if self._watching is not None:
                    self._watching.cancel()
                for name in list(self._running):
                    await self._close(name)
            return message

        self._watching = asyncio.create_task(self._watch())
        await self._own(scope, hearing, send)


def named(scope: Scope) -> str | None:
    """Return the namespace that a request is for; None for the server's own."""
    path: str = scope["path"]
    if path.startswith(PREFIX):
        return path[len(PREFIX) :].partition("/")[0]
    for name, value in scope.get("headers", ()):
        if name == HEADER:
            return value.decode("latin-1")
    return None


def path_within(path: str) -> str:
    """Return a path as the cloud knows it to which it leads."""
    return "/" + path[len(PREFIX) :].partition("/")[2] if path.startswith(PREFIX) else path


def within(scope: Scope, name: str) -> Scope:
    """Return a request as the cloud of a namespace sees it: without what chose that."""
    begins = PREFIX + name
    headers = [header for header in scope["headers"] if header[0] != HEADER]
    changed = {**scope, "headers": headers, BEGINS: begins}
    if scope["path"].startswith(PREFIX):
        changed["path"] = scope["path"][len(begins) :] or "/"
        changed["raw_path"] = scope["raw_path"][len(begins) :] or b"/"
    return changed
