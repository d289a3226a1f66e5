"""The values that handlers return, and how they become responses."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, TypeAdapter

from .document import JSON, Declared

T = TypeVar("T")
_ANY = TypeAdapter(Any)


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """A body with a declared status other than the first success, or with headers."""

    content: T
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class Stream(Generic[T]):
    """Server-sent events, sent as they come: models whose members are the fields of an event, such as ``event`` and ``data``."""

    events: AsyncIterator[T]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered(Generic[T]):
    """The bytes of a model that were made beforehand; a client that has them already gets a 304, where they have an ETag."""

    content: bytes
    etag: str | None

    @classmethod
    def of(cls, model: BaseModel) -> Rendered[Any]:
        """Render ``model`` once, to be answered many times."""
        return cls.from_bytes(rendered(model))

    @classmethod
    def from_bytes(cls, content: bytes) -> Rendered[Any]:
        """Stored bytes that were made from a model."""
        return cls(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')

    @classmethod
    def joined(cls, items: Iterable[bytes]) -> Rendered[Any]:
        """Return a list whose items were rendered one by one; it has no ETag, as it is another one with every item."""
        return cls(b"[%b]" % b",".join(items), None)


def rendered(content: Any) -> bytes:
    """``content`` as JSON under the names of the wire; fields that are MISSING are left out."""
    if isinstance(content, BaseModel):
        return content.__pydantic_serializer__.to_json(content, by_alias=True)
    return _ANY.dump_json(content, by_alias=True)


def response(value: Any, operation: Declared, request: Request) -> Response:
    """Return the response that ``value``, returned by the handler of ``operation``, stands for.

    Raises:
        RuntimeError: the handler names a status that is not declared.
    """
    if isinstance(value, Response):
        return value
    if isinstance(value, Stream):
        success = operation.success
        return StreamingResponse(_lines(value.events), success.status, value.headers, success.media_type)
    reply = value if isinstance(value, Reply) else Reply(value)
    status = reply.status or operation.success.status
    if status not in operation.answers:
        raise RuntimeError(f"The handler of {operation.id} answers {status}, which is not declared.")
    media_type = reply.media_type or operation.answers[status].media_type
    headers = dict(reply.headers)
    if isinstance(reply.content, Rendered) and reply.content.etag is not None:
        headers["ETag"] = reply.content.etag
        if _has_already(request, reply.content.etag):
            return Response(status_code=304, headers=headers)
    return Response(_encoded(reply.content, media_type), status, headers, media_type)


async def _lines(events: AsyncIterator[BaseModel]) -> AsyncIterator[str]:
    """Yield events as WHATWG's HTML standard writes them, section 9.2; no value has more than one line."""
    async for event in events:
        yield "".join(f"{name}: {value}\n" for name, value in event.model_dump(by_alias=True).items()) + "\n"


def _encoded(content: Any, media_type: str | None) -> bytes:
    if isinstance(content, Rendered):
        return content.content
    if isinstance(content, bytes):
        return content
    if content is None and media_type is None:
        return b""
    if isinstance(content, str) and media_type != JSON:
        return content.encode()
    return rendered(content)


def _has_already(request: Request, etag: str) -> bool:
    etags = request.headers.get("if-none-match", "")
    return etags == "*" or etag in (each.strip().removeprefix("W/") for each in etags.split(","))
