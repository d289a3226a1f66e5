"""The proxy inside the serving process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

import uvicorn

from qumulus.http.connections import Bounded
from qumulus.http.front import App

from .address import Readdressed
from .authority import Authority
from .passing import Passed
from .proxy import Interception, Limits, Proxy
from .sites import Sites


class Interceptor:
    """Answers for `sites` with an application; started and stopped with the server that serves it."""

    def __init__(
        self,
        app: App,
        *,
        sites: Sites,
        passed: Iterable[str],
        here: str,
        folder: Path,
        listener: socket.socket,
        limits: Limits | None = None,
        http: type[Bounded] = Bounded,
        refuses: Callable[[], bool] = lambda: False,
    ) -> None:
        """``here``: host and port of the application; ``folder``: of the local certificate authority; ``http`` speaks on its connections,
        within the limits of the server; ``refuses`` says whether the application takes no connections now.

        Raises:
            AuthorityError: the authority can't be used.
        """
        self._config = uvicorn.Config(
            Readdressed(app, sites, here), http=http, log_config=None, access_log=False, ws="none", lifespan="off"
        )
        self._sites = sites
        self._passed = Passed(passed)
        self.authority = Authority(folder, sites.domains)
        self.listener = listener
        self._limits = limits or Limits()
        self._refuses = refuses

    async def listen(self, server: uvicorn.Server) -> None:
        """Answer until ``server`` stops. The connections are the server's own: it drains and closes them."""
        self._config.load()
        protocol = cast(Callable[..., asyncio.Protocol], self._config.http_protocol_class)
        state = server.server_state
        shared = Interception(
            self._sites,
            self.authority,
            self._passed,
            http=lambda: protocol(config=self._config, server_state=state, app_state={}),
            connections=state.connections,
            limits=self._limits,
            refuses=self._refuses,
        )
        proxy = await asyncio.get_running_loop().create_server(lambda: Proxy(shared), sock=self.listener)
        server.servers.append(proxy)
