"""What a program without a network reaches all the same: the APIs of its own cloud, and nothing else of it.

The program finds them at a port of its own loopback. Each request is read here and sent on: not to the control API, whatever credential
it has, nor to any other port or host, nor to another namespace, whatever its path, its headers or its credentials name.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from qumulus.core.ports.namespaces import OWN, PREFIX

SECONDS = 600.0  # that an answer may take: results are waited for
CHUNK = 1 << 16
MOST_CONNECTIONS = 64
KEPT = frozenset(
    {"emulator", "admin", "provider", "health", "metrics", "docs", "redoc", "openapi", "console", "namespaces"}
)  # first segments that are no API for users of a cloud
PLAIN = re.compile(r"[A-Za-z0-9._~-]+")  # as those of APIs are written: of others nobody knows how they are read
HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "proxy-connection", "expect"}
)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
NAMESPACE = "x-qumulus-namespace"  # the header that goes before what a credential names
LEFT_OUT = frozenset({"host", NAMESPACE, "x-api-key"})  # the last one is of device engines, wherever their API stands
OTHER_PORT = 8080  # of the program's loopback, where the cloud is not on this machine's


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the cloud is."""

    scheme: str
    host: str
    port: int
    namespace: str = OWN

    @property
    def inside(self) -> int:
        """Return the port at which a program finds it: the same, if it is one of loopback."""
        return self.port if self.host in LOOPBACK and self.port >= 1024 else OTHER_PORT

    def connection(self) -> http.client.HTTPConnection:
        """Return a connection that is opened when something is sent."""
        kind = http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        return kind(self.host, self.port, timeout=SECONDS)


def origin_in(environment: Mapping[str, str]) -> Origin | None:
    """Return the cloud that the variables of a program name; None where they name none."""
    for value in environment.values():
        parts = urlsplit(value) if value.startswith(("http://", "https://")) else None
        if parts is not None and parts.hostname:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            return Origin(parts.scheme, parts.hostname, port, _namespace(parts.path) or OWN)
    return None


def _namespace(path: str) -> str | None:
    """Return the namespace whose address a path is."""
    return path[len(PREFIX) :].partition("/")[0] if path.startswith(PREFIX) else None


def inside(environment: Mapping[str, str], origin: Origin) -> dict[str, str]:
    """Return the variables with the address at which the program finds the cloud."""
    return {name: _inside(value, origin) for name, value in environment.items()}


def _inside(value: str, origin: Origin) -> str:
    parts = urlsplit(value) if value.startswith(("http://", "https://")) else None
    if parts is None or parts.hostname != origin.host:
        return value
    return parts._replace(scheme="http", netloc=f"127.0.0.1:{origin.inside}").geturl()


class Relay:
    """One program's way to its cloud, from `serve` to `close`."""

    def __init__(self, origin: Origin) -> None:
        self.port = origin.inside
        self._origin = origin
        self._ours, self._theirs = socket.socketpair()
        self._server: _Server | None = None
        self._closed = False
        self._lock = threading.Lock()

    @property
    def descriptor(self) -> int:
        """Return what the launcher sends its listening socket through."""
        return self._theirs.fileno()

    def serve(self) -> None:
        """Wait for the socket of the launcher, which has been started, and answer on it; returns at once."""
        self._theirs.close()
        threading.Thread(target=self._serve, name="qumulus-relay", daemon=True).start()

    def _serve(self) -> None:
        try:
            _, descriptors, _, _ = socket.recv_fds(self._ours, 1, 1)
        except OSError:  # closed: the program has ended before
            return
        if not descriptors:
            return
        with self._lock:
            listening = socket.socket(fileno=descriptors[0])
            if self._closed:
                listening.close()
                return
            self._server = _Server(listening, self._origin)
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Answer no more."""
        with self._lock:
            self._closed = True
            server = self._server
        with contextlib.suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)
        self._ours.close()
        self._theirs.close()
        if server is not None:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, listening: socket.socket, origin: Origin) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.origin = origin
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, if not too many do."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer what comes on a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A program that breaks off is none of our mistakes."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as it is called there
        """The cloud's own log has the request."""

    def _pass(self) -> None:
        parts = urlsplit(self.path)
        path = parts.path or "/"
        length = self.headers.get("Content-Length", "0")
        origin: Origin = self.server.origin  # ty: ignore[missing-attribute]
        if not allowed(path, origin.namespace):
            return self._refuse(403, "A program reaches the APIs of its cloud, and not the cloud's own.")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit():
            return self._refuse(411, "Say how long the body is with Content-Length.")
        target = f"{path}?{parts.query}" if parts.query else path
        return self._send_on(origin, target, int(length))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _pass  # noqa: N815  called by name

    def _send_on(self, origin: Origin, target: str, length: int) -> None:
        connection = origin.connection()
        try:
            connection.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
            connection.putheader(
                "Host", f"[{origin.host}]:{origin.port}" if ":" in origin.host else f"{origin.host}:{origin.port}"
            )
            for name, value in self.headers.items():
                if name.lower() not in HOP | LEFT_OUT:
                    connection.putheader(name, value)
            connection.putheader(NAMESPACE, origin.namespace)
            connection.endheaders()
            while length > 0 and (chunk := self.rfile.read(min(CHUNK, length))):
                connection.send(chunk)
                length -= len(chunk)
            self._answer(connection.getresponse())
        except (OSError, http.client.HTTPException, ValueError):
            self.close_connection = True
            self._refuse(502, "The cloud did not answer: try again.")
        finally:
            connection.close()

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        if answer.length is None and not answer.will_close and self.command != "HEAD":
            self.close_connection = True
        if self.close_connection or answer.length is None:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        while chunk := answer.read(CHUNK):
            self.wfile.write(chunk)

    def _refuse(self, status: int, sentence: str) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            body = sentence.encode()
            self.send_response_only(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)


def allowed(path: str, namespace: str = OWN) -> bool:
    """Say whether a program of a namespace may ask for a path, however it is written."""
    plain = unquote(path)
    if _namespace(path) == namespace:
        plain = unquote(path[len(PREFIX) + len(namespace) :])
    segments = plain.split("/")
    if not plain.startswith("/") or ".." in segments:
        return False
    return PLAIN.fullmatch(segments[1]) is not None and segments[1].lower() not in KEPT
