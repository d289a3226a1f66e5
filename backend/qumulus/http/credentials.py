"""Credentials that name the namespace that they lead to: where requests carry them, and how that name is taken off."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from urllib.parse import parse_qsl

from qumulus.core.ports.namespaces import MARK, led

from .front import Message, Receive, Scope

MOST_BYTES = 16 << 10  # of a form that a token is asked for with
SIGN = MARK.encode()
BASIC = b"basic"
MOST_OF_HEADER = 256  # of a JSON web token; one of ours is shorter
KEPT_HEADERS = 64
JSON_WEB_TOKEN = b"eyJ"  # how all of them begin
Header = tuple[bytes, bytes]


class Credentials:
    """The credentials that requests carry: in headers, and in forms that are sent to log in."""

    def __init__(self, headers: Iterable[str], logins: Iterable[str]) -> None:
        """``headers`` are those that a credential may be in, ``logins`` the paths to which forms with one are sent."""
        self._headers: Collection[bytes] = frozenset(name.encode() for name in headers)
        self._logins: Collection[str] = frozenset(logins)

    def namespace(self, name: bytes, value: bytes) -> str | None:
        """Return the namespace that a header leads to; None where it is none of ours, or names none."""
        if name not in self._headers:
            return None
        begin = value.find(b" ") + 1
        if value.startswith(JSON_WEB_TOKEN, begin):
            return _key_of(value[begin : value.find(b".", begin)][:MOST_OF_HEADER])
        if SIGN in value or value[: begin - 1].lower() == BASIC:
            return next((found for each in _in_header(value) if (found := led(each))), None)
        return None

    def without(self, namespace: str, headers: Iterable[Header]) -> list[Header]:
        """Return the headers as the cloud of a namespace knows their credentials."""
        begins = namespace + MARK
        return [(name, _bare(value, begins) if name in self._headers else value) for name, value in headers]

    async def form(self, scope: Scope, path: str, receive: Receive) -> Form | None:
        """Return the form that is sent to log in, once it is here; None where the request is another one."""
        if path not in self._logins or scope["method"] != "POST" or not _is_short(scope["headers"]):
            return None
        form = Form(receive)
        await form.read()
        return form


class Form:
    """A form, which is read once to see where it leads to, and once more by who answers."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._last: Message = {}
        self.body = b""

    async def read(self) -> None:
        """Read it to its end."""
        body = bytearray()
        while True:
            self._last = await self._receive()
            body += self._last.get("body", b"")
            if not self._last.get("more_body", False) or len(body) > MOST_BYTES:
                self.body = bytes(body)
                return

    @property
    def namespace(self) -> str | None:
        """Return the namespace that it leads to."""
        values = (value for _, value in parse_qsl(self.body.decode("latin-1")))
        return next((found for value in values if (found := led(value))), None)

    def forget(self, namespace: str) -> None:
        """Take off what names the namespace."""
        self.body = re.sub(rb"(?<==)%s(?:~|%%7[Ee])" % namespace.encode(), b"", self.body)

    def headers(self, given: Iterable[Header]) -> list[Header]:
        """Return the headers, with the length that it has now."""
        length = str(len(self.body)).encode()
        return [(name, length if name == b"content-length" else value) for name, value in given]

    async def receive(self) -> Message:
        """Give it to who answers, and then what follows."""
        if not self._last:
            return await self._receive()
        last, self._last = self._last, {}
        return last if last["type"] != "http.request" else {**last, "body": self.body}


def _is_short(headers: Iterable[Header]) -> bool:
    """Say whether the headers announce a body that is short enough to be a form for a token, or one that comes in chunks."""
    length = next((value for name, value in headers if name == b"content-length"), b"0")
    return length.isdigit() and int(length) <= MOST_BYTES


def _in_header(value: bytes) -> Iterator[str]:
    """Yield what may name a namespace at its beginning."""
    kind, _, credential = value.partition(b" ")
    credential = (credential or kind).strip()
    if kind.lower() == BASIC:
        yield from _decoded(credential).decode("latin-1").split(":", 1)
    else:
        yield credential.decode("latin-1")


@lru_cache(KEPT_HEADERS)
def _key_of(header: bytes) -> str | None:
    """Return the namespace whose key has signed a JSON web token, as its header says: tokens of one key have the same."""
    try:
        return led(str(json.loads(_decoded(header)).get("kid", "")))
    except (ValueError, AttributeError):
        return None


def _decoded(encoded: bytes) -> bytes:
    """Return what was encoded in base64, in either of its forms; nothing where it is none."""
    try:
        return base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
    except binascii.Error:
        return b""


def _bare(value: bytes, begins: str) -> bytes:
    """Return a header without the name of a namespace in it; a JSON web token stays as it was signed."""
    kind, space, credential = value.partition(b" ")
    if kind.lower() == BASIC:
        pair = _decoded(credential).decode("latin-1")
        bare = ":".join(part.removeprefix(begins) for part in pair.split(":", 1))
        return value if bare == pair else kind + space + base64.b64encode(bare.encode("latin-1"))
    if space:
        return kind + space + credential.strip().removeprefix(begins.encode())
    return value.strip().removeprefix(begins.encode())
