"""Requests that wait for a place of the cluster, and the places as the driver has reserved them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from queue import SimpleQueue
from typing import Any, Protocol

from qumulus.execution.wire import Frame, Message, packed, unpacked

LIGHT_BYTES = 256 << 10  # of a program that may travel with others

_numbers = count(1)


class Sender(Protocol):
    """Whoever has sent a request, and hears of its run from several threads, one at a time."""

    def say(self, *frames: Frame) -> None:
        """Take what the run says."""
        ...

    def end(self, last: Message | None = None, error: Exception | None = None) -> None:
        """Take the end: an outcome has come, or the request was given up.

        Otherwise ``last`` says how the worker ended or what it needs, or ``error`` why the program can't be run.
        """
        ...


@dataclass(eq=False, slots=True)
class Request:
    """A program that waits for a place, or is at one."""

    frame: Frame
    sender: Sender
    needed: int = 0  # bytes, where it has asked for more than an ordinary place has
    number: int = field(default_factory=lambda: next(_numbers))
    until: float = 0.0  # monotonic; how long it waits
    reservation: Reservation | None = None  # where it is
    larger: Reservation | None = None  # a place that was made for it
    given_up: bool = False

    @property
    def light(self) -> bool:
        """Say whether the request may go in one call with others."""
        return not self.needed and sum(map(len, self.frame)) < LIGHT_BYTES


@dataclass(eq=False, slots=True)
class Reservation:
    """A place of the cluster: an actor, with what the driver knows of that actor."""

    actor: Any
    memory_bytes: int  # bytes for a job
    coming: Any  # the call that returns when it is ready
    node: str = ""  # as soon as it is
    living: Any = None  # the call that ends when it does
    busy: bool = False
    since: float = field(default_factory=time.monotonic)  # busy or not
    quick: bool = False  # its last runs were
    processes: int = 1  # that the next program may use: the place's own core, and those of free places beside it
    sent: SimpleQueue[list[Request] | None] = field(default_factory=SimpleQueue)  # to its thread; None: it is forgotten


def lend(granted: Sequence[Reservation], free: Sequence[Reservation]) -> None:
    """Let programs that begin together use the cores of the free places of their nodes, each as many as the others.

    A place that is lent is still free: a program that comes later runs there, beside what was lent.
    """
    idle, begun = Counter(each.node for each in free), Counter(each.node for each in granted)
    for each in granted:
        each.processes = 1 + idle[each.node] // begun[each.node]


def widened(frame: Frame, processes: int, room_bytes: int) -> Frame:
    """The frame of a program that may use so many processes, and so much memory in all of them; one that repeats itself has one."""
    message = unpacked(frame)
    if processes <= 1 or message.members.get("repeatable"):
        return frame
    return packed(replace(message, members={**message.members, "processes": processes, "room_bytes": room_bytes}))
