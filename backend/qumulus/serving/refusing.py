"""Connections that are refused while a fault says so: the server does not listen, as one that is down.

Its administrator reaches it meanwhile at an address of its own, at which the emulator's API answers and nothing else. A socket that
no longer listens keeps its port, so that nobody else can take that. All processes that share it stop together.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import uvicorn
from uvicorn.server import ServerState

from qumulus.core.errors import InvalidRequest, QumulusError, Unavailable, UnknownFault
from qumulus.core.faults import Fault, FaultKind
from qumulus.core.ports import Clock, FaultStore
from qumulus.core.ports.listening import told_in
from qumulus.http.connections import Bounded
from qumulus.http.front import App, Receive, Scope, Send, refuse

log = logging.getLogger("qumulus.faults")

LOOK_SECONDS = 0.05
AGAIN_SECONDS = 1.0  # until what could not be done is tried again
TOGETHER_SECONDS = 0.3  # in which all processes at one socket have seen that they are to stop
SETTLE_SECONDS = 5.0
SEEN_SECONDS = 0.1  # in which other processes have seen what is changed here: they look more often than that
NOT_SERVED = "Connections can be refused by a server that `qumulus serve` has started, on Linux: reset them here."
EMULATOR = "/emulator"


class Refusing:
    """`core.ports.listening.Listening` of a server of ours."""

    def __init__(self, faults: FaultStore, clock: Clock, home: Path, *, served: bool) -> None:
        """``served`` says that a server of ours will answer, so that connections can be refused as soon as it is up."""
        self._faults = faults
        self._clock = clock
        self._home = home
        self._served = served
        self._doors: Doors | None = None

    def serve(self, doors: Doors) -> None:
        """Have it done."""
        self._doors = doors

    def check(self) -> None:
        """See that this can be had. See `Listening.check`."""
        if not self._served or sys.platform != "linux":
            raise InvalidRequest(NOT_SERVED)

    def made(self) -> tuple[Fault, ...]:
        """Return the faults by which connections are, were or will be refused."""
        return tuple(fault for fault in self._faults.active() if fault.rule.kind is FaultKind.REFUSED)

    def wanted(self) -> Fault | None:
        """Return the fault by which connections are to be refused now."""
        now = self._clock.now() if self.made() else None
        return next((fault for fault in self.made() if now is not None and fault.rule.in_force(now)), None)

    def is_kept(self, fault: Fault) -> bool:
        """Say whether a fault is there still, as the state knows it, which others may have changed."""
        try:
            return self._faults.fault(fault.id).rule.in_force(self._clock.now())
        except UnknownFault:
            return False

    def count(self, fault: Fault) -> None:
        """Count that a fault has come into force, and tell. It does so too where that can't be stored, as on a full disk."""
        try:
            self._faults.count(fault)
        except Unavailable as error:
            log.error("That the fault %s has come into force can't be counted: %s", fault.id, error)
        log.warning("No connection is taken: this is %s.", fault.told)

    @property
    def refuses(self) -> bool:
        """Say whether connections are refused."""
        return self._doors is not None and self._doors.closed

    def settle(self) -> None:
        """Wait until it is so. See `Listening.settle`."""
        if self._doors is not None and not self._doors.alone:
            time.sleep(SEEN_SECONDS)  # the next request may come to another process
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._doors is not None and time.monotonic() < deadline:
            there = self.control() is not None or not self.made()
            if self.refuses == (self.wanted() is not None) and there:
                return
            time.sleep(LOOK_SECONDS / 5)

    def control(self) -> str | None:
        """Return where the administrator is heard. See `Listening.control`."""
        if self._doors is None or not self.made():
            return None
        try:
            return json.loads((self._home / told_in(self._doors.url)).read_text())["control"]
        except (OSError, ValueError):
            return None

    def tell(self, url: str, control: str | None) -> None:
        """Have everybody on this machine know where that is."""
        file = self._home / told_in(url)
        with contextlib.suppress(OSError):
            if control is None:
                file.unlink(missing_ok=True)
            else:
                new = file.with_suffix(".new")
                new.write_text(json.dumps({"url": url, "control": control}))
                new.replace(file)


class Doors:
    """What listens of one process: closed and opened as the faults say."""

    def __init__(self, refusing: Refusing, config: uvicorn.Config, listener: socket.socket, url: str) -> None:
        """``listener`` is the socket that the server will have: closed there, it is still known here."""
        self.alone = True  # whether no other process has the socket
        self._off = False  # whether this process takes none any more
        self._counted: str | None = None  # the fault in force, once that is counted
        self._refusing = refusing
        self._config = config
        self.url = url
        self._kept = listener.dup()
        self._control: asyncio.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def begin(self, server: uvicorn.Server, *, first: bool, alone: bool) -> None:
        """Go by the faults from now on. Where several processes have the socket, the ``first`` hears the administrator."""
        self.alone = alone
        self._refusing.serve(self)
        if first:
            self._refusing.tell(self.url, None)
        self._task = asyncio.create_task(self._watch(server, first=first))

    async def _watch(self, server: uvicorn.Server, *, first: bool) -> None:
        while not server.should_exit:
            try:
                await self._look(server, first=first)
            except (
                QumulusError,
                OSError,
            ) as error:  # a database that is away, no file more: connections must not stay refused
                log.error("Connections can't be refused or taken as the faults say, trying again: %s", error)
                await asyncio.sleep(AGAIN_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, server: uvicorn.Server, *, first: bool) -> None:
        """Do what is to be done now, as the faults say."""
        made = bool(self._refusing.made())
        if first and made != (self._control is not None):
            await self._hear(server, made)
        fault = self._refusing.wanted()
        if fault is None:
            self._counted = None
            if self._off:
                await self._open(server)
            return
        if not self._off:
            self._close(server)
        if first and not self.closed:  # also where another process has been started anew, and has listened for a moment
            await self._refuse(fault)

    @property
    def closed(self) -> bool:
        """Say whether nobody listens at the socket, whoever has it."""
        return not self._kept.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)

    def _close(self, server: uvicorn.Server) -> None:
        server.servers[0].close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        self._off = True

    async def _refuse(self, fault: Fault) -> None:
        """Have nobody listen at the socket. One process does: to do it twice would end every connection that comes later."""
        if not self.alone:
            await asyncio.sleep(TOGETHER_SECONDS)
        if await asyncio.to_thread(self._refusing.is_kept, fault):  # else others may listen again already
            if self._counted != fault.id:
                await asyncio.to_thread(self._refusing.count, fault)  # before anybody can see that it is so
                self._counted = fault.id
            self._kept.shutdown(socket.SHUT_RD)

    async def _open(self, server: uvicorn.Server) -> None:
        config, state = self._config, server.server_state
        protocol = cast("Callable[..., asyncio.Protocol]", config.http_protocol_class)
        server.servers[0] = await asyncio.get_running_loop().create_server(
            lambda: protocol(config=config, server_state=state, app_state=server.lifespan.state),
            sock=self._kept.dup(),
            ssl=config.ssl,
            backlog=config.backlog,
        )
        self._off = False
        log.info("Connections are taken again.")

    async def _hear(self, server: uvicorn.Server, begin: bool) -> None:
        """Hear the administrator at another address, or no longer."""
        if self._control is not None:
            self._control.close()
            server.servers.remove(self._control)
            self._control = None
            self._refusing.tell(self.url, None)
        if not begin:
            return
        config = uvicorn.Config(
            emulator_alone(cast("App", self._config.app)),
            http=Bounded,
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
        )
        config.load()
        protocol = cast("Callable[..., asyncio.Protocol]", config.http_protocol_class)
        state = ServerState()  # of its own: connections to it are not among those that are ended
        self._control = await asyncio.get_running_loop().create_server(
            lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        server.servers.append(self._control)
        host, port = self._control.sockets[0].getsockname()
        self._refusing.tell(self.url, f"http://{host}:{port}")


def emulator_alone(app: App) -> App:
    """Return an application that is the emulator's API of another one."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path == EMULATOR or path.startswith(EMULATOR + "/"):
            await app(scope, receive, send)
        else:
            await refuse(send, 404, "This address is the administrator's: only the paths below /emulator are here.")

    return answer
