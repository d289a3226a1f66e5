"""Pages of other origins that may call this server from a browser, such as a cloud's web frontend.

A browser asks first, by OPTIONS, and reads an answer only where it names the page's origin. Credentials travel in headers that the
page itself sets; no cookies are let in.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any

METHODS = b"GET, POST, PUT, PATCH, DELETE, HEAD"
SECONDS = b"600"  # for which a browser need not ask again
READABLE = b"Location, Retry-After, ETag, X-Request-Id"


class Origins:
    """Those that are allowed, as `https://frontend.example`."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(origin.strip().rstrip("/").encode() for origin in allowed if origin.strip())

    def shared(self, scope: MutableMapping[str, Any]) -> list[tuple[bytes, bytes]]:
        """Return the headers with which a page may read the answer to a request; none where it may not, or no page asks."""
        if not self._allowed:
            return []
        origin = _header(scope, b"origin")
        if origin not in self._allowed:
            return [(b"vary", b"Origin")]
        named = [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]
        if not asks_first(scope):
            return [*named, (b"access-control-expose-headers", READABLE)]
        wanted = _header(scope, b"access-control-request-headers")
        headers = [(b"access-control-allow-headers", wanted)] if wanted else []
        return [
            *named,
            *headers,
            (b"access-control-allow-methods", METHODS),
            (b"access-control-max-age", SECONDS),
        ]

    def allows(self, scope: MutableMapping[str, Any]) -> bool:
        """Say whether the page that sends a request may do so."""
        return _header(scope, b"origin") in self._allowed


def asks_first(scope: MutableMapping[str, Any]) -> bool:
    """Say whether a browser asks what a page may send."""
    return scope["method"] == "OPTIONS" and bool(_header(scope, b"access-control-request-method"))


def _header(scope: MutableMapping[str, Any], wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")
