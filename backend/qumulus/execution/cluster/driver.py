"""The driver: a process that the server takes for its warm parent, and that has the jobs run by the actors of a Ray cluster.

What the server takes for a worker is a *line*: a socket to a seat, and a thread that reads programs from it. For each program
the line takes a place of the cluster, and passes frames on in both directions. How a run ends without an outcome is told as a
warm parent tells it; with `lost` where the place is gone, so that the attempt does not count.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from itertools import count as counter
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read when Ray is imported

import ray
from ray.exceptions import GetTimeoutError, RayError

from qumulus.execution import process
from qumulus.execution.messages import refusal
from qumulus.execution.wire import COMMAND, FORK, BrokenWire, Frame, Message, Wire, packed, unpacked

from . import LOCAL
from .places import Held, Places, TooLarge, end

log = logging.getLogger("qumulus.execution.cluster")

HEAR_SECONDS = 0.5  # how often a long run is asked what it has said
KILL_SECONDS = 5.0  # in which a run must have ended; then its place is ended
AGAIN_SECONDS = 0.1  # until a run is told to end once more
ANSWER_SECONDS = 60.0  # a place that says nothing for so long is lost
OBJECT_STORE_BYTES = 512 << 20  # of a cluster that is started here: payloads and results on their way
LOST = "The machine of the cluster that ran it was lost while it ran."

runs = counter(1)


class Lost(Exception):
    """The place that ran a program is gone."""


class Line:
    """What a seat takes for a worker."""

    def __init__(self, number: int, wire: Wire, places: Places, on_end: Callable[[int, dict[str, Any]], None]) -> None:
        self._given_up = threading.Event()
        self._number = number
        self._wire = wire
        self._places = places
        self._on_end = on_end
        self._running: tuple[Held, int] | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def kill(self) -> None:
        """End what runs, and take nothing more."""
        self._given_up.set()
        running = self._running
        if running is not None:
            held, number = running
            held.actor.kill.remote(number)

    def _serve(self) -> None:
        end: dict[str, Any] = {"code": 0, "peak_bytes": 0, "output": ""}
        with contextlib.suppress(BrokenWire):
            while not self._given_up.is_set() and (message := self._wire.receive()) is not None:
                try:
                    if (exited := self._run(message)) is not None:
                        end = dict(exited.members)
                        break
                except (Lost, RayError) as error:
                    log.warning("The place of job %s is gone: %s", message.members.get("job_id"), line_of(error))
                    end["lost"] = LOST
                    break
        self._wire.close()
        self._on_end(self._number, end)

    def _run(self, program: Message) -> Message | None:
        """Have a program run; how the worker ended if there is no outcome.

        A run that finds that it needs more memory than its place has is begun again in a larger one.

        Raises:
            BrokenWire: the seat is gone.
            Lost, RayError: the place is.
        """
        needed = 0
        try:
            while (held := self._places.take(needed, self._given_up)) is not None:
                lost = True
                try:
                    last = self._follow(held, program)
                    lost = last is not None and "lost" in last.members
                finally:
                    self._running = None
                    self._places.give_back(held, lost=lost)
                if last is None or last.say != "need":
                    return last
                needed = int(last.members["bytes"])
        except TooLarge as error:
            self._wire.send_frame(packed(refusal(str(error))))
        return None

    def _follow(self, held: Held, program: Message) -> Message | None:
        """Pass on what a run says until its end; None if that is an outcome, else how its worker ended, or what it needs.

        Raises:
            Lost, RayError
        """
        number = next(runs)
        call = held.actor.run.remote(number, held.room, *packed(program))
        self._running = (held, number)
        killed_at = None
        while True:
            try:
                return self._pass_on(ray.get(call, timeout=0 if self._given_up.is_set() else HEAR_SECONDS))
            except GetTimeoutError:
                if self._given_up.is_set():
                    killed_at = killed_at or time.monotonic()
                    if time.monotonic() - killed_at > KILL_SECONDS:
                        end(held)
                        raise Lost("it did not end when it was told to") from None
                    held.actor.kill.remote(number)
                    time.sleep(AGAIN_SECONDS)
                else:
                    self._pass_on(ray.get(held.actor.heard.remote(number), timeout=ANSWER_SECONDS))

    def _pass_on(self, frames: Iterable[Frame]) -> Message | None:
        for frame in frames:
            message = unpacked(frame)
            if message.say in ("exited", "need"):
                return message
            try:
                self._wire.send_frame(frame)
            except BrokenWire:  # the seat is gone: what runs has to end
                self._given_up.set()
        return None


class Tell:
    """Frames to the server, from several threads."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._lock = threading.Lock()

    def __call__(self, say: str, **members: Any) -> None:
        """Say it; nothing happens when the server is gone."""
        with self._lock, contextlib.suppress(BrokenWire):
            self._wire.send(say, **members)


def serve(control: socket.socket, places: Places, tell: Tell) -> None:
    """Obey until the server is gone."""
    lines: dict[int, Line] = {}

    def on_end(number: int, end: dict[str, Any]) -> None:
        lines.pop(number, None)
        tell("exited", number=number, **end)

    while True:
        select.select([control], [], [])
        data, descriptors, _, _ = socket.recv_fds(control, COMMAND.size, 1)
        if len(data) < COMMAND.size:
            return
        what, number = COMMAND.unpack(data)
        if what == FORK:
            tell("forked", number=number, pid=0)  # its process is elsewhere
            lines[number] = Line(number, Wire(socket.socket(fileno=descriptors[0])), places, on_end)
        elif (line := lines.get(number)) is not None:
            line.kill()


def connect(address: str) -> None:
    """Be a driver of the cluster, or start one here.

    Raises:
        ConnectionError: there is no cluster at that address, or it is gone.
    """
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.WARNING, "namespace": "qumulus"}
    if address == LOCAL:
        ray.init(address="local", **quiet, include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES)
    else:
        ray.init(address=address, **quiet)


def main() -> None:
    """`python -m qumulus.execution.cluster.driver ADDRESS PLACES ENTRY DESCRIPTOR SERVER METHOD DEVICES MOST_BYTES`."""
    address, most, entry, descriptor, server, _method, devices, most_bytes = sys.argv[1:9]
    process.end_with_parent(int(server))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    control = socket.socket(fileno=int(descriptor))
    tell = Tell(Wire(control))
    try:
        connect(address)
    except Exception as error:  # whatever it is, people need the sentence
        log.error("The cluster at %s can't be reached, trying again: %s", address, line_of(error))
        sys.exit(1)
    arguments = (entry, json.loads(devices), int(most_bytes))
    places = Places(arguments, int(most), lambda count: tell("ready", places=count))
    threading.Thread(target=_keep, args=(places,), daemon=True).start()
    serve(control, places, tell)
    os._exit(0)  # the actors end with their driver


def _keep(places: Places) -> None:
    try:
        places.keep()
    except Exception as error:  # without the cluster there is nothing to do here: the server starts another driver
        log.error("The cluster is gone: %s", line_of(error))
        os._exit(1)


def line_of(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


if __name__ == "__main__":
    main()
