"""The places of a cluster: as many actors as it has CPUs, each found a node by Ray; kept, handed out, replaced.

A place asks Ray for one CPU and for memory: what the actor and its warm parent take, and room for a job. A job that needs more
room than a place has gets a larger one, which stays while it is in use. Several drivers on one cluster share it evenly; what
one that ended had goes to the others.
"""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util import list_named_actors

from .actor import Place
from .call import Errand, Trip
from .sharing import PLACE_BYTES, share, sizes

log = logging.getLogger("qumulus.cluster")

OVERHEAD_BYTES = 512 << 20  # an actor, its warm parent and what a worker has loaded
ROOM_BYTES = PLACE_BYTES - OVERHEAD_BYTES  # for a job, in an ordinary place
NODE = "ray.io/node-id"  # a label
LOOK_SECONDS = 0.25  # how often actors that came or went are looked for
RESIZE_SECONDS = 0.5  # how often nodes and other drivers are
QUICK_SECONDS = 0.05  # a run that takes no longer: a call and a commit take as long as some of them
TOGETHER = 8  # errands that go to a place in one call, where runs are quick
AHEAD = 16  # programs that such a place wants beyond the one that it runs
MOST_AHEAD = 32  # of all places: no dispatcher is so fast that more would be of use
AHEAD_SECONDS = 0.5  # for which a program waits for a place; then another driver's may be free
IDLE_SECONDS = 60.0  # after which a larger place is given back to the cluster
THREADS = 6  # of an actor: a run, what is heard of it, its end, and `live`


class Member:
    """An actor that does nothing: while it lives, its driver does, and other drivers leave it its share."""


class TooLarge(Exception):
    """No node of the cluster has so much memory."""


class Full(Exception):
    """No place became free in time: what waited has not begun."""


@dataclass(eq=False, slots=True)
class Held:
    """An actor, as the driver has it."""

    actor: Any
    room: int  # bytes for a job
    coming: Any  # the call that returns when it is ready
    node: str = ""  # as soon as it is
    living: Any = None  # the call that ends when it does
    busy: bool = False
    since: float = field(default_factory=time.monotonic)  # busy or not
    quick: bool = False  # its last runs were
    sent: SimpleQueue[list[Errand] | None] = field(default_factory=SimpleQueue)  # to its thread; None: it is forgotten


class Places:
    """All places of one driver, each with a thread that has programs run there. `keep` runs on a thread of its own."""

    def __init__(
        self, arguments: tuple[Any, ...], most: int, answer_seconds: float, on_change: Callable[[int, int], None]
    ) -> None:
        """``arguments`` make an actor; ``most`` places at once, 0 for an even share of the cluster's CPUs; a place that says
        nothing for ``answer_seconds`` is lost; ``on_change`` hears how many there are, and how many jobs more are wanted ahead."""
        self._class = ray.remote(Place)
        self._arguments = arguments
        self._most = most
        self._answer_seconds = answer_seconds
        self._on_change = on_change
        self._told = (0, 0)
        self._wanted = 0
        self._most_on: Mapping[str, int] = {}  # nodes
        self._resized_at = 0.0
        self._name = f"driver-{secrets.token_hex(8)}"
        member = ray.remote(Member).options(num_cpus=0, name=self._name, max_restarts=-1)
        self._member = member.remote()  # its node may end before we do: then it lives on another one
        self._coming: set[Held] = set()
        self._ready: set[Held] = set()
        self._free: list[Held] = []
        self._waiting: list[Errand] = []  # in the order in which they came
        self._lock = threading.RLock()

    # -- by those that have programs run ---------------------------------------------------------------------------

    def send(self, errand: Errand) -> None:
        """Have a program run as soon as a place has room for it; its sender hears of it.

        Raises:
            TooLarge
        """
        if errand.needed > ROOM_BYTES:
            self._check(errand.needed)
        errand.until = math.inf if errand.needed else time.monotonic() + AHEAD_SECONDS
        with self._lock:
            self._waiting.append(errand)
            self._grant()

    def give_up(self, errand: Errand) -> None:
        """End its run at once, or let it not begin."""
        with self._lock:
            errand.given_up = True
            held, waits = errand.held, errand in self._waiting
            if waits:
                self._leave(errand)
        if waits:
            errand.sender.end()
        elif held is not None:
            held.actor.kill.remote(errand.number)

    def _leave(self, errand: Errand) -> None:
        """It waits no more; nor does the place that was made for it, unless it goes there."""
        self._waiting.remove(errand)
        if errand.larger is not None and errand.larger is not errand.held and errand.larger in self._coming:
            self._forget(errand.larger)

    # -- by the threads of places ----------------------------------------------------------------------------------

    def _serve(self, held: Held) -> None:
        """Have programs run at a place until it is forgotten."""
        while (errands := held.sent.get()) is not None:
            trip = Trip(held, errands, self._answer_seconds, self._take_back)
            trip.go()
            if trip.lost is not None:
                log.warning("A place of the cluster is gone: %s", line_of(trip.lost))
            with self._lock:
                self._give_back(held, runs=len(errands), lost=trip.lost is not None)
            for errand in trip.open.values():
                errand.sender.end(error=trip.lost)

    def _take_back(self, errand: Errand) -> None:
        """It has not begun where it was: it is the next one elsewhere."""
        with self._lock:
            errand.held, errand.until = None, time.monotonic() + LOOK_SECONDS
            insort(self._waiting, errand, key=lambda one: one.number)
            self._grant()

    def _give_back(self, held: Held, *, runs: int, lost: bool) -> None:
        """Let others have it after so many runs, or forget it where it was lost."""
        if lost or len(self._ready) > self._wanted or self._crowds(held):  # then others are to have it
            self._forget(held)
        elif held in self._ready:
            now = time.monotonic()
            held.quick, held.busy, held.since = now - held.since < runs * QUICK_SECONDS, False, now
            self._free.append(held)
            self._grant()

    def _grant(self) -> None:
        """Give free places to those that wait, in turn; where none has the room that is needed, one is exchanged for a larger."""
        for errand in list(self._waiting):
            if not self._free:
                return
            if errand.held is not None:
                continue  # it went with another one
            fitting = [held for held in self._free if held.room >= errand.needed]
            if fitting:
                held = min(fitting, key=lambda held: held.room)
                self._free.remove(held)
                held.busy, held.since = True, time.monotonic()
                together = [errand, *self._company(held, errand)]
                for one in together:
                    one.held = held
                    self._leave(one)
                held.sent.put(together)
            elif errand.larger is None:
                self._forget(self._free[-1])
                errand.larger = self._make(errand.needed)

    def _company(self, held: Held, errand: Errand) -> list[Errand]:
        """Who goes with it: as many as leave the other places their share."""
        if not held.quick or not errand.light:
            return []
        share = min(TOGETHER, -(-len(self._waiting) // len(self._ready)))
        return [one for one in self._waiting if one.light and one is not errand][: share - 1]

    @staticmethod
    def _check(needed: int) -> None:
        largest = max((node["Resources"].get("memory", 0) for node in ray.nodes() if node["Alive"]), default=0)
        if needed + OVERHEAD_BYTES > largest:
            raise TooLarge(
                f"It would need {needed:,} bytes of memory, and no machine of the cluster has more than "
                f"{max(0, int(largest) - OVERHEAD_BYTES):,} for one job: use fewer qubits, or add a larger machine."
            )

    # -- by the keeper ---------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Have as many actors as the cluster has room for, for ever.

        Raises:
            RayError, ConnectionError: the cluster is gone.
        """
        while True:
            self._look()
            self._resize()
            self._expire()
            with self._lock:
                self._tell()
            time.sleep(LOOK_SECONDS)

    def _expire(self) -> None:
        """Let those go that have waited for too long."""
        now = time.monotonic()
        with self._lock:
            late = [errand for errand in self._waiting if errand.until < now]
            for errand in late:
                self._leave(errand)
        for errand in late:
            errand.sender.end(error=Full())

    def _tell(self) -> None:
        counts = len(self._ready), min(MOST_AHEAD, AHEAD * sum(map(self._quick, self._ready)))
        if counts != self._told:
            self._told = counts
            self._on_change(*counts)

    @staticmethod
    def _quick(held: Held) -> bool:
        """Whether a program that waits for it would wait for a moment."""
        return held.quick and not (held.busy and time.monotonic() - held.since > TOGETHER * QUICK_SECONDS)

    def _look(self) -> None:
        """Let in the actors that became ready, and forget those that ended."""
        with self._lock:
            coming = {held.coming: held for held in self._coming}
            living = {held.living: held for held in self._ready}
        for ended in _ended(coming):
            held = coming[ended]
            with self._lock:
                if held not in self._coming:
                    continue
                if (node := _node_of(ended)) is not None:
                    self._coming.remove(held)
                    held.node = node
                    held.living = held.actor.live.remote()
                    self._ready.add(held)
                    self._free.append(held)
                    threading.Thread(target=self._serve, args=(held,), daemon=True).start()
                    self._tell()
                    self._grant()
                else:
                    self._forget(held)
        for ended in _ended(living):
            with self._lock:
                self._forget(living[ended])

    def _resize(self) -> None:
        now = time.monotonic()
        if now - self._resized_at < RESIZE_SECONDS:
            return
        self._resized_at = now
        wanted, most_on = share(sizes(ray.nodes()), list_named_actors(), self._name)
        with self._lock:
            self._wanted, self._most_on = (self._most, {}) if self._most else (wanted, most_on)
            for held in [held for held in self._free if held.room > ROOM_BYTES and now - held.since > IDLE_SECONDS]:
                self._forget(held)
            for held in [*self._free]:
                if self._crowds(held):
                    self._forget(held)
            more = self._wanted - len(self._ready) - len(self._coming)
            for _ in range(more):
                self._make(ROOM_BYTES)
            for held in [*self._coming, *self._free][: max(0, -more)]:
                self._forget(held)

    def _on(self, node: str) -> int:
        return sum(held.node == node for held in self._ready)

    def _crowds(self, held: Held) -> bool:
        """Whether its node is to be left to executions of services."""
        return held.node in self._most_on and self._on(held.node) > self._most_on[held.node]

    def _make(self, room: int) -> Held:
        full = [node for node, most in self._most_on.items() if self._on(node) >= most]
        options = self._class.options(
            num_cpus=1,
            memory=room + OVERHEAD_BYTES,
            scheduling_strategy="SPREAD",
            label_selector={NODE: f"!in({','.join(full)})"} if full else None,
            max_concurrency=THREADS,
            max_restarts=0,  # starting another one and running again is for us to say
            max_task_retries=0,
            enable_task_events=False,  # nobody looks at them
        )
        actor: Any = options.remote(*self._arguments)
        held = Held(actor, room, actor.ready.remote())
        self._coming.add(held)
        return held

    def _forget(self, held: Held) -> None:
        self._coming.discard(held)
        self._ready.discard(held)
        if held in self._free:
            self._free.remove(held)
        held.sent.put(None)
        ray.kill(held.actor, no_restart=True)  # nothing happens if it has ended
        self._tell()  # before it is said that its runs were lost: who gets them must not be we, as long as we have no place


def line_of(error: Exception) -> str:
    """What an error says, in a line."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _ended(calls: dict[Any, Held]) -> list[Any]:
    return ray.wait(list(calls), num_returns=len(calls), timeout=0)[0] if calls else []


def _node_of(call: Any) -> str | None:
    try:
        node = ray.get(call)
    except RayError as error:
        log.warning("A place of the cluster ended before it was ready: %s", line_of(error))
        return None
    if node is None:
        log.error("A place of the cluster can't run jobs: is the same version of Qumulus installed on every node?")
    return node
