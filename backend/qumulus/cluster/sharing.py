"""How drivers share one cluster: the names of actors say what each driver has.

An actor of an execution is made for one node, which its name says, with what it takes there. It never waits for another actor,
only for simulations: these leave it what it takes as soon as they end. Every driver of simulations has a member, named
`driver-…`; they share evenly what the actors leave, and actors leave a place to each of them, but for the only actor there is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SERVICE, MEMBER = "actor", "driver"
PLACE_BYTES = 1 << 30  # an ordinary place of simulations; it has one core


@dataclass(frozen=True, slots=True)
class Size:
    """The cores and the memory that a node has, or an actor takes."""

    cores: int
    memory: int  # bytes

    def holds(self, other: Size) -> bool:
        """Say whether there is room for the other size."""
        return self.cores >= other.cores and self.memory >= other.memory

    def without(self, other: Size) -> Size:
        """Return what the other size leaves of this one."""
        return Size(self.cores - other.cores, self.memory - other.memory)

    @property
    def places(self) -> int:
        """Return how many ordinary places of simulations there is room for."""
        return max(0, min(self.cores, self.memory // PLACE_BYTES))


Nodes = Mapping[str, Size]
"""The nodes of a cluster that have cores, by their ids."""


def sizes(nodes: Iterable[Mapping[str, Any]]) -> Nodes:
    """Return the nodes that Ray tells of, by their ids."""
    return {
        node["NodeID"]: Size(int(cores), int(node["Resources"].get("memory", 0)))
        for node in nodes
        if node["Alive"] and (cores := node["Resources"].get("CPU"))
    }


def actor_name(node: str, size: Size, own: str) -> str:
    """Return the name of an actor of that size on that node."""
    return f"{SERVICE}-{node}-{size.cores}-{size.memory}-{own}"


def node_for(actor: Size, nodes: Nodes, names: Collection[str], fit: Collection[str]) -> str | None:
    """Return the node on which an actor is to be made, of those that are ``fit``; None if it has to wait for another actor to end."""
    left, drivers, others = _left(nodes, names), _of(MEMBER, names), _of(SERVICE, names)
    for node in sorted(fit, key=lambda node: -left[node].cores):
        if left[node].holds(actor):
            places = sum(size.places for size in (left | {node: left[node].without(actor)}).values())
            if places >= len(drivers) or not others:
                return node
    return None


def share(nodes: Nodes, names: Collection[str], own: str) -> tuple[int, Mapping[str, int]]:
    """Return how many places a driver may have whose member is ``own``: in all, and on each node where there are actors anywhere.

    Without actors, all may ask for what can't be divided: Ray says who has it.
    """
    drivers = sorted({*_of(MEMBER, names), own})
    if not _of(SERVICE, names):
        return -(-sum(size.cores for size in nodes.values()) // len(drivers)), {}
    turn = drivers.index(own)
    each = {
        node: len(range((turn + number) % len(drivers), size.places, len(drivers)))
        for number, (node, size) in enumerate(sorted(_left(nodes, names).items()))
    }
    return sum(each.values()), each


def _of(kind: str, names: Iterable[str]) -> Sequence[str]:
    return [name for name in names if name.startswith(f"{kind}-")]


def _left(nodes: Nodes, names: Iterable[str]) -> dict[str, Size]:
    """Return what the actors leave of each node."""
    left = dict(nodes)
    for name in _of(SERVICE, names):
        _, node, cores, memory, _ = name.split("-")
        if node in left:
            left[node] = left[node].without(Size(int(cores), int(memory)))
    return left
