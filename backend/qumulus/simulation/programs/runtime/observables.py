"""Observables as the client writes them: nested lists of {string of letters: coefficient}."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qumulus.payloads.runtime_errors import WRONG_WIDTH
from qumulus.simulation.expectation import Letters, terms_of

from .failures import invalid, objection
from .wire import typed

Terms = dict[Letters, float]

MOST_EXPANDED = 12
"""Projectors in one term that is written in Paulis, each of which doubles the number of terms."""

_PROJECTORS = {"0": ("Z", 1), "1": ("Z", -1), "+": ("X", 1), "-": ("X", -1), "r": ("Y", 1), "l": ("Y", -1)}
"""A projector as (I ± Pauli) / 2."""


def observables(value: object, n_qubits: int) -> NDArray[np.object_]:
    """The array of observables, each as its terms; shape () for a single one.

    Raises:
        ProgramError: it is not an array of observables on that many qubits.
    """
    shape, flat = _flattened(_content(value))
    if len(flat) != prod(shape):
        raise invalid("The observables are not an array: their rows differ in length.")
    array = np.empty(len(flat), object)
    for index, observable in enumerate(flat):
        array[index] = _terms(observable, n_qubits)
    return array.reshape(shape)


def width(value: object) -> int:
    """The number of qubits of the first observable; 0 where it has none."""
    _, flat = _flattened(_content(value))
    first = flat[0] if flat else ""
    return len(first if isinstance(first, str) else next(iter(first), "")) if isinstance(first, str | Mapping) else 0


def in_paulis(terms: Terms) -> Terms:
    """The same observable without projectors.

    Raises:
        ProgramError: a term has so many projectors that it would become too long.
    """
    found: Terms = {}
    for letters, coefficient in terms.items():
        fixed = [(qubit, letter) for qubit, letter in letters if letter not in _PROJECTORS]
        projectors = [(qubit, *_PROJECTORS[letter]) for qubit, letter in letters if letter in _PROJECTORS]
        if len(projectors) > MOST_EXPANDED:
            raise invalid(
                f"A term has {len(projectors)} projectors; with measurement mitigation it may have {MOST_EXPANDED}. "
                "Turn measure_mitigation off for it, or write it in Paulis."
            )
        for chosen in product((False, True), repeat=len(projectors)):
            paulis = [(qubit, pauli) for use, (qubit, pauli, _) in zip(chosen, projectors, strict=True) if use]
            sign = prod(sign for use, (_, _, sign) in zip(chosen, projectors, strict=True) if use)
            key = tuple(sorted([*fixed, *paulis]))
            found[key] = found.get(key, 0.0) + coefficient * sign / 2 ** len(projectors)
    return found


def _content(value: object) -> object:
    return next((c for c in (typed(value, "ObservablesArray"), typed(value, "ndarray")) if c is not None), value)


def _flattened(content: Any) -> tuple[tuple[int, ...], list[Any]]:
    """The shape of nested lists and their members in row-major order."""
    shape, level = list[int](), [content]
    while level and isinstance(level[0], list):
        shape.append(len(level[0]))
        if not all(isinstance(row, list) and len(row) == shape[-1] for row in level):
            raise invalid("The observables are not an array: their rows differ in length.")
        level = [member for row in level for member in row]
    return tuple(shape), level


def _terms(observable: object, n_qubits: int) -> Terms:
    if isinstance(observable, str):
        observable = {observable: 1.0}
    if not isinstance(observable, Mapping) or not observable:
        raise invalid("An observable is an object of strings of letters with their coefficients.")
    for string in observable:
        if len(string) != n_qubits:
            raise objection(
                WRONG_WIDTH, n_qubits, len(string), detail="Apply the layout of the circuit to the observable."
            )
    return terms_of({string: _coefficient(value) for string, value in observable.items()}, n_qubits)


def _coefficient(value: object) -> Any:
    parts = typed(value, "complex")
    if isinstance(parts, list) and len(parts) == 2:
        value = complex(*parts)
    if isinstance(value, bool) or not isinstance(value, int | float | complex) or not np.isfinite(value):
        raise invalid("The coefficients of observables are finite numbers.")
    return value
