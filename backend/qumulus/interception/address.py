"""The translation of a request to a real cloud's host into a request to this cloud."""

from __future__ import annotations

from urllib.parse import unquote

from qumulus.http.front import App, Receive, Scope, Send, host_name, refuse

from .sites import Sites

ASKED = "qumulus.asked"  # in the scope: the host and the path there that a request was sent to, if it came by the proxy


class Readdressed:
    """Hands requests that were sent to the real hosts to the application, as if they had been sent to it.

    Addresses that the application puts into its answers are its own, which the client reaches without the proxy.
    ``authority`` is the host and port of the application.
    """

    def __init__(self, app: App, sites: Sites, authority: str) -> None:
        self._app = app
        self._sites = sites
        self._host = (b"host", authority.encode("ascii"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        site = self._sites.find(host_name(host))
        if site is None:
            await refuse(send, 421, "The proxy does not answer for the host that this request names.")
            return
        there = scope["raw_path"].decode("ascii")
        path = site.path(there)
        headers = [self._host, *(header for header in scope["headers"] if header[0] != b"host")]
        here: dict[str, object] = {
            "scheme": "http",
            "raw_path": path.encode("ascii"),
            "path": unquote(path),
            "headers": headers,
        }
        here[ASKED] = host_name(host), there
        await self._app({**scope, **here}, receive, send)
