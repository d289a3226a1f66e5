"""Expectation values of observables, as the device would measure them.

Terms that can be read from the same measurement (letters agree on every qubit that both use) form a group. A group is
measured by turning its qubits to its basis with the device's own gates, whose errors count as on the device, and reading
them. Without a number of shots the expectation over that reading is computed exactly: what infinitely many shots would give.
"""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from qumulus.core.programs import Limits
from qumulus.core.results import Severity

from . import scatter
from .bases import Basis, Evolution, Evolved, in_basis
from .choice import Chosen, choose
from .circuits import ActiveCircuit, scan
from .devices import DeviceModel
from .errors import GaveUp, ProgramError, Refused
from .meter import meter
from .reports import combined
from .seeds import Seed, extend
from .sharing import BASES, SETS, Part, parts
from .steps import Binding
from .tasks import Means, Task, Weights

Observable = Mapping[str, float]
"""Coefficients of strings of letters in Qiskit's order, qubit 0 last. Letters: I, X, Y, Z and the projectors 0 1 + - r l."""

_BASIS = {"X": "X", "+": "X", "-": "X", "Y": "Y", "r": "Y", "l": "Y", "Z": "Z", "0": "Z", "1": "Z"}
_WEIGHTS = {
    **dict.fromkeys("XYZ", np.array([1.0, -1.0])),
    **dict.fromkeys("0+r", np.array([1.0, 0.0])),
    **dict.fromkeys("1-l", np.array([0.0, 1.0])),
}
_CODES, _ALL = {"X": 1, "Y": 2, "Z": 3}, 3
_LEAST_BUDGET = 0.25  # seconds of a run: what takes less is done exactly, however many runs there are


@dataclass(frozen=True, slots=True, eq=False)
class Expectations:
    """One value for each observable, with its standard error over the shots: 0 where it is exact."""

    values: NDArray[np.float64]
    standard_errors: NDArray[np.float64]
    shots: int | None
    metadata: Mapping[str, Any]


def shots_for(precision: float) -> int | None:
    """How many shots give an observable of norm one this standard error: 1/ε². A precision of 0 asks for no shots: exact.

    Raises:
        ProgramError: the precision is negative.
    """
    if precision < 0:
        raise ProgramError(
            f"A precision of {precision} is not possible: give a positive one, or 0 for the exact value."
        )
    return ceil(1.0 / precision**2) if precision else None


def expectation(
    circuit: QuantumCircuit,
    observables: Sequence[Observable],
    model: DeviceModel,
    *,
    shots: int | None,
    seed: Seed = 0,
    method: str = "auto",
    limits: Limits | None = None,
    binding: Binding | None = None,
) -> Expectations:
    """Expectation values of observables in the state that a circuit prepares on a device.

    Args:
        circuit: as the device takes it, or any circuit on the ideal simulator.
        observables: on the circuit's qubits; letters beyond those that a string names are I.
        model: the device with its calibration.
        shots: of each group of terms; None computes the exact values.
        seed: the job's seed, or its path to this unit of work.
        method: as in `sampling.sample`.
        limits: what the run may use.
        binding: values of the circuit's parameters.

    Raises:
        ProgramError: an observable does not fit the circuit, or the circuit does not fit the device.
        Refused: it is over a limit.
    """
    case = (binding or {}, observables)
    (result,) = expectation_sweep(circuit, [case], model, shots=shots, seed=seed, method=method, limits=limits)
    return result


def expectation_sweep(
    circuit: QuantumCircuit,
    cases: Sequence[tuple[Binding, Sequence[Observable]]],
    model: DeviceModel,
    *,
    shots: int | None,
    seed: Seed = 0,
    method: str = "auto",
    limits: Limits | None = None,
) -> list[Expectations]:
    """The same for several sets of parameter values, each with its observables; the circuit is read once a basis.

    Raises:
        ProgramError, Refused: as `expectation`.
    """
    terms = [[terms_of(observable, circuit.num_qubits) for observable in observables] for _, observables in cases]
    wanted = [(binding, found) for (binding, _), found in zip(cases, terms, strict=True)]
    results = []
    for found, measured in zip(
        terms, measure_terms(circuit, wanted, model, shots=shots, seed=seed, method=method, limits=limits), strict=True
    ):
        values, variances = _constants(found), np.zeros(len(found))
        for group in measured.groups:
            coefficients = np.array([[observable.get(term, 0.0) for term in group.terms] for observable in found])
            values += coefficients @ group.means
            variances += np.einsum("ot,tu,ou->o", coefficients, group.covariance, coefficients)
        results.append(Expectations(values, np.sqrt(variances.clip(0.0)), shots, measured.metadata))
    return results


Letters = tuple[tuple[int, str], ...]
"""A term of an observable: (qubit, letter), ascending, without I; () is the identity."""

Sums = Sequence[Mapping[Letters, float]]
"""Observables by the coefficients of their terms."""


Uses = Mapping[Letters, Sequence[tuple[int, float]]]
"""For each term the observables that it belongs to, by their index, with its coefficients."""


def terms_in(sums: Sums) -> list[Letters]:
    """The different terms of observables, without the identity, in their order."""
    return list(dict.fromkeys(letters for each in sums for letters in each if letters))


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Terms that one measurement read: their means, and the covariance of the means, shape (terms, terms)."""

    terms: list[Letters]
    means: NDArray[np.float64]
    covariance: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The terms that were asked for, without the identity, by the groups that were measured together."""

    groups: list[Group]
    metadata: Mapping[str, Any]

    def part(self) -> Part:
        """Return the same for another process, which knows the terms."""
        arrays = {f"means {g}": group.means for g, group in enumerate(self.groups)}
        arrays |= {f"covariance {g}": group.covariance for g, group in enumerate(self.groups)}
        return Part(self.metadata, arrays)

    @classmethod
    def of(cls, part: Part, terms: Iterable[Letters]) -> Measured:
        """Return what another process has measured of these terms."""
        groups = [
            Group(members, part.arrays[f"means {g}"], part.arrays[f"covariance {g}"])
            for g, (_, members) in enumerate(read_together(terms))
        ]
        return cls(groups, part.members)


def measure_terms(
    circuit: QuantumCircuit,
    cases: Sequence[tuple[Binding, Sums]],
    model: DeviceModel,
    *,
    shots: int | None,
    seed: Seed = 0,
    method: str = "auto",
    limits: Limits | None = None,
) -> list[Measured]:
    """The means of the terms of observables for several sets of parameter values.

    Raises:
        ProgramError, Refused: as `expectation`.
    """
    reader = _Reader(circuit, model, shots, method, limits or Limits(), len(cases))
    wanted = [terms_in(sums) for _, sums in cases]
    found: dict[int, Measured] = {}

    def measured(k: int) -> Part:
        found[k] = reader.case(k, *cases[k], seed)
        return found[k].part()

    shared = parts(len(cases), measured, SETS)
    return [found.get(k) or Measured.of(part, wanted[k]) for k, part in enumerate(shared)]


@dataclass(eq=False)
class _Reader:
    """Reads the terms of one circuit for several sets of parameter values; each basis is scanned once."""

    circuit: QuantumCircuit
    model: DeviceModel
    shots: int | None
    method: str
    limits: Limits
    n_cases: int
    _evolution: Evolution = field(init=False)
    _scanned: dict[tuple[tuple[int, str], ...], tuple[QuantumCircuit, ActiveCircuit]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._evolution = Evolution(self.circuit, self.model)

    def case(self, k: int, binding: Binding, sums: Sums, seed: Seed) -> Measured:
        """The terms for one set of values: from one evolution of which all bases are read, or basis by basis."""
        start, runs = perf_counter(), list[Mapping[str, Any]]()
        together, uses = read_together(terms_in(sums)), _uses(sums)
        groups, tried, evolved = dict[int, Group](), dict[int, Chosen](), None
        for g, (basis, members) in enumerate(together if len(together) > 1 else []):
            if evolved is None:
                chosen = self._chosen(basis, members, binding, uses, 1)
                evolved = self._evolved([each for each, _ in together[g:]], chosen, self.n_cases - k)
                if evolved is None and (self._evolution.applies(chosen) or chosen.at_last):
                    break
                if evolved is None:
                    tried[g] = chosen
                runs += [evolved.metadata] if evolved else []
            if evolved is not None and (found := self._of_evolved(evolved, basis, members, extend(seed, k, g))):
                groups[g] = found
        left = [g for g in range(len(together)) if g not in groups]

        def alone(index: int) -> Part:
            g = left[index]
            basis, members = together[g]
            chosen = tried.get(g) or self._chosen(basis, members, binding, uses, len(together))
            chosen.check(len(together) * (self.n_cases - k) - g)
            group, metadata = self._alone(chosen, members, extend(seed, k, g))
            return Part(metadata, {"means": group.means, "covariance": group.covariance})

        for g, part in zip(left, parts(len(left), alone, BASES), strict=True):
            groups[g] = Group(together[g][1], part.arrays["means"], part.arrays["covariance"])
            runs.append(part.members)
        ordered = [groups[g] for g in range(len(together))]
        return Measured(ordered, {**combined(runs), "seed": extend(seed)[0], "seconds": perf_counter() - start})

    def _turned(self, basis: Basis) -> tuple[QuantumCircuit, ActiveCircuit]:
        key = tuple(sorted(basis.items()))
        if key not in self._scanned:
            turned = in_basis(self.circuit, basis, self.model)
            self._scanned[key] = (turned, scan(turned, self.model, ignored=self.circuit.clbits))
        return self._scanned[key]

    def _chosen(self, basis: Basis, members: Sequence[Letters], binding: Binding, uses: Uses, runs: int) -> Chosen:
        """The methods for one basis, of so many that share the time of a set of values."""
        turned, active = self._turned(basis)
        place = {active.physical[qubit]: qubit for qubit in active.terminal}
        weights = [{place[qubit]: _WEIGHTS[letter] for qubit, letter in letters} for letters in members]
        budget = max(self.limits.pub_budget / (runs * self.n_cases), _LEAST_BUDGET)
        task = Task(
            active,
            turned,
            self.shots or 0,
            self.limits,
            binding,
            terms=weights,
            sums=_rows(uses, members),
            budget=budget,
        )
        return choose(task, self.method, exact_values=self.shots is None)

    def _evolved(self, bases: Sequence[Basis], chosen: Chosen, runs: int) -> Evolved | None:
        if not self._evolution.applies(chosen):
            return None
        try:
            return self._evolution.run(bases, chosen, runs)
        except (ProgramError, Refused, MemoryError):
            raise
        except Exception as mistake:  # of ours: each basis is run by itself, and the job keeps what it has
            meter().log("".join(traceback.format_exception(mistake)), Severity.DEBUG)
            return None

    def _of_evolved(self, evolved: Evolved, basis: Basis, members: list[Letters], path: Seed) -> Group | None:
        """The terms of one basis from the state that all share; None if it is not accurate enough to draw shots."""
        weights = [{qubit: _WEIGHTS[letter] for qubit, letter in letters} for letters in members]
        if self.shots is None:
            return Group(members, evolved.expect(basis, weights), np.zeros((len(members), len(members))))
        try:
            read, qubits = evolved.sample(basis, self.shots, path)
        except GaveUp:
            return None
        return Group(members, *_statistics(read, qubits, weights))

    def _alone(self, chosen: Chosen, members: list[Letters], path: Seed) -> tuple[Group, dict[str, Any]]:
        """The terms of one basis by itself, and how they came about."""
        weights, active = chosen.task.terms, chosen.task.active
        if self.shots is None:
            means, metadata = chosen.expect(weights)
            return Group(members, means, np.zeros((len(members), len(members)))), metadata
        drawn, metadata = chosen.read(weights, path)
        if isinstance(drawn, Means):
            return Group(
                members, *scatter.scattered(drawn.values, weights, self.shots, path, drawn.covariance)
            ), metadata
        read = drawn.memory[:, list(active.terminal.values())]
        return Group(members, *_statistics(read, list(active.terminal), weights)), metadata


def _uses(sums: Sums) -> Uses:
    found = defaultdict[Letters, list[tuple[int, float]]](list)
    for index, each in enumerate(sums):
        for letters, coefficient in each.items():
            if letters and coefficient:
                found[letters].append((index, coefficient))
    return found


def _rows(uses: Uses, members: Sequence[Letters]) -> list[dict[int, float]]:
    """The part of each observable that one basis reads, by the places of its terms, where that is more than one term."""
    rows = defaultdict[int, dict[int, float]](dict)
    for place, letters in enumerate(members):
        for index, coefficient in uses.get(letters, ()):
            rows[index][place] = coefficient
    return [row for row in rows.values() if len(row) > 1]


def terms_of(observable: Observable, n_qubits: int) -> dict[Letters, float]:
    """The terms of an observable with their coefficients.

    Raises:
        ProgramError: it has other letters, more of them than qubits, or a coefficient that is not real.
    """
    terms = dict[Letters, float]()
    for string, coefficient in observable.items():
        letters = tuple((qubit, letter) for qubit, letter in enumerate(reversed(string)) if letter != "I")
        unknown = {letter for _, letter in letters} - _BASIS.keys()
        if unknown or len(string) > n_qubits:
            raise ProgramError(
                f"The observable {string[:80]!r} does not fit a circuit of {n_qubits} qubits: give one letter a qubit, "
                "of I, X, Y, Z, 0, 1, +, -, r and l."
            )
        if abs(complex(coefficient).imag) > 0:
            raise ProgramError("An observable has real coefficients.")
        terms[letters] = terms.get(letters, 0.0) + complex(coefficient).real
    return terms


def _constants(terms: Sequence[Mapping[Letters, float]]) -> NDArray[np.float64]:
    """The coefficients of the identity."""
    return np.array([observable.get((), 0.0) for observable in terms])


def read_together(terms: Iterable[Letters]) -> list[tuple[dict[int, str], list[Letters]]]:
    """Each term into the first group whose basis agrees with it: the bases, and the terms that they read."""
    groups = list[tuple[dict[int, str], list[Letters]]]()
    known = list[
        tuple[int, int]
    ]()  # two bits a qubit: those that a basis turns, and how; to compare all qubits at once
    for letters in filter(None, terms):
        wanted = {qubit: _BASIS[letter] for qubit, letter in letters}
        turned = sum(_ALL << 2 * qubit for qubit in wanted)
        how = sum(_CODES[letter] << 2 * qubit for qubit, letter in wanted.items())
        for index, (others, theirs) in enumerate(known):
            if not (how ^ theirs) & turned & others:
                groups[index][0].update(wanted)
                groups[index][1].append(letters)
                known[index] = others | turned, theirs | how
                break
        else:
            groups.append((wanted, [letters]))
            known.append((turned, how))
    return groups


def _statistics(
    memory: NDArray[np.uint8], qubits: Sequence[int], weights: Sequence[Weights]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The means of the terms over the shots, and the covariance of these means; shapes (terms,) and (terms, terms)."""
    outcomes, counts = np.unique(memory, axis=0, return_counts=True)
    shots, column = len(memory), {qubit: index for index, qubit in enumerate(qubits)}
    readings = np.ones((len(weights), len(outcomes)))
    for row, term in zip(readings, weights, strict=True):
        for qubit, weight in term.items():
            row *= weight[outcomes[:, column[qubit]]]
    means = readings @ counts / shots
    return means, ((readings * counts) @ readings.T / shots - np.outer(means, means)) / shots
