"""In which order the qubits of a circuit stand on a chain, so that few gates cross each cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

Pair = tuple[int, int]


def candidates(n_qubits: int, pairs: Iterable[Pair]) -> Iterator[list[int]]:
    """Orders worth trying: reverse Cuthill–McKee, good for chains and lattices, and depth-first, good for trees."""
    edges = {(min(pair), max(pair)) for pair in pairs}
    yield by_bandwidth(n_qubits, edges)
    if len(edges) < n_qubits:
        yield depth_first(n_qubits, edges)


def by_bandwidth(n_qubits: int, edges: Iterable[Pair]) -> list[int]:
    """Reverse Cuthill–McKee: neighbours in the interaction graph stand near each other."""
    rows, columns = np.array([*edges, (0, 0)]).T
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(n_qubits, n_qubits)).tocsr()
    return [int(qubit) for qubit in reverse_cuthill_mckee(graph + graph.T, symmetric_mode=True)]


def depth_first(n_qubits: int, edges: Iterable[Pair]) -> list[int]:
    """Depth first from an end of a longest path, small branches before large ones: few branches are open at a time."""
    neighbours: list[list[int]] = [[] for _ in range(n_qubits)]
    for first, second in edges:
        neighbours[first].append(second)
        neighbours[second].append(first)
    order, seen = list[int](), set[int]()
    for qubit in range(n_qubits):
        if qubit not in seen:
            end = _walk(_walk(qubit, neighbours)[-1][0], neighbours)
            sizes = _sizes(end)
            order += _preorder(end[0][0], neighbours, sizes)
            seen.update(order)
    return order


def _walk(start: int, neighbours: Sequence[Sequence[int]]) -> list[Pair]:
    """Breadth first: (qubit, parent), the farthest last; the parent of the start is itself."""
    found, seen = [(start, start)], {start}
    for qubit, _ in found:
        new = [other for other in neighbours[qubit] if other not in seen]
        seen.update(new)
        found += [(other, qubit) for other in new]
    return found


def _sizes(walk: Sequence[Pair]) -> dict[int, int]:
    """How many qubits hang on each one, itself included."""
    sizes = dict.fromkeys((qubit for qubit, _ in walk), 1)
    for qubit, parent in reversed(walk):
        if qubit != parent:
            sizes[parent] += sizes[qubit]
    return sizes


def _preorder(root: int, neighbours: Sequence[Sequence[int]], sizes: dict[int, int]) -> list[int]:
    order, stack, seen = list[int](), [root], {root}
    while stack:
        qubit = stack.pop()
        order.append(qubit)
        children = sorted((o for o in neighbours[qubit] if o not in seen), key=lambda child: -sizes[child])
        seen.update(children)
        stack += children
    return order
