"""HTTP as uvicorn speaks it, with a limit on what a request has beside its body.

The body is counted where it is read. Of the rest uvicorn keeps all that comes, from clients that nobody knows yet.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 64 << 10  # beyond what the first read has brought: of a head, or of what follows a body
SENTENCE = b"The request line and the headers are too large: send fewer of them, or shorter ones."
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(SENTENCE), SENTENCE)
)


class Bounded(HttpToolsProtocol):
    """Ends a connection whose request has no end beside its body."""

    _beside = 0  # bytes that were received since the request began, or since the last piece of its body

    def data_received(self, data: bytes) -> None:
        """Take what was received."""
        self._beside += len(data)
        super().data_received(data)
        if self._beside > MOST_BYTES and not self.transport.is_closing():
            self.logger.warning("A request was refused: it has more than %d bytes beside its body.", MOST_BYTES)
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._beside = 0
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """Count a piece of the body that has come."""
        self._beside = 0
        super().on_body(body)
