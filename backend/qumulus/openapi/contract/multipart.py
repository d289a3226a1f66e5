"""Forms with files, as browsers and storage clients send them (RFC 7578)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MULTIPART = "multipart/form-data"
MOST_PARTS = 64


class File(bytes):
    """The content of a file, which knows the name that it was sent under."""

    filename: str = ""


class NotMultipart(ValueError):
    """The body is not such a form; the text says why."""


def parts(raw: bytes, content_type: str) -> dict[str, str | bytes]:
    """Return the parts by name: files as `File`, what is not UTF-8 as bytes, other fields as text. The last of a name counts.

    Raises:
        NotMultipart
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise NotMultipart("The header Content-Type has no boundary: let your client make it.")
    reader = _Reader()
    callbacks: MultipartCallbacks = {
        "on_part_begin": reader.begin,
        "on_header_field": reader.header_name,
        "on_header_value": reader.header_value,
        "on_header_end": reader.header_end,
        "on_part_data": reader.data,
        "on_part_end": reader.end,
    }
    try:
        parser = MultipartParser(boundary, callbacks)
        parser.write(raw)
        parser.finalize()
    except FormParserError:  # of the boundary, which has a limit, as of the body
        raise NotMultipart("The body is not a multipart form with this boundary: send it again.") from None
    return reader.fields


class _Reader:
    """Collects what the parser finds."""

    def __init__(self) -> None:
        self.fields: dict[str, str | bytes] = {}
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._data: list[bytes] = []

    def begin(self) -> None:
        if len(self.fields) == MOST_PARTS:
            raise NotMultipart(f"The form has more than {MOST_PARTS} parts: send fewer.")
        self._headers, self._data = {}, []

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def end(self) -> None:
        _kind, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        content = b"".join(self._data)
        name = options.get(b"name", b"").decode(errors="replace")
        self.fields[name] = _file(content, options[b"filename"]) if b"filename" in options else _text(content)


def _file(content: bytes, name: bytes) -> File:
    file = File(content)
    file.filename = name.decode(errors="replace")
    return file


def _text(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content
