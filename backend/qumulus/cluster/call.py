"""One call of an actor: some programs go there, and what their runs say comes back, at the end or while they take long.

Several programs go together where runs are short, because a call costs as much as a short run. Each is an `Errand`. What has not
begun when a call takes long comes back and goes elsewhere.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

import ray
from ray.exceptions import GetTimeoutError

from qumulus.execution.wire import Frame, Message, packed, unpacked

from .bundle import bundled, unbundled

if TYPE_CHECKING:
    from .places import Held

HEAR_SECONDS = 0.5  # how often a long run is asked what it has said
KILL_SECONDS = 5.0  # in which a run must have ended; then its place is ended
AGAIN_SECONDS = 0.1  # until a run is told to end once more
LIGHT_BYTES = 256 << 10  # of a program that may travel with others

_numbers = count(1)


class Lost(Exception):
    """The place that ran a program is gone."""


class Sender(Protocol):
    """Who has sent an errand, and hears of it from several threads, one at a time."""

    def say(self, *frames: Frame) -> None:
        """Its run says this."""
        ...

    def end(self, last: Message | None = None, error: Exception | None = None) -> None:
        """It has an outcome, or was given up; else ``last`` says how its worker ended or what it needs, or an error why it can't
        be run."""
        ...


@dataclass(eq=False, slots=True)
class Errand:
    """A program that waits for a place, or is at one."""

    frame: Frame
    sender: Sender
    needed: int = 0  # bytes, where it has asked for more than an ordinary place has
    number: int = field(default_factory=lambda: next(_numbers))
    until: float = 0.0  # monotonic; how long it waits
    held: Held | None = None  # where it is
    larger: Held | None = None  # a place that was made for it
    given_up: bool = False

    @property
    def light(self) -> bool:
        """Whether it may go with others."""
        return not self.needed and sum(map(len, self.frame)) < LIGHT_BYTES


class Trip:
    """Errands on their way in one call."""

    def __init__(
        self, held: Held, errands: Iterable[Errand], answer_seconds: float, on_back: Callable[[Errand], None]
    ) -> None:
        """A place that says nothing for ``answer_seconds`` is lost; ``on_back`` is given at once what has not begun there."""
        self._held = held
        self._actor: Any = held.actor
        self._answer_seconds = answer_seconds
        self._on_back = on_back
        self._ending_since: float | None = None
        self.open = {errand.number: errand for errand in errands}
        self.lost: Exception | None = None  # why the place is of no use any more

    def go(self) -> None:
        """Have them run, and tell each sender; when this returns, those that are still open were lost with their place."""
        for errand in self._given_up():
            self._end(errand)
        if not self.open:
            return
        try:
            self._follow()
        except Exception as error:  # of Ray, of its connection or of ours: nobody may wait for this place any longer
            self.lost = error

    def _follow(self) -> None:
        if not self._held.quick:  # else it is soon heard
            next(iter(self.open.values())).sender.say(packed(Message("placed")))
        programs = bundled((number, errand.frame) for number, errand in self.open.items())
        call = self._actor.run.remote(self._held.room, programs)
        while (said := self._wait(call)) is None:
            for errand in self._given_up():
                self._actor.kill.remote(errand.number)
            self._hear(self._answer(self._actor.heard.remote()))
        self._hear(said)
        if self.open:
            raise Lost("it does not say how what it ran has ended")

    def _answer(self, call: Any) -> bytes:
        asked_at = time.monotonic()
        while (said := self._wait(call)) is None:
            if time.monotonic() - asked_at > self._answer_seconds:
                raise Lost("it says nothing")
        return said

    def _wait(self, call: Any) -> bytes | None:
        """What a call returned; None if it takes longer, as it may while nothing has to end."""
        try:
            return ray.get(call, timeout=AGAIN_SECONDS if self._ending_since else HEAR_SECONDS)
        except GetTimeoutError:
            pass
        self._ending_since = (self._ending_since or time.monotonic()) if self._given_up() else None
        if self._ending_since is not None and time.monotonic() - self._ending_since > KILL_SECONDS:
            raise Lost("it did not end when it was told to")
        return None

    def _hear(self, data: bytes) -> None:
        said: defaultdict[int, list[Frame]] = defaultdict(list)
        for number, frame in unbundled(data):
            said[number].append(frame)
        for number, frames in said.items():
            self._pass_on(self.open[number], frames)

    def _pass_on(self, errand: Errand, frames: list[Frame]) -> None:
        last = unpacked(frames[-1])
        if last.say == "outcome":
            self._end(errand)  # before it is said: then the next program may come
        elif last.say in ("exited", "need", "withdrawn"):
            frames.pop()
        if frames:
            errand.sender.say(*frames)
        if last.say == "withdrawn":
            self._take_back(errand)
        elif last.say in ("exited", "need"):
            if "lost" in last.members:
                self.lost = Lost(last.members["lost"])
            self._end(errand, last)

    def _given_up(self) -> list[Errand]:
        return [errand for errand in self.open.values() if errand.given_up]

    def _take_back(self, errand: Errand) -> None:
        """It has not begun."""
        if errand.given_up:
            self._end(errand)
        else:
            del self.open[errand.number]
            self._on_back(errand)

    def _end(self, errand: Errand, last: Message | None = None) -> None:
        del self.open[errand.number]
        errand.sender.end(last)
