"""Routes made from the document, and one answer for everything that goes wrong."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache, partial
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Scope

from qumulus.core.accounts import Caller
from qumulus.core.errors import QumulusError
from qumulus.core.faults import Purpose
from qumulus.core.waits import MustWait, at_once

from .arguments import Arguments
from .bodies import reader
from .direct import Direct, Told
from .document import Declared, Document
from .injection import Plan, dependency_of
from .operations import ContractError, Operations, injected, matched
from .problems import Errors, Refused, invalid
from .replies import response
from .rules import REFUSED, RULES, Answered, Call, Fault, Subjects, ask
from .threads import in_thread

BODY_LIMIT = 64 << 20
NO_SUBJECTS = Subjects()
_SEGMENTS = "qumulus.segments"  # in the scope: those of its path

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]

log = logging.getLogger("qumulus.contract")


class QuickRoute(APIRoute):
    """A route whose endpoint takes a request and returns its response, and that looks first whether a path has its segments: most
    paths are not its own."""

    def __init__(self, path: str, *arguments: Any, **options: Any) -> None:
        super().__init__(path, *arguments, **options)
        segments = path.split("/")
        self._count = None if ":path}" in path else len(segments)  # None: any number
        self._fixed = [(place, segment) for place, segment in enumerate(segments) if segment and "{" not in segment]

    def get_route_handler(self) -> Endpoint:
        """Return what answers: the endpoint itself."""
        return self.endpoint

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See whether it is the route of a request."""
        if self._count is not None:
            segments = _segments(scope)
            if len(segments) != self._count or any(segments[place] != fixed for place, fixed in self._fixed):
                return Match.NONE, {}
        return super().matches(scope)


def _segments(scope: Scope) -> Sequence[str]:
    """Return the segments of a path below its mount, found once for all routes."""
    path, root = scope["path"], scope.get("root_path", "")
    known = scope.get(_SEGMENTS)
    if known is None or known[0] != (path, root):
        below = path[len(root) :] if path.startswith(root) else path
        known = scope[_SEGMENTS] = ((path, root), below.split("/"))
    return known[1]


def serve(
    app: FastAPI,
    document: Document,
    *groups: Operations,
    errors: Errors,
    subjects: Subjects = NO_SUBJECTS,
    read_elsewhere: Collection[str] = (),
    body_limit: int = BODY_LIMIT,
) -> None:
    """Give ``app`` all operations of ``document``.

    The handlers are compared with the document now; the routes are made when the first request comes, because FastAPI
    needs more time to make a route than to answer a request.

    Args:
        groups: the handlers, one group a module.
        errors: how this API says what went wrong.
        subjects: where its requests name the job or the device that they are about.
        read_elsewhere: names of parameters that a dependency reads, so that handlers need not take them.
        body_limit: the largest request body in bytes.

    Raises:
        ContractError: the handlers differ from the document; the error lists every difference.
    """
    made = _compared(document, groups, subjects, frozenset(read_elsewhere), body_limit)
    app.router.redirect_slashes = False
    _before_first_request(app, made, _answer_errors(app, document, errors))


@lru_cache(maxsize=64)
def _compared(
    document: Document,
    groups: tuple[Operations, ...],
    subjects: Subjects,
    read_elsewhere: frozenset[str],
    body_limit: int,
) -> Callable[[], Sequence[BaseRoute]]:
    """Return what makes the routes of a document, once for all apps that serve it: each namespace has its own apps, and nothing
    in a route is of one of them.

    Raises:
        ContractError: the handlers differ from the document.
    """
    handlers = matched(document, groups, read_elsewhere)
    quick = frozenset[str]().union(*(group.quick for group in groups))
    if mistakes := subjects.mistakes([each.path for each in document.operations.values()], document.operations):
        raise ContractError(mistakes)

    @cache
    def routes() -> Sequence[BaseRoute]:
        router = APIRouter(route_class=QuickRoute)
        for name, operation in document.operations.items():
            read = reader(operation, body_limit)
            call = partial(Call, api=document.api, operation=operation, subjects=subjects, read=read)
            asks = operation.secured or subjects.purpose(name) is Purpose.TOKEN
            endpoint = _once_asked(
                partial(_endpoint, operation, handlers[name], call, read, asks=asks, quick=name in quick)
            )
            router.add_api_route(
                operation.route,
                endpoint,
                methods=[operation.method],
                response_model=None,
                operation_id=name,
                name=name,
            )
        return router.routes

    return routes


def _before_first_request(
    app: FastAPI, routes: Callable[[], Sequence[BaseRoute]], told: Mapping[type[Exception], Told]
) -> None:
    """Add ``routes`` when ``app`` builds its middleware, which it does once, for its first request."""
    build = app.build_middleware_stack

    def prepared() -> ASGIApp:
        app.router.routes.extend(routes())
        return Direct(build(), (route for route in app.router.routes if isinstance(route, QuickRoute)), told)

    vars(app)["build_middleware_stack"] = prepared


def _once_asked(make: Callable[[], Endpoint]) -> Endpoint:
    """Return an endpoint that is made for its first request: most programs call few operations, and wait for all that are made."""
    made = cache(make)

    async def endpoint(request: Request) -> Response:
        return await made()(request)

    return endpoint


def _endpoint(
    operation: Declared,
    handler: Callable[..., Any],
    call: Callable[..., Call],
    read: Callable[[Request], Awaitable[Any]],
    *,
    asks: bool,
    quick: bool,
) -> Endpoint:
    """Return what answers a request of an operation; a ``quick`` handler is called at once, where it need not wait.

    With ``asks`` the operation looks at a credential, also where no dependency of its handler does.

    Rules come first, then dependencies, the body, and the parameters: who may not call is told so before the body is read.
    """
    taken = inspect.signature(handler, eval_str=True).parameters
    own = [each for each in taken.values() if not injected(each.annotation)]
    declared = {parameter.argument: parameter for parameter in operation.parameters}
    arguments = Arguments((declared[each.name], each) for each in own if each.name in declared)
    bodies = [each.name for each in own if each.name not in declared]
    given = _given(handler, call, asks=asks)
    awaited = inspect.iscoroutinefunction(handler)

    def answered(request: Request, arguments: Mapping[str, Any]) -> Response:
        return response(handler(**arguments), operation, request)

    async def endpoint(request: Request) -> Response:
        values = await given(request)
        for name in bodies:
            values[name] = await read(request)
        values.update(arguments.of(request))
        if awaited:
            return response(await handler(**values), operation, request)
        if quick:
            with suppress(MustWait):
                return at_once(answered, request, values)
        return await in_thread(answered, request, values)

    return endpoint


def _given(
    handler: Callable[..., Any], call: Callable[..., Call], *, asks: bool
) -> Callable[[Request], Awaitable[dict[str, Any]]]:
    """Return what gives the values of the handler's dependencies, after the rules in force have let the request through."""

    async def let_through(request: Request, caller: Caller | None = None) -> None:
        if rules := request.scope.get(RULES):
            await ask(call(request, caller), rules)
        _without_nul(request)

    parameters = inspect.signature(handler, eval_str=True).parameters.values()
    taken = {each.name: dependency_of(each) for each in parameters if injected(each.annotation)}
    callers = [each.annotation for each in parameters if each.name in taken and each.annotation.__origin__ is Caller]
    request = _argument("request", Request)
    vars(let_through)["__signature__"] = inspect.Signature([request, *(_argument("caller", each) for each in callers)])
    plan = Plan()
    for dependency in filter(None, (_led_somewhere if asks or callers else None, let_through, *taken.values())):
        plan.add(dependency)

    async def given(request: Request) -> dict[str, Any]:
        found = await plan.solve(request)
        return {name: found[dependency] for name, dependency in taken.items() if dependency is not None}

    return given


def _led_somewhere(request: Request) -> None:
    """Refuse a credential that is known to lead nowhere, before anybody looks at it.

    Raises:
        Fault: as the API refuses credentials that it does not know.
    """
    if (error := request.scope.get(REFUSED)) is not None:
        raise Fault(None, error.message, cause=error)


def _without_nul(request: Request) -> None:
    """Refuse an address with a NUL: no database keeps one in a text.

    Raises:
        Refused
    """
    if "\x00" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise Refused("The address has the character NUL (%00): leave it out.", 400, 422, 404)


def _argument(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _answer_errors(app: FastAPI, document: Document, errors: Errors) -> Mapping[type[Exception], Told]:
    """Answer errors as the API does; what answers each kind of them."""

    def answer(request: Request, error: QumulusError | None) -> Response:
        operation = document.operations.get(getattr(request.scope.get("route"), "operation_id", ""))
        answered = errors.response(error, operation)
        if answered is None:
            log.error("%s declares no status for %s", operation and operation.id, type(error).__name__, exc_info=error)
            answered = errors.response(None, operation)
        assert answered is not None  # noqa: S101 - there is always an answer to a mistake
        return answered

    async def of_the_core(request: Request, error: Exception) -> Response:
        assert isinstance(error, QumulusError)  # noqa: S101 - what it is registered for
        spelled_out = _spelled_out(request) if isinstance(error, Refused) else ()
        if spelled_out and all(request.method not in route.methods for route in spelled_out):
            return await not_routed(request, HTTPException(405))  # it only came to a path with variables
        return answer(request, error)

    async def not_valid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return answer(request, invalid(error.errors()))

    async def not_routed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        answered = errors.response(_unknown(request, error), None)
        assert answered is not None  # noqa: S101 - nothing is declared that could be in the way
        return answered

    async def mistaken(request: Request, _error: Exception) -> Response:
        return answer(request, None)  # the server logs the error itself, with its traceback

    async def answered_by_a_rule(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Answered)  # noqa: S101
        return error.response

    told: dict[type[Exception], Told] = {
        QumulusError: of_the_core,
        Answered: answered_by_a_rule,
        RequestValidationError: not_valid,
        HTTPException: not_routed,
        Exception: mistaken,
    }
    for kind, answered in told.items():
        app.add_exception_handler(kind, answered)
    return told


def _unknown(request: Request, error: HTTPException) -> Refused:
    """Return the error for a path or a method that the document does not have; the header Allow names every method of the path."""
    path = request.scope["path"][:200]
    if error.status_code != 405:
        return Refused(f"There is nothing at {path}: see /docs for what there is.", error.status_code)
    routes = _spelled_out(request) or _matching(request)
    allowed = ", ".join(sorted({method for route in routes for method in route.methods}))
    return Refused(f"{path} takes {allowed}, not {request.method}.", 405, headers={"Allow": allowed})


def _matching(request: Request) -> list[Any]:
    return [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]


def _spelled_out(request: Request) -> list[Any]:
    """Return the routes whose path is that of the request, letter for letter: they go before those with variables."""
    return [route for route in _matching(request) if "{" not in route.path]
