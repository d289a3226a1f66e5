"""The places of a cluster: as many actors as it has CPUs, each found a node by Ray; kept, handed out, replaced.

A place asks Ray for one CPU and for memory: what the actor and its warm parent take, and room for a job. A job that needs more
room than a place has gets a larger one, which stays while it is in use. Several drivers on one cluster share it evenly; what
one that ended had goes to the others.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util import list_named_actors

from .actor import Place
from .sharing import PLACE_BYTES, share, sizes

log = logging.getLogger("qumulus.execution.cluster")

OVERHEAD_BYTES = 512 << 20  # an actor, its warm parent and what a worker has loaded
ROOM_BYTES = PLACE_BYTES - OVERHEAD_BYTES  # for a job, in an ordinary place
NODE = "ray.io/node-id"  # a label
LOOK_SECONDS = 0.25  # how often actors that came or went are looked for
RESIZE_SECONDS = 1.0  # how often nodes and other drivers are
IDLE_SECONDS = 60.0  # after which a larger place is given back to the cluster
THREADS = 6  # of an actor: a run, what is heard of it, its end, and `live`


class Member:
    """An actor that does nothing: while it lives, its driver does, and other drivers leave it its share."""


class TooLarge(Exception):
    """No node of the cluster has so much memory."""


@dataclass(eq=False, slots=True)
class Held:
    """An actor, as the driver has it."""

    actor: Any
    room: int  # bytes for a job
    coming: Any  # the call that returns when it is ready
    node: str = ""  # as soon as it is
    living: Any = None  # the call that ends when it does
    since: float = field(default_factory=time.monotonic)  # idle


class Places:
    """All places of one driver. `keep` runs on a thread of its own; `take` and `give_back` are called by others."""

    def __init__(self, arguments: tuple[Any, ...], most: int, on_change: Callable[[int], None]) -> None:
        """``arguments`` make an actor; ``most`` places at once, 0 for an even share of the cluster's CPUs; ``on_change`` hears
        how many there are."""
        self._class = ray.remote(Place)
        self._arguments = arguments
        self._most = most
        self._on_change = on_change
        self._told = 0
        self._wanted = 0
        self._most_on: Mapping[str, int] = {}  # nodes
        self._resized_at = 0.0
        self._name = f"driver-{secrets.token_hex(8)}"
        member = ray.remote(Member).options(num_cpus=0, name=self._name, max_restarts=-1)
        self._member = member.remote()  # its node may end before we do: then it lives on another one
        self._coming: set[Held] = set()
        self._ready: set[Held] = set()
        self._free: list[Held] = []
        self._changed = threading.Condition()

    # -- by those that run jobs ------------------------------------------------------------------------------------

    def take(self, needed: int, given_up: threading.Event) -> Held | None:
        """A place with room for so many bytes, waited for; None if it was given up meanwhile.

        Raises:
            TooLarge
        """
        wanted: Held | None = None
        while not given_up.is_set():
            with self._changed:
                found = min(
                    (held for held in self._free if held.room >= needed), key=lambda held: held.room, default=None
                )
                if found is not None:
                    self._free.remove(found)
                    break
                if wanted is None and self._free and needed > ROOM_BYTES:
                    wanted = self._enlarge(self._free.pop(), needed)
                self._changed.wait(LOOK_SECONDS)
        else:
            found = None
        if wanted is not None and wanted is not found and wanted in self._coming:
            self._forget(wanted)
        return found

    def give_back(self, held: Held, *, lost: bool = False) -> None:
        """Let others have it, or forget it where it was lost."""
        with self._changed:
            if lost:
                self._forget(held)
            elif len(self._ready) > self._wanted or self._crowds(held):
                self._forget(held)  # others are to have it
            elif held in self._ready:
                held.since = time.monotonic()
                self._free.append(held)
                self._changed.notify_all()

    def _enlarge(self, held: Held, needed: int) -> Held:
        largest = max((node["Resources"].get("memory", 0) for node in ray.nodes() if node["Alive"]), default=0)
        if needed + OVERHEAD_BYTES > largest:
            self._free.append(held)
            raise TooLarge(
                f"It would need {needed:,} bytes of memory, and no machine of the cluster has more than "
                f"{max(0, int(largest) - OVERHEAD_BYTES):,} for one job: use fewer qubits, or add a larger machine."
            )
        self._forget(held)
        return self._make(needed)

    # -- by the keeper ---------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Have as many actors as the cluster has room for, for ever.

        Raises:
            RayError, ConnectionError: the cluster is gone.
        """
        while True:
            self._look()
            self._resize()
            with self._changed:
                count = len(self._ready)
            if count != self._told:
                self._told = count
                self._on_change(count)
            time.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        """Let in the actors that became ready, and forget those that ended."""
        with self._changed:
            coming = {held.coming: held for held in self._coming}
            living = {held.living: held for held in self._ready}
        for ended in _ended(coming):
            held = coming[ended]
            with self._changed:
                if held not in self._coming:
                    continue
                if (node := _node_of(ended)) is not None:
                    self._coming.remove(held)
                    held.node = node
                    held.living = held.actor.live.remote()
                    self._ready.add(held)
                    self._free.append(held)
                    self._changed.notify_all()
                else:
                    self._forget(held)
        for ended in _ended(living):
            with self._changed:
                self._forget(living[ended])

    def _resize(self) -> None:
        now = time.monotonic()
        if now - self._resized_at < RESIZE_SECONDS:
            return
        self._resized_at = now
        wanted, most_on = share(sizes(ray.nodes()), list_named_actors(), self._name)
        with self._changed:
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
        end(held)


def end(held: Held) -> None:
    """End an actor; nothing happens if it has ended."""
    ray.kill(held.actor, no_restart=True)


def _ended(calls: dict[Any, Held]) -> list[Any]:
    return ray.wait(list(calls), num_returns=len(calls), timeout=0)[0] if calls else []


def _node_of(call: Any) -> str | None:
    try:
        node = ray.get(call)
    except RayError as error:
        log.warning("A place of the cluster ended before it was ready: %s", str(error).splitlines()[0])
        return None
    if node is None:
        log.error("A place of the cluster can't run jobs: is the same version of Qumulus installed on every node?")
    return node
