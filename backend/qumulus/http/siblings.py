"""The questions that processes of `qumulus serve --workers N` ask each other, so that `/health` and `/metrics` speak for all.

Each answers at a socket of its own, named by its number, in a folder that nobody else can open. The first one, number 0, runs
the jobs as well, unless that is left to `qumulus worker`.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import metrics

FIRST = "0"
PATIENCE_SECONDS = 2.0  # with one that does not answer
AGAIN = "The process that runs the jobs is being started again: jobs are accepted, and run in a moment."


def is_first(own: Path | None) -> bool:
    """Say whether the process that answers its siblings at ``own`` is the first of them; one that has none is."""
    return own is None or own.name == FIRST


class NoAnswer(Exception):
    """A sibling is not there: it has ended, and another one is being started."""


class Siblings:
    """The processes at one address, seen from one of them."""

    def __init__(self, own: Path, not_ready: Callable[[], str | None], figures: Callable[[], str]) -> None:
        """``own`` is where this process answers; the others are its neighbours there."""
        self._own = own
        self._not_ready = not_ready
        self._figures = figures

    @property
    def first(self) -> bool:
        """Say whether this is the process that may run the jobs."""
        return is_first(self._own)

    def listen(self) -> None:
        """Answer the others from now on, as long as this process lives."""
        answers: Mapping[str, Callable[[], Any]] = {"readiness": self._not_ready, "figures": self._figures}

        class Answer(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                question = self.rfile.readline().decode().strip()
                self.wfile.write(json.dumps(answers[question]()).encode())

        self._own.unlink(missing_ok=True)  # of the one that had our number before
        server = socketserver.ThreadingUnixStreamServer(str(self._own), Answer)
        threading.Thread(target=server.serve_forever, name="siblings", daemon=True).start()

    def not_ready(self) -> str | None:
        """Why jobs are accepted and not run now, in a sentence, whichever process was asked."""
        reason = self._not_ready()
        if reason or self.first:
            return reason
        try:
            return ask(self._own.with_name(FIRST), "readiness")
        except NoAnswer:
            return AGAIN

    def figures(self) -> str:
        """Return the metrics of all that answer."""
        found = {self._own.name: self._figures()}
        for other in self._own.parent.iterdir():
            if other != self._own and other.is_socket():
                try:
                    found[other.name] = ask(other, "figures")
                except NoAnswer:
                    continue  # its counters begin at zero when it is back, as Prometheus expects of a process
        return metrics.together(found)


def ask(sibling: Path, what: str) -> Any:
    """Return what a process answers.

    Raises:
        NoAnswer
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_SECONDS)
            connection.connect(str(sibling))
            connection.sendall(what.encode() + b"\n")
            with connection.makefile("rb") as answer:
                return json.loads(answer.read())
    except (OSError, ValueError) as error:
        raise NoAnswer(str(sibling)) from error
