"""Recorded exchanges of a client and a cloud: sent again to another cloud and compared, or answered without any.

Standard library only.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from qumulus.clients import DEFAULT_TOKEN, FAMILIES

SECONDS = 60.0
LOOK_SECONDS = 0.1  # between two times that a request is sent again
SHOWN = 60  # characters of a value that differs
REMOVED = "removed"  # what stands in a recording where nobody is to see more
OWN: Mapping[str, str] = {  # what is sent in the place of a credential that was removed
    "authorization": f"Bearer {DEFAULT_TOKEN}",
    "q-api-token": f"local.{DEFAULT_TOKEN}",
    "service-crn": FAMILIES["ibm"].instance,
    "x-auth-token": DEFAULT_TOKEN,
    "x-api-key": "qumulus-provider",
}
NOT_SENT = frozenset({"accept-encoding", "connection", "content-length", "cookie", "host", "transfer-encoding"})
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{12,}")  # what may be another one in another cloud


class NoExchanges(Exception):
    """A file has no recorded exchanges; the text says why."""


def read(file: Path) -> list[dict[str, Any]]:
    """Return the exchanges in a file, in their order.

    Raises:
        NoExchanges
    """
    try:
        lines = [json.loads(line) for line in file.read_text().splitlines() if line]
        for line in lines:
            _ = line["method"], line["path"], line["headers"], line["status"], line["answer"]
    except OSError as error:
        raise NoExchanges(f"{file} can't be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise NoExchanges(f"{file} is no recording: make one with `qumulus record`.") from None
    return lines


def content(body: Any) -> bytes | None:
    """Return the bytes of a recorded body."""
    if body is None:
        return None
    if "json" in body:
        return json.dumps(body["json"]).encode()
    return body["text"].encode() if "text" in body else base64.b64decode(body["base64"])


@dataclass
class Replay:
    """Sends recorded requests to a cloud, one after the other, and compares the answers."""

    url: str
    values: bool = False  # whether texts and numbers are compared, too
    patience: float = 0.0  # seconds for which a GET is asked again whose answer differs: jobs take their time
    renamed: dict[str, str] = field(default_factory=dict)  # identifiers: there, here

    def differences(self, exchanges: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        """Yield each request whose answer differs, as ``GET /path``, with a sentence that says how."""
        in_vain: set[str] = set()  # what has been waited for, and stayed different
        for each in exchanges:
            called = f"{each['method']} {each['path'].partition('?')[0]}"
            waits = each["method"] == "GET" and called not in in_vain
            until = time.monotonic() + (self.patience if waits else 0.0)
            while (found := list(self._of(each))) and time.monotonic() < until:
                time.sleep(LOOK_SECONDS)
            if found:
                in_vain.add(called)
            yield from ((called, difference) for difference in found)

    def _of(self, each: Mapping[str, Any]) -> Iterator[str]:
        status, answered = self._sent(each)
        if status != each["status"]:
            yield f"the status is {status}, and was {each['status']}."
            return
        there = (each["answer"] or {}).get("json")
        here = _json(answered)
        if there is None or here is None:
            if (there is None) != (here is None):
                yield "one of both answers is JSON, and the other is not."
            return
        self._learn(there, here)
        yield from compared(there, here, self.renamed if self.values else None)

    def _sent(self, each: Mapping[str, Any]) -> tuple[int, bytes]:
        body = content(each["body"])
        if body is not None and "base64" not in each["body"]:
            body = self._here(body.decode()).encode()
        headers = {name: value for name, value in each["headers"].items() if name not in NOT_SENT}
        headers |= {name: value for name, value in OWN.items() if name in headers}
        url = self.url + self._here(each["path"])
        request = urllib.request.Request(url, body, headers, method=each["method"])  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=SECONDS) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def _here(self, text: str) -> str:
        for there, here in self.renamed.items():
            text = text.replace(there, here)
        return text

    def _learn(self, there: Any, here: Any) -> None:
        """Note which identifiers are others here."""
        if isinstance(there, dict) and isinstance(here, dict):
            for name in there.keys() & here.keys():
                self._learn(there[name], here[name])
        elif isinstance(there, str) and isinstance(here, str) and there != here:
            both = IDENTIFIER.fullmatch(there) and IDENTIFIER.fullmatch(here)
            if both and REMOVED not in (there, here):
                self.renamed.setdefault(there, here)


def compared(
    there: Any, here: Any, values: Mapping[str, str] | None = None, place: str = "the answer"
) -> Iterator[str]:
    """Yield in which members and types two JSON values differ.

    Which texts and numbers they have counts where ``values`` say how identifiers there are called here.
    """
    if kind(there) != kind(here):
        yield f"{place} is {kind(here)}, and was {kind(there)}."
    elif isinstance(there, dict):
        for name in sorted(there.keys() - here.keys()):
            yield f"{place} has no {name}."
        for name in sorted(here.keys() - there.keys()):
            yield f"{place} has {name}, and had none."
        for name in sorted(there.keys() & here.keys()):
            yield from compared(there[name], here[name], values, f"{place}.{name}".removeprefix("the answer."))
    elif isinstance(there, list):
        yield from _compared_lists(there, here, values, place)
    elif values is not None and there != here and not _same(there, here, values):
        yield f"{place} is {_short(here)}, and was {_short(there)}."


def _compared_lists(there: list[Any], here: list[Any], values: Mapping[str, str] | None, place: str) -> Iterator[str]:
    if values is not None and len(there) != len(here):
        yield f"{place} has {len(here)} entries, and had {len(there)}."
    pairs = list(zip(there, here, strict=False))
    for index, (one, other) in enumerate(pairs if values is not None else pairs[:1]):
        yield from compared(one, other, values, f"{place}[{index}]")


def _same(there: Any, here: Any, values: Mapping[str, str]) -> bool:
    """Say whether two texts differ only in identifiers and in what a recording leaves out."""
    if not isinstance(there, str) or REMOVED in there:
        return isinstance(there, str)
    for one, other in values.items():
        there = there.replace(one, other)
    return there == here


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def kind(value: Any) -> str:
    """Return what a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names: Mapping[type, str] = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number"}
    return names[type(value)]


def _json(answered: bytes) -> Any:
    try:
        return json.loads(answered)
    except ValueError:
        return None


class RecordedCloud:
    """A server on this machine that answers as it was recorded, without a simulator: a context manager.

    A request is known by its method and path. The answers to the same request come in the order in which they were recorded, and the
    last one stays.
    """

    def __init__(self, file: Path) -> None:
        """Read the recording.

        Raises:
            NoExchanges
        """
        self._answers: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for each in read(file):
            self._answers.setdefault((each["method"], each["path"]), []).append(each)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, method: str, path: str) -> dict[str, Any] | None:
        """Return the next exchange that was recorded of a request; None where none was."""
        with self._lock:
            known = self._answers.get((method, path))
            if known is None:
                return None
            return known.pop(0) if len(known) > 1 else known[0]

    def __enter__(self) -> RecordedCloud:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(cloud: RecordedCloud) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            """Answer one request."""
            self.rfile.read(int(self.headers.get("content-length") or 0))
            known = cloud.answer(self.command, self.path)
            if known is None:
                self._send(404, {}, json.dumps({"detail": f"{self.command} {self.path} was not recorded."}).encode())
            else:
                self._send(known["status"], known["answer_headers"], content(known["answer"]) or b"")

        def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_one  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    return Handler
