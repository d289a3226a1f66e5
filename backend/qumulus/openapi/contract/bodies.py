"""Request bodies: counted while they are read, and read strictly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect

from qumulus.core import json_sizes

from .document import Declared
from .multipart import MULTIPART, NotMultipart, parts
from .problems import Refused, invalid

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1000
LIMIT = "qumulus.body_limit"  # in the scope: how large a body may be on this server
HELD = "qumulus.bodies"  # in the scope: what the bodies of this server have together
READ = "qumulus.body"  # in the scope: the body, once it was read: a stream can't be read twice


class Bodies:
    """The bytes of all bodies that a server holds, from their first to the end of their requests."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def begin(self) -> Held:
        """Return the share of one request."""
        return Held(self)


class Held:
    """The bytes of one request's body."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._size = 0

    @property
    def most(self) -> int:
        """Return what all bodies together may have."""
        return self._bodies.limit

    def add(self, size: int) -> None:
        """Hold more.

        Raises:
            Refused: all bodies together are over their limit.
        """
        if self._bodies.held + size > self._bodies.limit:
            raise Refused(TOO_MUCH, 503, 413, 400, headers={"Retry-After": "5"})
        self._bodies.held += size
        self._size += size

    def end(self) -> None:
        """Hold nothing more."""
        self._bodies.held -= self._size
        self._size = 0


TOO_MANY_VALUES = (
    "The body has more values in it than this server can hold: send fewer at once, or large data as a file."
)
TOO_MUCH = "The server is taking in as much as it can hold: send the request again in a few seconds."


def reader(operation: Declared, limit: int) -> Callable[[Request], Awaitable[Any]]:
    """Return the dependency that reads the body of ``operation``, of at most ``limit`` bytes if the server says nothing else."""
    adapters = {media: TypeAdapter(type_) for media, type_ in operation.bodies.items() if type_ not in (bytes, str)}
    only = next(iter(operation.bodies)) if len(operation.bodies) == 1 else None

    def media_type(request: Request) -> str:
        named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if named in operation.bodies:
            return named
        if operation.secured and only is not None:  # a credential came along, so no page can have sent it unasked
            return only
        wanted = " or ".join(operation.bodies)
        raise Refused(f"The body must be sent with the header Content-Type: {wanted}.", 415, 400)

    async def read(request: Request) -> Any:
        if READ not in request.scope:
            request.scope[READ] = await read_once(request)
        return request.scope[READ]

    async def read_once(request: Request) -> Any:
        raw = await received(request, request.scope.get(LIMIT, limit), request.scope.get(HELD))
        if not raw and not operation.body_required:
            return None
        media = media_type(request)
        if media not in adapters:
            return raw if operation.bodies[media] is bytes else text(raw)
        if media == MULTIPART:
            return multipart(raw, request.headers.get("content-type", ""), adapters[media])
        return (
            form(raw, adapters[media]) if media == FORM else _held_json(raw, adapters[media], request.scope.get(HELD))
        )

    return read


async def received(request: Request, limit: int, held: Held | None = None) -> bytes:
    """Return the whole body, counted as ``held``.

    Raises:
        Refused: it is larger than ``limit``, all bodies together are, or the client left.
    """
    too_large = Refused(f"The body is larger than the {limit} bytes that this server takes.", 413, 400)
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise too_large
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise too_large
            if held is not None:
                held.add(len(chunk))
            chunks.append(chunk)
    except ClientDisconnect:
        raise Refused("The connection ended before the body did.", 400, 413) from None
    return b"".join(chunks)


def _held_json(raw: bytes, adapter: TypeAdapter[Any], held: Held | None) -> Any:
    """Return ``raw`` as what the document declares; what its values take beside it is held, too, before they are read.

    Raises:
        Refused: it is not as declared, or its values take more than the server has for all bodies, or at present.
    """
    if held is not None:
        size = json_sizes.size(raw, held.most)
        if size > held.most:
            raise Refused(TOO_MANY_VALUES, 413, 400)
        held.add(size)
    return strict_json(raw, adapter)


def strict_json(raw: bytes, adapter: TypeAdapter[Any]) -> Any:
    """``raw`` as what the document declares: no text for a number, and only the names of the wire.

    Raises:
        Refused: it is not JSON, or not as declared.
    """
    if b"NaN" in raw or b"Infinity" in raw or b"\\u0000" in raw:
        _look_closely(raw)
    return _as_declared(adapter.validate_json, raw, strict=True)


def form(raw: bytes, adapter: TypeAdapter[Any]) -> Any:
    """Return the fields of a form, which are all text, as what the document declares.

    Raises:
        Refused: it is not a form, or not as declared.
    """
    try:
        fields = dict(parse_qsl(text(raw), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise Refused(f"The form has more than {MOST_FIELDS} fields.", 400, 422) from None
    return _as_declared(adapter.validate_python, fields)


def multipart(raw: bytes, content_type: str, adapter: TypeAdapter[Any]) -> Any:
    """Return the parts of a form with files as what the document declares.

    Raises:
        Refused: it is not such a form, or not as declared.
    """
    try:
        fields = parts(raw, content_type)
    except NotMultipart as error:
        raise Refused(str(error), 400, 422) from None
    return _as_declared(adapter.validate_python, fields)


def _as_declared(validate: Callable[..., Any], value: Any, **how: Any) -> Any:
    """Return what ``validate`` makes of ``value``, by the names of the wire.

    Raises:
        Refused: it is not as declared.
    """
    try:
        return validate(value, by_alias=True, by_name=False, **how)
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False, include_context=False)) from None


def text(raw: bytes) -> str:
    """``raw`` as UTF-8.

    Raises:
        Refused: it is not.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refused("The body is not UTF-8: send it in that encoding.", 400, 422) from None


def _look_closely(raw: bytes) -> None:
    """Refuse what JSON or a database has no word for; called only when it may be there."""
    try:
        content = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise Refused(f"The body is not valid JSON: {error}.", 400, 422) from None
    if _has_nul(content):
        raise Refused("The body has the character NUL (\\u0000) in a text: leave it out.", 400, 422)


def _has_nul(content: Any) -> bool:
    if isinstance(content, str):
        return "\x00" in content
    if isinstance(content, Mapping):
        return any(_has_nul(key) or _has_nul(value) for key, value in content.items())
    return isinstance(content, list) and any(map(_has_nul, content))
