"""The driver: a process that the server takes for its fork server, and that has the jobs run by the actors of a Ray cluster.

What the server takes for a worker is a *line*: a socket to a slot. Each program that comes over it goes to a place of the cluster,
alone or with others, and what its run says comes back. How a run ends without an outcome is told as a fork server tells it;
with `lost` where the place is gone, so that the attempt does not count.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read when Ray is imported

import ray

from qumulus.execution import process
from qumulus.execution.messages import refusal
from qumulus.execution.wire import COMMAND, FORK, BrokenWire, Frame, Message, Wire, packed

from . import LOCAL
from .places import Full, Places, TooLarge, line_of
from .requests import Request

log = logging.getLogger("qumulus.cluster")

OBJECT_STORE_BYTES = 512 << 20  # of a cluster that is started here: payloads and results on their way
LATE_SECONDS = 20.0  # after which people are told that a cluster does not answer: Ray itself waits without end
MOST_TOLD = 1000  # letters of why there is none
LOST = "The machine of the cluster that ran it was lost while it ran."
LATE = (
    "The cluster at %s has not answered for %g s, still trying: does it run, can its port be reached from here, "
    "and is RAY_AUTH_TOKEN the same on both sides?"
)
FULL = "It waited for a place of the cluster longer than expected."


class Line:
    """What a slot takes for a worker: one program at a time is on its way from there to a place."""

    def __init__(self, number: int, wire: Wire, places: Places, on_end: Callable[[int, dict[str, Any]], None]) -> None:
        """``on_end`` hears how it ended, before the slot sees that it has."""
        self._number = number
        self.wire = wire
        self._places = places
        self._on_end = on_end
        self._request: Request | None = None
        self._given_up = False
        self._closed = False
        self._closing = threading.Lock()

    def read(self) -> None:
        """Take the program that the slot has sent.

        Raises:
            BrokenWire: the slot is gone, or the line has ended.
        """
        self._send(self.wire.receive_frame())

    def kill(self) -> None:
        """End what runs, and take nothing more."""
        self._given_up = True
        request = self._request
        if request is not None:
            self._places.give_up(request)
        else:
            self._close()

    def say(self, *frames: Frame) -> None:
        """Pass on what a run says. See `Sender.say`."""
        try:
            self.wire.send_frame(*frames)
        except BrokenWire:  # the slot is gone: what runs has to end
            self.kill()

    def end(self, last: Message | None = None, error: Exception | None = None) -> None:
        """A program has ended here. See `Sender.end`. A run that needs more memory than its place has begins again in a larger one."""
        request, self._request = self._request, None
        if isinstance(error, Full):
            self._close(lost=FULL, begun=False)
        elif error is not None:
            self._close(lost=LOST)
        elif last is not None and last.say == "exited":
            self._close(**last.members)
        elif self._given_up:
            self._close()
        elif last is not None and request is not None:
            self._send(request.frame, int(last.members["bytes"]))

    def _send(self, frame: Frame, needed: int = 0) -> None:
        self._request = request = Request(frame, self, needed)
        try:
            self._places.send(request)
        except TooLarge as error:
            self._request = None
            self.say(packed(refusal(str(error))))
        if self._given_up:
            self.kill()

    def _close(self, **end: Any) -> None:
        self._given_up = True
        with self._closing:
            closed, self._closed = self._closed, True
        if not closed:
            self._on_end(self._number, {"code": 0, "peak_bytes": 0, "output": "", **end})
            self.wire.end()


class Tell:
    """Frames to the server, from several threads."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._lock = threading.Lock()

    def __call__(self, say: str, **members: Any) -> None:
        """Send frames to the slot; nothing happens when the server is gone."""
        with self._lock, contextlib.suppress(BrokenWire):
            self._wire.send(say, **members)


class Lines:
    """All lines, and one thread that reads what comes from the server."""

    def __init__(self, control: socket.socket, places: Places, tell: Tell) -> None:
        self._control = control
        self._places = places
        self._tell = tell
        self._lines: dict[int, Line] = {}
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(control, selectors.EVENT_READ)

    def serve(self) -> None:
        """Obey until the server is gone."""
        while True:
            for key, _ in self._waiting.select():
                if key.data is not None:
                    self._read(key.data)
                elif not self._obey():
                    return

    def _read(self, line: Line) -> None:
        try:
            line.read()
        except BrokenWire:
            self._waiting.unregister(line.wire)
            line.wire.close()
            line.kill()

    def _obey(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._control, COMMAND.size, 1)
        if len(data) < COMMAND.size:
            return False
        what, number = COMMAND.unpack(data)
        if what == FORK:
            self._tell("forked", number=number, pid=0)  # its process is elsewhere
            wire = Wire(socket.socket(fileno=descriptors[0]))
            self._lines[number] = line = Line(number, wire, self._places, self._on_end)
            self._waiting.register(wire, selectors.EVENT_READ, line)
        elif (line := self._lines.get(number)) is not None:
            line.kill()
        return True

    def _on_end(self, number: int, end: dict[str, Any]) -> None:
        self._lines.pop(number, None)
        self._tell("exited", number=number, **end)


def connect(address: str) -> None:
    """Be a driver of the cluster, or start one here.

    Raises:
        ConnectionError: there is no cluster at that address, or it is gone.
    """
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.WARNING, "namespace": "qumulus"}
    if address == LOCAL:
        ray.init(address="local", **quiet, include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES)
        return
    late = threading.Timer(LATE_SECONDS, log.warning, [LATE, address, LATE_SECONDS])
    late.daemon = True
    late.start()
    try:
        ray.init(address=address, **quiet)
    finally:
        late.cancel()


def begin(address: str, descriptor: int, server: int) -> tuple[socket.socket, Tell]:
    """Be a driver that ends with its server, whose connection is at ``descriptor``; end with a sentence if there is no cluster."""
    process.end_with_parent(server)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    control = socket.socket(fileno=descriptor)
    try:
        connect(address)
    except Exception as error:  # Ray has no one error for it: say it; the server starts another driver
        reason = " ".join(str(error).split()) or type(error).__name__  # some say only in further lines what is wrong
        log.error("The cluster at %s can't be reached, trying again: %s", address, reason[:MOST_TOLD])
        sys.exit(1)
    return control, Tell(Wire(control))


def main() -> None:
    """`python -m qumulus.cluster.driver ADDRESS PLACES ANSWER ENTRY DESCRIPTOR SERVER METHOD DEVICES MOST_BYTES`."""
    address, most, answer, entry, descriptor, server, _method, devices, most_bytes = sys.argv[1:10]
    control, tell = begin(address, int(descriptor), int(server))
    arguments = (entry, json.loads(devices), int(most_bytes))
    places = Places(arguments, int(most), float(answer), lambda count, ahead: tell("ready", places=count, ahead=ahead))
    threading.Thread(target=_keep, args=(places,), daemon=True).start()
    Lines(control, places, tell).serve()
    os._exit(0)  # the actors end with their driver


def _keep(places: Places) -> None:
    try:
        places.keep()
    except Exception as error:  # without the cluster there is nothing to do here: the server starts another driver
        log.error("The cluster is gone: %s", line_of(error))
        os._exit(1)


if __name__ == "__main__":
    main()
