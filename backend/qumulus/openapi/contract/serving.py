"""Routes made from the document, and one answer for everything that goes wrong."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Annotated, Any, get_origin

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Cookie, Header, Param, Path, Query
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Scope
from typing_extensions import TypeAliasType

from qumulus.core.accounts import Caller
from qumulus.core.errors import QumulusError

from .bodies import reader
from .document import Declared, Document, Parameter
from .injection import Plan, dependency_of
from .operations import ContractError, Operations, injected, matched
from .problems import Errors, Refused, invalid
from .replies import response
from .rules import RULES, Answered, Call, Subjects, ask

BODY_LIMIT = 64 << 20
PLACES: dict[str, type[Param]] = {"path": Path, "query": Query, "header": Header, "cookie": Cookie}
NO_SUBJECTS = Subjects()
_GIVEN = "what_is_given"  # how the request reaches `response`, and the handler what its dependencies give

log = logging.getLogger("qumulus.contract")


class QuickRoute(APIRoute):
    """A route that looks first at how many segments a path has: most paths are not its own."""

    def __init__(self, path: str, *arguments: Any, **options: Any) -> None:
        super().__init__(path, *arguments, **options)
        self._slashes = None if ":path}" in path else path.count("/")  # None: any number

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See whether it is the route of a request."""
        if self._slashes is not None:
            path, root = scope["path"], scope.get("root_path", "")
            below = path.count("/") - (root.count("/") if path.startswith(root) else 0)
            if below != self._slashes:
                return Match.NONE, {}
        return super().matches(scope)


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
    app.router.route_class = QuickRoute
    handlers = matched(document, groups, read_elsewhere)
    if mistakes := subjects.mistakes([each.path for each in document.operations.values()], document.operations):
        raise ContractError(mistakes)
    app.router.redirect_slashes = False
    _answer_errors(app, document, errors)

    def add_routes() -> None:
        for name, operation in document.operations.items():
            read = reader(operation, body_limit)
            call = partial(Call, api=document.api, operation=operation, subjects=subjects, read=read)
            endpoint = _endpoint(operation, handlers[name], call, read)
            app.add_api_route(
                operation.route, endpoint, methods=[operation.method], response_model=None, operation_id=name, name=name
            )

    _before_first_request(app, add_routes)


def _before_first_request(app: FastAPI, prepare: Callable[[], None]) -> None:
    """Call ``prepare`` when ``app`` builds its middleware, which it does once, for its first request."""
    build = app.build_middleware_stack

    def prepared() -> ASGIApp:
        prepare()
        return build()

    vars(app)["build_middleware_stack"] = prepared


def _endpoint(
    operation: Declared,
    handler: Callable[..., Any],
    call: Callable[..., Call],
    read: Callable[[Request], Awaitable[Any]],
) -> Callable[..., Any]:
    """Return what FastAPI calls: the handler, with a signature that says where each argument comes from."""
    if inspect.iscoroutinefunction(handler):

        async def endpoint(**arguments: Any) -> Response:
            request, given = arguments.pop(_GIVEN)
            return response(await handler(**arguments, **given), operation, request)

    else:

        def endpoint(**arguments: Any) -> Response:
            request, given = arguments.pop(_GIVEN)
            return response(handler(**arguments, **given), operation, request)

    endpoint.__name__ = endpoint.__qualname__ = operation.id
    vars(endpoint)["__signature__"] = _signature(operation, handler, call, read)
    return endpoint


def _given(handler: Callable[..., Any], call: Callable[..., Call]) -> Callable[[Request], Awaitable[Any]]:
    """Return what gives the request, after the rules in force have let it through, and what the handler's dependencies give."""

    async def let_through(request: Request, caller: Caller | None = None) -> None:
        if rules := request.scope.get(RULES):
            await ask(call(request, caller), rules)
        _without_nul(request)

    parameters = inspect.signature(handler, eval_str=True).parameters.values()
    taken = {each.name: dependency_of(each) for each in parameters if injected(each.annotation)}
    callers = (each.annotation for each in parameters if each.name in taken and each.annotation.__origin__ is Caller)
    request = _argument("request", Request)
    vars(let_through)["__signature__"] = inspect.Signature([request, *(_argument("caller", each) for each in callers)])
    plan = Plan()
    for dependency in filter(None, (let_through, *taken.values())):
        plan.add(dependency)

    async def given(request: Request) -> tuple[Request, dict[str, Any]]:
        found = await plan.solve(request)
        return request, {name: found[dependency] for name, dependency in taken.items() if dependency is not None}

    return given


def _without_nul(request: Request) -> None:
    """Refuse an address with a NUL: no database keeps one in a text.

    Raises:
        Refused
    """
    if "\x00" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise Refused("The address has the character NUL (%00): leave it out.", 400, 422, 404)


def _signature(
    operation: Declared,
    handler: Callable[..., Any],
    call: Callable[..., Call],
    read: Callable[[Request], Awaitable[Any]],
) -> inspect.Signature:
    """Rules first, then dependencies, and the body last: who may not call is told so before the body is read."""
    declared = {parameter.argument: parameter for parameter in operation.parameters}
    first, last = [_argument(_GIVEN, Annotated[Any, Depends(_given(handler, call))])], []
    for name, taken in inspect.signature(handler, eval_str=True).parameters.items():
        if injected(taken.annotation):
            continue
        if name in declared:
            parameter = declared[name]
            type_ = _list_inside(parameter.type) or parameter.annotation
            first.append(_argument(name, _placed(type_, parameter), taken.default))
        else:
            last.append(_argument(name, Annotated[Any, Depends(read)]))
    return inspect.Signature([*first, *last])


def _placed(type_: Any, parameter: Parameter) -> Any:
    return Annotated[type_, PLACES[parameter.place](alias=parameter.name)]


def _list_inside(type_: Any) -> Any:
    """Return the list that ``type_`` is an alias of, with its limits; None when it is no list.

    FastAPI finds lists neither behind aliases nor, with limits, in unions; it does not validate defaults.
    """
    while isinstance(type_, TypeAliasType):
        type_ = type_.__value__
    bare = type_.__origin__ if get_origin(type_) is Annotated else type_
    return type_ if get_origin(bare) is list else None


def _argument(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _answer_errors(app: FastAPI, document: Document, errors: Errors) -> None:
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

    app.add_exception_handler(QumulusError, of_the_core)
    app.add_exception_handler(Answered, answered_by_a_rule)
    app.add_exception_handler(RequestValidationError, not_valid)
    app.add_exception_handler(HTTPException, not_routed)
    app.add_exception_handler(Exception, mistaken)


def _unknown(request: Request, error: HTTPException) -> Refused:
    """Return the error for a path or a method that the document does not have; the header Allow names every method of the path."""
    path = request.scope["path"][:200]
    if error.status_code != 405:
        return Refused(f"There is nothing at {path}: see /docs for what there is.", error.status_code)
    routes = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    allowed = ", ".join(sorted({method for route in routes for method in route.methods}))
    return Refused(f"{path} takes {allowed}, not {request.method}.", 405, headers={"Allow": allowed})
