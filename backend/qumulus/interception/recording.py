"""Keeping what a client and a cloud say to each other: a line of JSON an exchange, without credentials and personal data."""

from __future__ import annotations

import base64
import json
import re
import threading
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qumulus.http.front import App, Message, Receive, Scope, Send

from .address import ASKED

REMOVED = "removed"
NEVER_ENDING = (  # a bearer token in the form that clients decode: it ends in 2100, and nobody has signed it
    "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpYXQiOjAsImV4cCI6NDEwMjQ0NDgwMH0.removed"
)
LIMIT = 256 << 20  # bytes of a body that is unpacked
UNPACKED: dict[str, int] = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
PACKINGS = b"gzip, deflate"  # what clouds are told that may be asked of them: all that can be looked into
PACKED_HEADERS = frozenset({"content-encoding", "content-length"})  # of bodies that were unpacked, and are no more so
SECRET_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "q-api-token",
        "service-crn",
        "set-cookie",
        "x-api-key",
        "x-auth-token",
    }
)
SECRET_MEMBERS = re.compile(
    r"(?i)^(.*(token|secret|password|api_?key|credential|signature).*|e?mail|user(_?name|_?id)?|given_name|family_name|"
    r"display_name|iam_id|account(_?id)?|x-amz-.*)$"
)
SECRET_TEXTS = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), NEVER_ENDING),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), REMOVED),
    (re.compile(r"(?<=:a/)[0-9A-Za-z]+"), REMOVED),  # the account in a CRN
    (
        re.compile(r"(?i)((?:token|secret|password|api_?key|signature|x-amz-[a-z-]+)=)[^&\s\"]+"),
        rf"\g<1>{REMOVED}",
    ),
)


class Recording:
    """An ASGI application whose exchanges are kept in a file."""

    def __init__(self, app: Any, file: Path) -> None:
        """``app`` is asked, and answers; also for all that is asked of it beside requests."""
        self._app = app
        self._lock = threading.Lock()
        self._file = file.open("a", encoding="utf-8")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered, and keep both."""
        app: App = self._app
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        scope = {**scope, "headers": _readable(scope["headers"])}
        asked, answered = bytearray(), bytearray()
        start: Message = {"status": None, "headers": []}

        async def receiving() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            answered.extend(message.get("body", b""))
            await send(message)

        await app(scope, receiving, sending)
        self._keep(exchange(scope, bytes(asked), start, bytes(answered)))

    def _keep(self, kept: dict[str, Any]) -> None:
        with self._lock:
            self._file.write(json.dumps(kept, ensure_ascii=False) + "\n")
            self._file.flush()


def exchange(scope: Scope, asked: bytes, start: Message, answered: bytes) -> dict[str, Any]:
    """Return what is kept of a request and its answer."""
    query = scope["query_string"].decode("latin-1")
    kept = {
        "method": scope["method"],
        "path": clean(scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")),
        "headers": headers(scope["headers"]),
        "body": unpacked(asked, scope["headers"]),
        "status": start["status"],
        "answer_headers": headers(start["headers"]),
        "answer": unpacked(answered, start["headers"]),
    }
    return kept if ASKED not in scope else {"host": scope[ASKED][0], **kept}


def _readable(pairs: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers of a request that asks for nothing which can't be looked into."""
    given = list(pairs)
    others = [pair for pair in given if pair[0].lower() != b"accept-encoding"]
    wanted = b",".join(value for name, value in given if name.lower() == b"accept-encoding").lower()
    return [*others, (b"accept-encoding", PACKINGS if b"gzip" in wanted else b"identity")]


def unpacked(content: bytes, pairs: Iterable[tuple[bytes, bytes]]) -> Any:
    """Return a body without secrets. One that can't be looked into is not kept."""
    named = (value.decode("latin-1") for name, value in pairs if name.lower() == b"content-encoding")
    for packing in reversed([each.strip().lower() for value in named for each in value.split(",")]):
        if packing == "identity" or not content:
            continue
        if packing not in UNPACKED:
            return {"text": f"{REMOVED}: it was packed as {packing[:20]}"}
        try:
            inflating = zlib.decompressobj(UNPACKED[packing])
            content = inflating.decompress(content, LIMIT)
        except zlib.error:
            return {"text": f"{REMOVED}: it could not be unpacked"}
        if inflating.unconsumed_tail:
            return {"text": f"{REMOVED}: it was too large"}
    return body(content)


def headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers without what nobody is to see."""
    named = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in pairs)
    return {
        name: REMOVED if name in SECRET_HEADERS else clean(value) for name, value in named if name not in PACKED_HEADERS
    }


def body(content: bytes) -> Any:
    """Return a body as JSON, as text, or as base64 where it is neither; None for none."""
    if not content:
        return None
    try:
        return {"json": without_secrets(json.loads(content))}
    except ValueError:
        pass
    try:
        return {"text": clean(content.decode())}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def without_secrets(value: Any) -> Any:
    """Return a JSON value with the same members and types, whose secret texts are others."""
    if isinstance(value, dict):
        return {name: _member(name, each) for name, each in value.items()}
    if isinstance(value, list):
        return [without_secrets(each) for each in value]
    return clean(value) if isinstance(value, str) else value


def _member(name: str, value: Any) -> Any:
    if isinstance(value, str) and SECRET_MEMBERS.match(name):
        return NEVER_ENDING if value.startswith("eyJ") else REMOVED
    return without_secrets(value)


def clean(text: str) -> str:
    """Return a text without credentials, addresses of people, and accounts."""
    for pattern, instead in SECRET_TEXTS:
        text = pattern.sub(instead, text)
    return text
