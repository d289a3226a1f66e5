"""The state as a chain: a matrix-product operator over Pauli vectors, for circuits of many qubits.

Each qubit is a tensor of shape (left bond, values, right bond). A noisy two-qubit gate splits into r products of
single-qubit maps (r = 5 for an ecr, cx or cz with its calibrated error: four for the gate and one for depolarizing;
relaxation is local and adds none), so it multiplies the bond between its qubits by r, and every bond in between where they
are not neighbours. A cut that k gates cross has a bond of at most 5^k, and the state is exact. The width of the circuit
hardly matters; what costs is how often each cut is crossed.

With a ``cut``, singular values of a bond below that fraction of the largest are dropped. What the trace then lacks is
measured and reported; over `WORST_TRACE_ERROR` nothing is returned.

A qubit has no axis before its first block, four values until its last, and then as many as its output asks for: two for a
measured qubit. Probabilities are linear in this state, so the part of the chain not yet read is one vector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from .blocks import Fused, outputs_after, swapped
from .errors import GaveUp
from .growth import Growth, work
from .transfer import GROUND, TRACE, Matrix

WORST_TRACE_ERROR = 1e-3
LEAST_PROBABILITY = -1e-6
BEYOND = 1e100  # a bond of which it does not matter any more how large it is
ROUNDING = 1e-13  # relative: a singular value below this is a rounding error
_SMALL_BOND = 24  # not worth compressing
_LARGEST_BOND = 6000  # before compressing
_SMALL_FACTOR = 100  # rows or columns that a plain decomposition does quickly
_TRIED = 0.05  # of its work, after which a chain looks whether what is left is enough
_BEYOND_DOUBT = 4.0  # times what is left, since products are counted that the end of a circuit makes useless
_LOST = 1e-14  # of an overlap's trace: keeps the factor of a singular overlap finite


@dataclass(frozen=True, slots=True)
class Gate:
    """A block between two places of the chain, as a sum of products: left (out, in, r), right (r, out, in)."""

    places: tuple[int, int]  # ascending
    left: Matrix
    right: Matrix

    @property
    def rank(self) -> int:
        """How many products."""
        return self.left.shape[2]

    @property
    def weight(self) -> float:
        """How many products of equal size would do as much: (Σ s)² / Σ s² of their sizes s."""
        return float(self.sizes.sum() ** 2 / (self.sizes**2).sum())

    @property
    def sizes(self) -> Matrix:
        """How large its products are, the largest first."""
        return np.linalg.norm(self.left.reshape(-1, self.rank), axis=0) ** 2


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A circuit laid on a chain: the gates in batches that cross each cut at most once, and qubits that stand alone."""

    order: list[int]  # which qubit stands at each place
    batches: list[list[Gate]]
    alone: dict[int, Matrix]  # place -> values of a qubit without blocks

    def bonds(self) -> list[float]:
        """The bond after each place but the last, without truncation: the product of the ranks that cross."""
        bonds = np.ones(len(self.order))
        for batch in self.batches:
            for gate in batch:
                bonds[gate.places[0] : gate.places[1]] *= gate.rank
            np.minimum(bonds, BEYOND, out=bonds)
        return list(bonds[:-1])

    @property
    def shallow(self) -> bool:
        """Whether no two qubits have more than one gate: bonds then grow to the end, and no noise undoes it."""
        places = [gate.places for batch in self.batches for gate in batch]
        return len(set(places)) == len(places)


def plan(fused: Fused, outputs: Mapping[int, Matrix], order: Sequence[int], cut: float = ROUNDING) -> Plan:
    """Lay blocks on a chain of the qubits in this order; ``outputs`` are the rows asked of each qubit, as in `dense`.

    Products of a block that are smaller than ``cut`` times its largest are left out.
    """
    rows = outputs_after(fused.ends, outputs)
    place = {qubit: index for index, qubit in enumerate(order)}
    last = {qubit: index for index, block in enumerate(fused.blocks) for qubit in block.qubits}
    begun, gates = set[int](), list[Gate]()
    for index, block in enumerate(fused.blocks):
        matrix, qubits = block.matrix, block.qubits
        if place[qubits[0]] > place[qubits[1]]:
            matrix, qubits = swapped(matrix), (qubits[1], qubits[0])
        tensor = matrix.reshape(4, 4, 4, 4)
        for axis, qubit in enumerate(qubits):
            if last[qubit] == index:
                tensor = np.moveaxis(np.tensordot(rows.get(qubit, TRACE), tensor, axes=(1, axis)), 0, axis)
            if qubit not in begun:
                tensor = np.expand_dims(np.tensordot(tensor, GROUND, axes=(2 + axis, 0)), 2 + axis)
        begun.update(qubits)
        gates.append(_split(tensor, (place[qubits[0]], place[qubits[1]]), cut))
    alone = {place[q]: rows.get(q, TRACE) @ GROUND for q in order if q not in last}
    return Plan(list(order), _batches(gates, len(order)), alone)


def _split(tensor: Matrix, places: tuple[int, int], cut: float) -> Gate:
    """A block (left out, right out, left in, right in) as a sum of as few products as possible."""
    left_out, right_out, left_in, right_in = tensor.shape
    matrix = tensor.transpose(0, 2, 1, 3).reshape(left_out * left_in, right_out * right_in)
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    rank = max(1, int((s > cut * s[0]).sum()))
    root = np.sqrt(s[:rank])
    return Gate(
        places,
        (u[:, :rank] * root).reshape(left_out, left_in, rank),
        (root[:, None] * v[:rank]).reshape(rank, right_out, right_in),
    )


def _batches(gates: Iterable[Gate], n_places: int) -> list[list[Gate]]:
    """Gates in an order that keeps that of each qubit, in batches: each crosses a cut, and acts on a place, at most once.

    So at most one bond of a tensor that a gate acts on grows in a batch, which keeps truncation cheap.
    """
    crossed, reached = np.zeros(n_places, int), np.zeros(n_places, int)
    batches = list[list[Gate]]()
    for gate in gates:
        first, second = gate.places
        number = max(crossed[first:second].max(), reached[first], reached[second]) + 1
        crossed[first:second] = reached[first] = reached[second] = number
        batches += [[] for _ in range(number - len(batches))]
        batches[number - 1].append(gate)
    return batches


class Chain:
    """The tensors of a chain, one a place, shape (left, values, right); ``cut`` is None for no truncation."""

    def __init__(self, n_places: int, cut: float | None, most_entries: float, most_work: float = inf) -> None:
        self.tensors: list[Matrix] = [np.ones((1, 1, 1)) for _ in range(n_places)]
        self.cut = cut
        self.most_entries = most_entries
        self.work_left = most_work  # multiplications of compressing, by the sizes
        self._grown = set[int]()  # bonds, by the place before them, that gates crossed since they were compressed

    @classmethod
    def of(
        cls, laid: Plan, cut: float | None, most_entries: float, deadline: float = inf, most_work: float = inf
    ) -> Chain:
        """The state at the end of a plan; ``deadline`` is a time of `time.perf_counter`.

        Raises:
            GaveUp: it does not fit into ``most_entries`` numbers, compressing it takes more than ``most_work``
                multiplications, or the time is over.
        """
        chain = cls(len(laid.order), cut, most_entries, most_work)
        for place, vector in laid.alone.items():
            chain.tensors[place] = vector.reshape(1, -1, 1)
        foreseen = cut is not None and most_work < inf and laid.shallow
        growth = Growth(laid.batches, len(laid.order) - 1, cut) if foreseen else None
        for number, batch in enumerate(laid.batches, 1):
            if perf_counter() > deadline:
                raise GaveUp("truncating it takes longer than the limit")
            for gate in batch:
                chain.apply(gate)
            if cut is not None and max(chain.bonds(), default=1) > _SMALL_BOND:
                chain.compress(cut)
                left = chain.work_left
                tried = most_work - left > _TRIED * most_work
                if growth and tried and growth.work_after(number, chain.bonds()) > _BEYOND_DOUBT * left:
                    largest = max(chain.bonds())
                    raise GaveUp(f"as bonds grow, of {largest} by now, truncating takes longer than another way")
        return chain

    def bonds(self) -> list[int]:
        """The bond after each place but the last."""
        return [tensor.shape[2] for tensor in self.tensors[:-1]]

    def apply(self, gate: Gate) -> None:
        """Apply one block; its sum runs through all places in between."""
        first, second = gate.places
        self._grown.update(range(first, second))
        if min(gate.left.shape[0], gate.right.shape[1]) < len(GROUND):  # a finished qubit needs less around it
            self._grown.update({max(first - 1, 0), min(second, len(self.tensors) - 2)})
        if self.cut is not None and second == first + 1:
            self._join(gate)
            return
        rank = gate.rank
        bond = rank * max(tensor.shape[2] for tensor in self.tensors[first:second])
        ends = self.tensors[first].size * gate.left.shape[0] + self.tensors[second].size * gate.right.shape[1]
        if bond > _LARGEST_BOND or ends * rank > self.most_entries:
            raise GaveUp(f"a bond of the chain grows to {bond}")
        low = np.tensordot(self.tensors[first], gate.left, axes=(1, 1))  # (left, right, out, r)
        left, right, out, _ = low.shape
        self.tensors[first] = low.transpose(0, 2, 1, 3).reshape(left, out, right * rank)
        high = np.tensordot(gate.right, self.tensors[second], axes=(2, 1))  # (r, out, left, right)
        _, out, left, right = high.shape
        self.tensors[second] = high.transpose(2, 0, 1, 3).reshape(left * rank, out, right)
        for place in range(first + 1, second):
            tensor = self.tensors[place]
            left, values, right = tensor.shape
            if tensor.size * rank**2 > self.most_entries:
                raise GaveUp(f"a bond of the chain grows to {bond}")
            through = np.zeros((left, rank, values, right, rank))
            through[:, range(rank), :, :, range(rank)] = tensor
            self.tensors[place] = through.reshape(left * rank, values, right * rank)
        if sum(tensor.size for tensor in self.tensors) > self.most_entries:
            raise GaveUp(f"a bond of the chain grows to {bond}")

    def _join(self, gate: Gate) -> None:
        """Apply a block on neighbours by joining their tensors: the bond becomes the smaller of the two outer sides.

        That is less than the rank of the gate times the bond where the gate has many products.
        """
        first, second = gate.places
        left, right = self.tensors[first], self.tensors[second]
        if left.shape[0] * right.shape[2] * gate.left.shape[0] * gate.right.shape[1] > self.most_entries:
            raise GaveUp(f"a bond of the chain grows to {left.shape[2]}")
        low = np.tensordot(left, gate.left, axes=(1, 1))  # (left, bond, out, r)
        high = np.tensordot(gate.right, right, axes=(2, 1))  # (r, out, bond, right)
        joint = np.tensordot(low, high, axes=([1, 3], [2, 0]))  # (left, out, out, right)
        outer, one, other, inner = joint.shape
        if outer * one <= other * inner:
            self.tensors[first] = np.eye(outer * one).reshape(outer, one, -1)
            self.tensors[second] = joint.reshape(outer * one, other, inner)
        else:
            self.tensors[first] = joint.reshape(outer, one, other * inner)
            self.tensors[second] = np.eye(other * inner).reshape(-1, other, inner)

    def compress(self, cut: float) -> None:
        """Drop singular values below ``cut`` times the largest on every bond that has grown, all at once.

        With the triangular factors X of all to the left and Y of all to the right of a bond, X Y = U S V gives the
        projection Y V^T S^(-1/2), S^(-1/2) U^T X that keeps the largest values of the bond.

        Raises:
            GaveUp: it takes more work than is left, or an overlap has no factor.
        """
        self.work_left -= work([1, *self.bonds(), 1])
        if self.work_left < 0:
            raise GaveUp(f"with bonds of {max(self.bonds())}, truncating takes longer than another way")
        lefts = _factors(self.tensors)
        rights = _factors([tensor.transpose(2, 1, 0) for tensor in reversed(self.tensors)])
        rights = [factor.T for factor in reversed(rights)]
        for place in self._grown:
            x, y = lefts[place], rights[place]
            u, s, v = _leading(x @ y, cut)
            root = 1.0 / np.sqrt(s)
            onto, back = (y @ v.T) * root, root[:, None] * (u.T @ x)
            self.tensors[place] = np.tensordot(self.tensors[place], onto, axes=(2, 0))
            self.tensors[place + 1] = np.tensordot(back, self.tensors[place + 1], axes=(1, 0))
        self._grown.clear()

    def ahead(self) -> list[Matrix]:
        """For each place the vector of all places from there on with their values summed, and (1,) for the end."""
        vectors = [np.ones(1)]
        for tensor in reversed(self.tensors):
            vectors.append(tensor.sum(axis=1) @ vectors[-1])
        return vectors[::-1]

    def checked_trace(self) -> float:
        """How far the trace is from one.

        Raises:
            GaveUp: farther than `WORST_TRACE_ERROR`.
        """
        error = abs(1.0 - float(self.ahead()[0][0]))
        if not error <= WORST_TRACE_ERROR:
            raise GaveUp(f"truncation changed the trace by {error:.2g}")
        return error

    def joint(self) -> Matrix:
        """All probabilities, flat, the first place the most significant; for few places."""
        whole = np.ones((1, 1))
        for tensor in self.tensors:
            whole = np.tensordot(whole, tensor, axes=(1, 0)).reshape(-1, tensor.shape[2])
        return whole[:, 0]

    def sample(self, shots: int, random: np.random.Generator) -> NDArray[np.uint8]:
        """Independent shots in order, shape (shots, places with two values), read place by place.

        Shots that agree so far share their vector.

        Raises:
            GaveUp: a conditional probability is below `LEAST_PROBABILITY`.
        """
        if not shots:
            return np.zeros((0, sum(tensor.shape[1] > 1 for tensor in self.tensors)), np.uint8)
        ahead = self.ahead()
        vectors, group = np.ones((1, 1)), np.zeros(shots, np.intp)
        columns = list[NDArray[np.uint8]]()
        for tensor, rest in zip(self.tensors, ahead[1:], strict=True):
            if tensor.shape[1] == 1:
                vectors = vectors @ tensor[:, 0]
                continue
            weights = vectors @ (tensor @ rest)
            weights /= weights.sum(axis=1, keepdims=True)
            if weights.min() < LEAST_PROBABILITY:
                raise GaveUp(f"truncation made a probability of {weights.min():.2g}")
            ones = random.random(shots) < weights[group, 1]
            kept, group = _regrouped(2 * group + ones)
            following = np.empty((len(kept), tensor.shape[2]))
            for value in (0, 1):  # most groups go on with one of both: the other is not computed
                these = (kept & 1) == value
                following[these] = vectors[kept[these] >> 1] @ tensor[:, value]
            vectors = following / (following @ rest)[:, None]
            columns.append(ones.astype(np.uint8))
        return np.stack(columns, axis=1) if columns else np.zeros((shots, 0), np.uint8)

    def mean(self, weights: Mapping[int, Matrix], ahead: Sequence[Matrix], behind: Sequence[Matrix]) -> float:
        """The mean of a product of values: at each place of ``weights`` what its values count, elsewhere 1."""
        if not weights:
            return 1.0
        first, last = min(weights), max(weights)
        vector = behind[first]
        for place in range(first, last + 1):
            tensor = self.tensors[place]
            counted = np.tensordot(weights[place], tensor, axes=(0, 1)) if place in weights else tensor.sum(axis=1)
            vector = vector @ counted
        return float(vector @ ahead[last + 1]) / float(ahead[0][0])

    def behind(self) -> list[Matrix]:
        """For each place the vector of all places before it with their values summed."""
        vectors = [np.ones(1)]
        for tensor in self.tensors:
            vectors.append(vectors[-1] @ tensor.sum(axis=1))
        return vectors


def _factors(tensors: Sequence[Matrix]) -> list[Matrix]:
    """For each bond a factor X of all that is before it: X^T X = (that)^T (that), up to a scale; shape (rows, bond).

    It has at most as many rows as the bond is wide. X only weighs what to drop: the projection stays one however little
    precise X is, so the overlaps may be multiplied out and factored, and what is lost there, below 1e-7 of the largest,
    is far below every cut.
    """
    factor, factors = np.ones((1, 1)), list[Matrix]()
    for tensor in tensors[:-1]:
        factor = np.tensordot(factor, tensor, axes=(1, 0)).reshape(-1, tensor.shape[2])
        if factor.shape[0] > factor.shape[1]:
            overlap = factor.T @ factor
            overlap /= np.trace(overlap)
            try:
                factor = np.linalg.cholesky(overlap + _LOST * np.eye(len(overlap))).T
            except np.linalg.LinAlgError as error:
                raise GaveUp("the overlaps of a bond have no factor") from error
        factors.append(factor)
    return factors


def _leading(matrix: Matrix, cut: float) -> tuple[Matrix, Matrix, Matrix]:
    """Singular vectors and values above ``cut`` times the largest.

    Of a large matrix from its image of random vectors, doubled until the last value is below the cut: what is left out is
    then smaller still. One more pass over the matrix makes the image that of the leading vectors.
    """
    size = min(matrix.shape)
    wanted = size // 8
    while True:
        if size <= _SMALL_FACTOR or wanted >= size // 2:
            u, s, v = np.linalg.svd(matrix, full_matrices=False)
        else:
            start = np.random.default_rng(wanted).standard_normal((matrix.shape[1], wanted))
            image, _ = np.linalg.qr(matrix @ (matrix.T @ (matrix @ start)))
            u, s, v = np.linalg.svd(image.T @ matrix, full_matrices=False)
            u = image @ u
        kept = max(1, int((s > cut * s[0]).sum()))
        if kept < len(s) or len(s) == size:
            return u[:, :kept], s[:kept], v[:kept]
        wanted *= 2


def _regrouped(keys: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The distinct keys, and for each entry which one it is."""
    kept, group = np.unique(keys, return_inverse=True)
    return kept, group
