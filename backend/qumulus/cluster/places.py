"""The places of a cluster: as many actors as it has CPUs, each found a node by Ray; kept, handed out, replaced.

A place asks Ray for one CPU and for memory: what the actor and its fork server take, and room for a job. A job that needs more
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
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util import list_named_actors

from .actor import Place
from .call import Call
from .requests import Request, Reservation, lend
from .sharing import PLACE_BYTES, share, sizes

log = logging.getLogger("qumulus.cluster")

OVERHEAD_BYTES = 512 << 20  # an actor, its fork server and what a worker has loaded
JOB_BYTES = PLACE_BYTES - OVERHEAD_BYTES  # for a job, in an ordinary place
NODE = "ray.io/node-id"  # a label
LOOK_SECONDS = 0.25  # how often actors that came or went are looked for
RESIZE_SECONDS = 0.5  # how often nodes and other drivers are
QUICK_SECONDS = 0.05  # a run that takes no longer: a call and a commit take as long as some of them
TOGETHER = 8  # requests that go to a place in one call, where runs are quick
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
        self._coming: set[Reservation] = set()
        self._ready: set[Reservation] = set()
        self._free: list[Reservation] = []
        self._waiting: list[Request] = []  # in the order in which they came
        self._lock = threading.RLock()

    # -- by those that have programs run ---------------------------------------------------------------------------

    def send(self, request: Request) -> None:
        """Have a program run as soon as a place has room for it; its sender hears of it.

        Raises:
            TooLarge
        """
        if request.needed > JOB_BYTES:
            self._check(request.needed)
        request.until = math.inf if request.needed else time.monotonic() + AHEAD_SECONDS
        with self._lock:
            self._waiting.append(request)
            self._grant()

    def give_up(self, request: Request) -> None:
        """End the run of a request at once, or keep the request from beginning."""
        with self._lock:
            request.given_up = True
            reservation, waits = request.reservation, request in self._waiting
            if waits:
                self._leave(request)
        if waits:
            request.sender.end()
        elif reservation is not None:
            reservation.actor.kill.remote(request.number)

    def _leave(self, request: Request) -> None:
        """Let a request wait no more; the place that was made for it is given up, unless the request goes there."""
        self._waiting.remove(request)
        if request.larger is not None and request.larger is not request.reservation and request.larger in self._coming:
            self._forget(request.larger)

    # -- by the threads of places ----------------------------------------------------------------------------------

    def _serve(self, reservation: Reservation) -> None:
        """Have programs run at a place until it is forgotten."""
        while (requests := reservation.sent.get()) is not None:
            call = Call(reservation, requests, self._answer_seconds, self._take_back)
            call.go()
            if call.lost is not None:
                log.warning("A place of the cluster is gone: %s", line_of(call.lost))
            with self._lock:
                self._give_back(reservation, runs=len(requests), lost=call.lost is not None)
            for request in call.open.values():
                request.sender.end(error=call.lost)

    def _take_back(self, request: Request) -> None:
        """Take a request back that has not begun at its place: that request is the next one elsewhere."""
        with self._lock:
            request.reservation, request.until = None, time.monotonic() + LOOK_SECONDS
            insort(self._waiting, request, key=lambda one: one.number)
            self._grant()

    def _give_back(self, reservation: Reservation, *, runs: int, lost: bool) -> None:
        """Let others have it after so many runs, or forget it where it was lost."""
        if lost or len(self._ready) > self._wanted or self._crowds(reservation):  # then others are to have it
            self._forget(reservation)
        elif reservation in self._ready:
            now = time.monotonic()
            reservation.quick, reservation.busy, reservation.since = (
                now - reservation.since < runs * QUICK_SECONDS,
                False,
                now,
            )
            self._free.append(reservation)
            self._grant()

    def _grant(self) -> None:
        """Give free places to those that wait, in turn; where none has the room that is needed, one is exchanged for a larger."""
        granted = dict[Reservation, list[Request]]()
        for request in list(self._waiting):
            if not self._free:
                break
            if request.reservation is not None:
                continue  # it went with another one
            fitting = [reservation for reservation in self._free if reservation.memory_bytes >= request.needed]
            if fitting:
                reservation = min(fitting, key=lambda reservation: reservation.memory_bytes)
                self._free.remove(reservation)
                reservation.busy, reservation.since = True, time.monotonic()
                granted[reservation] = [request, *self._batch_with(reservation, request)]
                for one in granted[reservation]:
                    one.reservation = reservation
                    self._leave(one)
            elif request.larger is None:
                self._forget(self._free[-1])
                request.larger = self._make(request.needed)
        lend([*granted], self._free)
        for reservation, together in granted.items():
            reservation.sent.put(together)

    def _batch_with(self, reservation: Reservation, request: Request) -> list[Request]:
        """Choose the requests that go in one call with this one: as many as leave the other places their share."""
        if not reservation.quick or not request.light:
            return []
        share = min(TOGETHER, -(-len(self._waiting) // len(self._ready)))
        return [one for one in self._waiting if one.light and one is not request][: share - 1]

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
            late = [request for request in self._waiting if request.until < now]
            for request in late:
                self._leave(request)
        for request in late:
            request.sender.end(error=Full())

    def _tell(self) -> None:
        counts = len(self._ready), min(MOST_AHEAD, AHEAD * sum(map(self._quick, self._ready)))
        if counts != self._told:
            self._told = counts
            self._on_change(*counts)

    @staticmethod
    def _quick(reservation: Reservation) -> bool:
        """Say whether a request that waits for this place would wait for a moment only."""
        return reservation.quick and not (
            reservation.busy and time.monotonic() - reservation.since > TOGETHER * QUICK_SECONDS
        )

    def _look(self) -> None:
        """Let in the actors that became ready, and forget those that ended."""
        with self._lock:
            coming = {reservation.coming: reservation for reservation in self._coming}
            living = {reservation.living: reservation for reservation in self._ready}
        for ended in _ended(coming):
            reservation = coming[ended]
            with self._lock:
                if reservation not in self._coming:
                    continue
                if (node := _node_of(ended)) is not None:
                    self._coming.remove(reservation)
                    reservation.node = node
                    reservation.living = reservation.actor.live.remote()
                    self._ready.add(reservation)
                    self._free.append(reservation)
                    threading.Thread(target=self._serve, args=(reservation,), daemon=True).start()
                    self._tell()
                    self._grant()
                else:
                    self._forget(reservation)
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
            for reservation in [
                reservation
                for reservation in self._free
                if reservation.memory_bytes > JOB_BYTES and now - reservation.since > IDLE_SECONDS
            ]:
                self._forget(reservation)
            for reservation in [*self._free]:
                if self._crowds(reservation):
                    self._forget(reservation)
            more = self._wanted - len(self._ready) - len(self._coming)
            for _ in range(more):
                self._make(JOB_BYTES)
            for reservation in [*self._coming, *self._free][: max(0, -more)]:
                self._forget(reservation)

    def _on(self, node: str) -> int:
        return sum(reservation.node == node for reservation in self._ready)

    def _crowds(self, reservation: Reservation) -> bool:
        """Say whether the node of this place is to be left to executions of services."""
        return reservation.node in self._most_on and self._on(reservation.node) > self._most_on[reservation.node]

    def _make(self, memory_bytes: int) -> Reservation:
        full = [node for node, most in self._most_on.items() if self._on(node) >= most]
        options = self._class.options(
            num_cpus=1,
            memory=memory_bytes + OVERHEAD_BYTES,
            scheduling_strategy="SPREAD",
            label_selector={NODE: f"!in({','.join(full)})"} if full else None,
            max_concurrency=THREADS,
            max_restarts=0,  # starting another one and running again is for us to say
            max_task_retries=0,
            enable_task_events=False,  # nobody looks at them
        )
        actor: Any = options.remote(*self._arguments)
        reservation = Reservation(actor, memory_bytes, actor.ready.remote())
        self._coming.add(reservation)
        return reservation

    def _forget(self, reservation: Reservation) -> None:
        self._coming.discard(reservation)
        self._ready.discard(reservation)
        if reservation in self._free:
            self._free.remove(reservation)
        reservation.sent.put(None)
        ray.kill(reservation.actor, no_restart=True)  # nothing happens if it has ended
        self._tell()  # before it is said that its runs were lost: who gets them must not be we, as long as we have no place


def line_of(error: Exception) -> str:
    """Return what an error says, in one line."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _ended(calls: dict[Any, Reservation]) -> list[Any]:
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
