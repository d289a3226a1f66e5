"""The short way from a request to the handler of its operation.

The framework leads a request through seven layers, and looks at all routes in turn. What they are there for (to find the route, to
turn errors into answers) is done here in one step for what the document declares; everything else, such as a path that there is
not, goes through them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

Told = Callable[[Request, Exception], Awaitable[Response]]  # what answers an error


class Direct:
    """Answers the requests of an application."""

    def __init__(self, layers: ASGIApp, routes: Iterable[APIRoute], told: Mapping[type[Exception], Told]) -> None:
        """``layers`` answers everything that is no operation. ``routes`` have endpoints that take a request and return its response;
        ``told``, from the most particular kind to `Exception`, answers their errors: those that are
        no other kind are mistakes of ours, which are raised as well."""
        self._layers = layers
        self._told = told
        self._by_method: dict[str, list[APIRoute]] = {}
        for route in routes:
            for method in route.methods or ():
                self._by_method.setdefault(method, []).append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        route = self._route(scope) if scope["type"] == "http" else None
        if route is None:
            await self._layers(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await route.endpoint(request)
        except Exception as error:  # whatever it is, it has an answer
            kind = next(each for each in self._told if isinstance(error, each))
            response = await self._told[kind](request, error)
            if kind is Exception:
                await response(scope, receive, send)
                raise
        await response(scope, receive, send)

    def _route(self, scope: Scope) -> APIRoute | None:
        """Return the route of an operation, which the scope then names; None where there is none."""
        for route in self._by_method.get(scope["method"], ()):
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                return route
        return None
