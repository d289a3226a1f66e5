"""One call of an actor: some programs go there, and what their runs say comes back, at the end or while they take long.

Several programs go together where runs are short, because a call costs as much as a short run. Each is a `Request`. What has not
begun when a call takes long comes back and goes elsewhere.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import ray
from ray.exceptions import GetTimeoutError

from qumulus.execution.wire import Frame, Message, packed, unpacked

from .bundle import bundled, unbundled
from .requests import Request, Reservation

HEAR_SECONDS = 0.5  # how often a long run is asked what it has said
KILL_SECONDS = 5.0  # in which a run must have ended; then its place is ended
AGAIN_SECONDS = 0.1  # until a run is told to end once more


class Lost(Exception):
    """The place that ran a program is gone."""


class Call:
    """One call of an actor, and the requests that it carries."""

    def __init__(
        self,
        reservation: Reservation,
        requests: Iterable[Request],
        answer_seconds: float,
        on_back: Callable[[Request], None],
    ) -> None:
        """A place that says nothing for ``answer_seconds`` is lost; ``on_back`` is given at once what has not begun there."""
        self._reservation = reservation
        self._actor: Any = reservation.actor
        self._answer_seconds = answer_seconds
        self._on_back = on_back
        self._ending_since: float | None = None
        self.open = {request.number: request for request in requests}
        self.lost: Exception | None = None  # why the place is of no use any more

    def go(self) -> None:
        """Have them run, and tell each sender; when this returns, those that are still open were lost with their place."""
        for request in self._given_up():
            self._end(request)
        if not self.open:
            return
        try:
            self._follow()
        except Exception as error:  # of Ray, of its connection or of ours: nobody may wait for this place any longer
            self.lost = error

    def _follow(self) -> None:
        if not self._reservation.quick:  # else it is soon heard
            next(iter(self.open.values())).sender.say(packed(Message("placed")))
        programs = bundled((number, request.frame) for number, request in self.open.items())
        call = self._actor.run.remote(self._reservation.memory_bytes, programs, self._reservation.processes)
        while (answer := self._wait(call)) is None:
            for request in self._given_up():
                self._actor.kill.remote(request.number)
            self._hear(self._answer(self._actor.heard.remote()))
        self._hear(answer)
        if self.open:
            raise Lost("it does not say how what it ran has ended")

    def _answer(self, call: Any) -> bytes:
        asked_at = time.monotonic()
        while (answer := self._wait(call)) is None:
            if time.monotonic() - asked_at > self._answer_seconds:
                raise Lost("it says nothing")
        return answer

    def _wait(self, call: Any) -> bytes | None:
        """Return what a call returned; None if the call takes longer, as it may while nothing has to end."""
        try:
            return ray.get(call, timeout=AGAIN_SECONDS if self._ending_since else HEAR_SECONDS)
        except GetTimeoutError:
            pass
        self._ending_since = (self._ending_since or time.monotonic()) if self._given_up() else None
        if self._ending_since is not None and time.monotonic() - self._ending_since > KILL_SECONDS:
            raise Lost("it did not end when it was told to")
        return None

    def _hear(self, data: bytes) -> None:
        by_run: defaultdict[int, list[Frame]] = defaultdict(list)
        for number, frame in unbundled(data):
            by_run[number].append(frame)
        for number, frames in by_run.items():
            self._pass_on(self.open[number], frames)

    def _pass_on(self, request: Request, frames: list[Frame]) -> None:
        last = unpacked(frames[-1])
        if last.say == "outcome":
            self._end(request)  # before it is said: then the next program may come
        elif last.say in ("exited", "need", "withdrawn"):
            frames.pop()
        if frames:
            request.sender.say(*frames)
        if last.say == "withdrawn":
            self._take_back(request)
        elif last.say in ("exited", "need"):
            if "lost" in last.members:
                self.lost = Lost(last.members["lost"])
            self._end(request, last)

    def _given_up(self) -> list[Request]:
        return [request for request in self.open.values() if request.given_up]

    def _take_back(self, request: Request) -> None:
        """Give a request back that has not begun here."""
        if request.given_up:
            self._end(request)
        else:
            del self.open[request.number]
            self._on_back(request)

    def _end(self, request: Request, last: Message | None = None) -> None:
        del self.open[request.number]
        request.sender.end(last)
