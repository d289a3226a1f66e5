"""Pauli strings propagated backwards through a circuit of two-qubit blocks.

In the Heisenberg picture an observable is a sum of Pauli strings Σ c_P P, and a channel with the transfer matrix R (see
`transfer`) takes the row of coefficients c to c R. A block on two qubits mixes only strings that agree everywhere else, so
these are brought together by a hash of that rest, and one matrix product does all of them. Coefficients that fall below a
threshold are dropped, with an account of what was dropped (T. Begušić, J. Gray, G. Chan, Science Advances 10, eadk4321,
2024). Noise makes this cheap: every layer damps a string by its weight.

A letter is two bits, I X Y Z in this order, 32 of them in a word of 64 bits. Strings of several observables are
propagated together and told apart by a label, which is part of the hash. Plain NumPy does a step in some 0.1 ms and 0.15 µs
a string; `pauli-prop` has no relaxation and `bloqade-ppvm` takes gate after gate where a block takes them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import Block
from .progress import progress
from .transfer import Matrix

Words = NDArray[np.uint64]
Indices = NDArray[np.int64]

LETTERS_PER_WORD = 32
_LETTER = np.uint64(3)
_LOW_BITS = np.uint64(0x5555_5555_5555_5555)
_KEYS_SEED = 2024
_LEAST_ROOM = 1024
_SMALL = 0.02  # an entry beside the permutation of a Clifford gate: its relaxation

_STEPS_BETWEEN_LINES = 16

# Seconds of the reference machine, see `machine`.
_PER_STEP = 8e-5
_PER_STRING_LOOKED_AT = 1.5e-9
_PER_STRING_CHANGED = 1.5e-7


class OutOfRoom(Exception):
    """The sum would have more strings than it may."""

    def __init__(self) -> None:
        super().__init__("there is no room for its Pauli strings")


class OutOfTime(Exception):
    """The propagation has not come to its end in the time that it may take."""

    def __init__(self) -> None:
        super().__init__("its Pauli strings become too many for the time that there is")


@dataclass(frozen=True, slots=True, eq=False)
class Strings:
    """Pauli strings with their coefficients; ``words`` has shape (words, strings), the others (strings,)."""

    words: Words
    coefficients: Matrix
    labels: Indices


@dataclass(frozen=True, slots=True, eq=False)
class Propagated:
    """The value of each label in the state |0…0⟩, and what was dropped on the way; shape (labels,) each.

    ``dropped`` sums the absolute values of the coefficients that were dropped, which bounds the error. ``squares`` sums their
    squares, damped from then on as the strings of the label that were kept. ``work`` is in seconds of the reference
    machine, the same wherever it is done.
    """

    values: Matrix
    dropped: Matrix
    squares: Matrix
    most_strings: int
    work: float

    def plus(self, other: Propagated) -> Propagated:
        """The sum of two parts of the same labels."""
        return Propagated(
            self.values + other.values,
            self.dropped + other.dropped,
            self.squares + other.squares,
            max(self.most_strings, other.most_strings),
            self.work + other.work,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A block, ready to be applied. A Clifford gate only moves strings, and relaxation adds a little ``beside``."""

    qubits: tuple[int, int]
    matrix: Matrix
    moves: Indices | None  # the pair of letters that each pair becomes; None if the block branches
    factors: Matrix  # of the coefficients, where it moves
    beside: Matrix


def steps_of(blocks: Sequence[Block]) -> list[Step]:
    """The blocks of a circuit in the order in which they are applied: the last one first."""
    return [_step(block) for block in reversed(blocks)]


def _step(block: Block) -> Step:
    rows, moves = np.arange(16), np.argmax(np.abs(block.matrix), axis=1)
    beside = block.matrix.copy()
    beside[rows, moves] = 0.0
    clifford = len(np.unique(moves)) == 16 and bool((np.abs(beside) < _SMALL).all())
    return Step(block.qubits, block.matrix, moves if clifford else None, block.matrix[rows, moves], beside)


@dataclass(frozen=True, slots=True, eq=False)
class _Changed:
    """The strings that a step leaves of those that it acts on, and what its account needs.

    ``sources`` says which of the old ones each agrees with outside the step's qubits, ``pairs`` its letters there. ``before``
    are the coefficients that the step began with and ``whole`` those that it led to before any was dropped, a row a group
    of strings that agree elsewhere; ``labels`` are those of the rows.
    """

    sources: Indices
    pairs: Indices
    coefficients: Matrix
    labels: Indices
    before: Matrix
    whole: Matrix


class PauliSum:
    """Strings of several labels on the way through a circuit, backwards. Strings that became empty stay until cleaned up."""

    def __init__(self, n_qubits: int, strings: Strings, n_labels: int, threshold: float, most_strings: int) -> None:
        generator = np.random.default_rng(_KEYS_SEED)
        self.n_labels, self.threshold, self.most_strings = n_labels, threshold, most_strings
        self._keys = generator.integers(0, 1 << 64, (n_qubits, 4), np.uint64)
        self._keys[:, 0] = 0
        self._label_keys = generator.integers(0, 1 << 64, n_labels, np.uint64)
        self.constants, self.dropped, self.squares = (np.zeros(n_labels) for _ in range(3))
        self._norms = sums(strings.labels, strings.coefficients**2, n_labels)
        self.work = 0.0
        self.count = self.peak = len(strings.coefficients)
        self._empty = 0
        self._merged = max(self.count, _LEAST_ROOM)
        self._words, self._coefficients, self._labels = strings.words, strings.coefficients, strings.labels
        self._hashes = self._label_keys[strings.labels]
        self._touched = set[int]()
        for qubit in range(n_qubits):
            letters = self._letters(qubit, slice(0, self.count))
            if letters.any():
                self._touched.add(qubit)
                self._hashes ^= self._keys[qubit][letters]

    def apply(self, step: Step) -> None:
        """One block further.

        Raises:
            OutOfRoom: there would be too many strings.
        """
        if self._touched.isdisjoint(step.qubits):
            return
        where = self._supported(*step.qubits)
        self.work += _PER_STEP + _PER_STRING_LOOKED_AT * self.count + _PER_STRING_CHANGED * len(where)
        if len(where) == 0:
            return
        self._touched.update(step.qubits)
        first, second = step.qubits
        pairs = ((self._letters(first, where) << np.uint64(2)) | self._letters(second, where)).astype(np.int64)
        keys = (self._keys[first][:, np.newaxis] ^ self._keys[second]).ravel()
        rest = self._hashes.take(where) ^ keys.take(pairs)
        if step.moves is None:
            changed = self._mixed(step, where, pairs, rest)
        else:
            changed = self._moved(step, step.moves, where, pairs)
        old = where.take(changed.sources)
        labels = self._labels.take(old)
        self._account(changed, labels)
        self._replace(step.qubits, where, old, labels, changed, rest.take(changed.sources), keys)

    def values(self) -> Matrix:
        """The mean of each label in the state |0…0⟩: the strings of I and Z alone count, in whose letters both bits agree."""
        live = self._words[:, : self.count]
        plain = ~((live ^ (live >> np.uint64(1))) & _LOW_BITS).any(axis=0) & live.any(axis=0)
        diagonal = np.flatnonzero(plain)
        return self.constants + sums(self._labels[diagonal], self._coefficients[diagonal], self.n_labels)

    def _letters(self, qubit: int, where: slice | Indices) -> Words:
        word, place = divmod(qubit, LETTERS_PER_WORD)
        return (self._words[word][where] >> np.uint64(2 * place)) & _LETTER

    def _supported(self, first: int, second: int) -> Indices:
        """The strings that have a letter on either qubit."""
        (word, place), (other, further) = divmod(first, LETTERS_PER_WORD), divmod(second, LETTERS_PER_WORD)
        mask, beyond = np.uint64(3 << 2 * place), np.uint64(3 << 2 * further)
        live = self._words[:, : self.count]
        return np.flatnonzero(
            live[word] & (mask | beyond) if word == other else (live[word] & mask) | (live[other] & beyond)
        )

    def _mixed(self, step: Step, where: Indices, pairs: Indices, rest: Words) -> _Changed:
        """What a block leaves that branches: strings that agree elsewhere form a group, and one product does all groups."""
        order = np.argsort(rest)
        ordered = rest[order]
        begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        groups = np.empty(len(order), np.int64)
        groups[order] = np.cumsum(begins) - 1
        leaders = order[begins]
        before = sums(groups * 16 + pairs, self._coefficients.take(where), 16 * len(leaders)).reshape(-1, 16)
        return self._kept(leaders, self._labels.take(where.take(leaders)), before, before @ step.matrix)

    def _moved(self, step: Step, moves: Indices, where: Indices, pairs: Indices) -> _Changed:
        """What a Clifford gate leaves."""
        coefficients, rows = self._coefficients.take(where), np.arange(len(where))
        whole = coefficients[:, np.newaxis] * step.beside[pairs]
        whole[rows, moves[pairs]] = coefficients * step.factors[pairs]
        return self._kept(rows, self._labels.take(where), coefficients[:, np.newaxis], whole)

    def _kept(self, leaders: Indices, labels: Indices, before: Matrix, whole: Matrix) -> _Changed:
        """What is over the threshold of the rows of groups with these leaders."""
        flat = whole.ravel()
        large = np.flatnonzero(np.abs(flat) > self.threshold)
        return _Changed(leaders.take(large >> 4), large & 15, flat.take(large), labels, before, whole)

    def _account(self, changed: _Changed, of_kept: Indices) -> None:
        """What is dropped, and by how much the step damps the norm of a label: it damps what was dropped before as well."""
        of_rows = changed.labels
        before = self._by_label(of_rows, np.einsum("gp,gp->g", changed.before, changed.before))
        after = self._by_label(of_rows, np.einsum("gp,gp->g", changed.whole, changed.whole))
        size = np.abs(changed.coefficients)
        lost = self._by_label(of_rows, np.abs(changed.whole).sum(axis=1)) - self._by_label(of_kept, size)
        squares = (after - self._by_label(of_kept, size * size)).clip(0.0)
        untouched = (self._norms - before).clip(0.0)
        norms = untouched + before
        damping = np.divide(untouched + after, norms, out=np.ones_like(norms), where=norms > 0)
        self.squares = self.squares * damping.clip(0.0, 1.0) + squares
        self.dropped += lost.clip(0.0)
        self._norms = untouched + after - squares

    def _by_label(self, labels: Indices, weights: Matrix) -> Matrix:
        return np.array([weights.sum()]) if self.n_labels == 1 else sums(labels, weights, self.n_labels)

    def _replace(
        self,
        qubits: tuple[int, int],
        where: Indices,
        old: Indices,
        labels: Indices,
        changed: _Changed,
        hashes: Words,
        keys: Words,
    ) -> None:
        """Write the new strings over the old ones, what is more of them behind all, and add up those without a letter."""
        pairs, coefficients = changed.pairs, changed.coefficients
        blank = (pairs == 0) & (hashes == self._label_keys.take(labels))
        if blank.any():
            self.constants += sums(labels[blank], coefficients[blank], self.n_labels)
            kept = ~blank
            old, pairs, coefficients, labels, hashes = (a[kept] for a in (old, pairs, coefficients, labels, hashes))
        words = self._words.take(old, axis=1)
        for qubit, letters in zip(qubits, (pairs >> 2, pairs & 3), strict=True):
            word, place = divmod(qubit, LETTERS_PER_WORD)
            words[word] &= ~np.uint64(3 << 2 * place)
            words[word] |= letters.astype(np.uint64) << np.uint64(2 * place)
        more = max(0, len(pairs) - len(where))
        self._make_room(more)
        places = np.concatenate([where[: len(pairs)], np.arange(self.count, self.count + more)])
        self._words[:, places] = words
        self._coefficients[places], self._labels[places], self._hashes[places] = (
            coefficients,
            labels,
            hashes ^ keys.take(pairs),
        )
        self._words[:, where[len(pairs) :]] = 0
        self._empty += max(0, len(where) - len(pairs))
        self.count += more
        self.peak = max(self.peak, self.count - self._empty)
        self._clean()

    def _make_room(self, more: int) -> None:
        needed = self.count + more
        if needed - self._empty > self.most_strings:
            raise OutOfRoom
        if needed > len(self._coefficients):
            room = max(_LEAST_ROOM, needed * 3 // 2)
            self._words, self._coefficients, self._labels, self._hashes = (
                _widened(column, self.count, room) for column in self._columns()
            )

    def _columns(self) -> tuple[Words, Matrix, Indices, Words]:
        return self._words, self._coefficients, self._labels, self._hashes

    def _clean(self) -> None:
        if self.count - self._empty > 2 * self._merged:
            self._merge()
        elif self._empty > max(self.count // 4, _LEAST_ROOM):
            self._keep(np.flatnonzero(self._words[:, : self.count].any(axis=0)))

    def _merge(self) -> None:
        """Add up equal strings, which relaxation leaves behind: a block only finds those that it acts on."""
        self._keep(np.flatnonzero(self._words[:, : self.count].any(axis=0)))
        order = np.argsort(self._hashes[: self.count])
        ordered = self._hashes[order]
        begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        totals = np.add.reduceat(self._coefficients[order], begins)
        self._keep(order[begins])
        self._coefficients[: self.count] = totals
        self._merged = max(self.count, _LEAST_ROOM)

    def _keep(self, which: Indices) -> None:
        for column in self._columns():
            column[..., : len(which)] = column[..., which]
        self.count, self._empty = len(which), 0


def sums(places: Indices, weights: Matrix, size: int) -> Matrix:
    """The sums of the weights that have the same place; shape (size,)."""
    found: NDArray[Any] = np.bincount(places, weights, size)
    return found


def _widened(column: NDArray[Any], count: int, room: int) -> NDArray[Any]:
    wider = np.empty((*column.shape[:-1], room), column.dtype)
    wider[..., :count] = column[..., :count]
    return wider


def propagate(
    n_qubits: int,
    steps: Sequence[Step],
    strings: Strings,
    n_labels: int,
    *,
    threshold: float,
    most_strings: int,
    deadline: float,
) -> Propagated:
    """The values of the labels behind all steps.

    Raises:
        OutOfRoom, OutOfTime
    """
    state = PauliSum(n_qubits, strings, n_labels, threshold, most_strings)
    for index, step in enumerate(steps):
        if perf_counter() > deadline:
            raise OutOfTime
        state.apply(step)
        if not index % _STEPS_BETWEEN_LINES:
            progress().works(f"{state.count:,} Pauli strings above {threshold:.1g}, block {index:,} of {len(steps):,}")
    return Propagated(state.values(), state.dropped, state.squares, state.peak, state.work)
