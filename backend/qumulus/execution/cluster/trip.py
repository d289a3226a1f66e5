"""One call of an actor: some programs go there, and what their runs say comes back, at the end or while they take long.

Several programs go together where runs are short, because a call costs as much as a short run. Each has an `Errand`; the thread
of the first one follows the call for all. What has not begun when a call takes long comes back and goes elsewhere.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import ray
from ray.exceptions import GetTimeoutError, RayError

from qumulus.execution.wire import BrokenWire, Frame, Message, Wire, packed, unpacked

from .bundle import bundled, unbundled

if TYPE_CHECKING:
    from .places import Held, Places

HEAR_SECONDS = 0.5  # how often a long run is asked what it has said
KILL_SECONDS = 5.0  # in which a run must have ended; then its place is ended
AGAIN_SECONDS = 0.1  # until a run is told to end once more
ANSWER_SECONDS = 60.0  # a place that says nothing for so long is lost
LIGHT_BYTES = 256 << 10  # of a program that may travel with others

_numbers = count(1)


class Lost(Exception):
    """The place that ran a program is gone."""


@dataclass(eq=False, slots=True)
class Errand:
    """A program that waits for a place, or is at one."""

    frame: Frame
    wire: Wire  # to its seat
    given_up: threading.Event
    needed: int = 0  # bytes, where it has asked for more than an ordinary place has
    number: int = field(default_factory=lambda: next(_numbers))
    held: Held | None = None  # where it is
    larger: Held | None = None  # a place that was made for it
    company: list[Errand] = field(default_factory=list)  # that goes to the same place in the same call, after it
    until: float = 0.0  # monotonic; how long it waits
    turn: threading.Event = field(default_factory=threading.Event)  # its own thread has something to do
    done: bool = False
    last: Message | None = None  # how its worker ended without an outcome, or what it needs
    error: Exception | None = None  # its place is lost

    @property
    def light(self) -> bool:
        """Whether it may go with others."""
        return not self.needed and sum(map(len, self.frame)) < LIGHT_BYTES

    def say(self, frame: Frame) -> None:
        """Pass on what its run says."""
        try:
            self.wire.send_frame(frame)
        except BrokenWire:  # the seat is gone: what runs has to end
            self.given_up.set()

    def settle(self, last: Message | None = None, error: Exception | None = None) -> None:
        """It has ended."""
        self.last, self.error, self.done = last, error, True
        self.turn.set()


def go(places: Places, held: Held, first: Errand) -> None:
    """Have an errand and its company run at a place, and settle each."""
    lost, errands = True, (first, *first.company)
    try:
        lost = _Trip(places, held, errands).follow()
    finally:
        places.give_back(held, runs=len(errands), lost=lost)


class _Trip:
    def __init__(self, places: Places, held: Held, errands: Iterable[Errand]) -> None:
        self._places = places
        self._held = held
        self._open = {errand.number: errand for errand in errands}
        self._lost = False

    def follow(self) -> bool:
        """Returns whether the place is lost."""
        for errand in self._given_up():
            self._settle(errand)
        if not self._open:
            return False
        try:
            self._follow()
        except (Lost, RayError, BrokenWire) as error:
            self._lost = True
            for errand in list(self._open.values()):
                self._settle(errand, error=error)
        return self._lost

    def _follow(self) -> None:
        actor = self._held.actor
        if not self._held.quick:  # else it is soon heard
            next(iter(self._open.values())).say(packed(Message("placed")))
        call = actor.run.remote(
            self._held.room, bundled((number, errand.frame) for number, errand in self._open.items())
        )
        ending_since: float | None = None
        while True:
            ending = self._given_up()
            try:
                self._hear(ray.get(call, timeout=AGAIN_SECONDS if ending else HEAR_SECONDS))
                break
            except GetTimeoutError:
                for errand in ending:
                    actor.kill.remote(errand.number)
            self._hear(ray.get(actor.heard.remote(), timeout=ANSWER_SECONDS))
            ending_since = (ending_since or time.monotonic()) if self._given_up() else None
            if ending_since is not None and time.monotonic() - ending_since > KILL_SECONDS:
                ray.kill(actor, no_restart=True)
                raise Lost("it did not end when it was told to")
        if self._open:
            raise Lost("it does not say how what it ran has ended")

    def _hear(self, data: bytes) -> None:
        for number, frame in unbundled(data):
            errand = self._open[number]
            message = unpacked(frame)
            if message.say == "withdrawn":
                self._take_back(errand)
            elif message.say in ("exited", "need"):
                self._lost |= "lost" in message.members
                self._settle(errand, message)
            else:
                errand.say(frame)
                if message.say == "outcome":
                    self._settle(errand)

    def _given_up(self) -> list[Errand]:
        return [errand for errand in self._open.values() if errand.given_up.is_set()]

    def _take_back(self, errand: Errand) -> None:
        """It has not begun."""
        if errand.given_up.is_set():
            self._settle(errand)
        else:
            del self._open[errand.number]
            self._places.take_back(errand)

    def _settle(self, errand: Errand, last: Message | None = None, error: Exception | None = None) -> None:
        del self._open[errand.number]
        errand.settle(last, error)
