"""The operator of an estimation, and its expectation value with or without readout mitigation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qumulus.core.programs import Limits
from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.drifting import mean_of_terms, shots_of
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.expectation import Letters, in_basis, read_together, terms_of
from qumulus.simulation.reports import combined
from qumulus.simulation.seeds import extend
from qumulus.simulation.sharing import BASES, Part, parts

from .openqasm_mitigation import mitigate

MOST = 1e100  # of a coefficient: squares of their sums can still be told as numbers
_PAULI = re.compile(r"([IXYZ])\s*(\d{1,6})\s*")

Estimate = tuple[dict[str, float], Mapping[str, Any]]
"""`exp_value` and `stds`, and how they were found."""


def read_operator(items: Any, n_qubits: int) -> SparsePauliOp:
    """The operator of the input, as `X 0 Z 1` or `X0 Z1` with a number before each.

    Raises:
        ProgramError: it is not such a list, or names a qubit that the program has not.
    """
    if not isinstance(items, list) or not items:
        raise ProgramError("The input has no operator: send a list of objects with the members pauli and coeff.")
    terms = []
    for item in items:
        text, coefficient = (item.get("pauli"), item.get("coeff")) if isinstance(item, dict) else (None, None)
        if not isinstance(text, str) or isinstance(coefficient, bool) or not isinstance(coefficient, int | float):
            raise ProgramError("Each item of the operator needs a text pauli and a number coeff.")
        if not abs(coefficient) <= MOST:
            raise ProgramError(f"The coefficients of the operator are finite numbers, up to {MOST:g}: mend it.")
        terms.append((*_pauli(text, n_qubits), float(coefficient)))
    return SparsePauliOp.from_sparse_list(terms, num_qubits=n_qubits)


def _pauli(text: str, n_qubits: int) -> tuple[str, list[int]]:
    if text.strip() in ("", "I"):
        return "", []
    rest = text.strip()
    letters = _PAULI.findall(rest)
    if _PAULI.sub("", rest):
        raise ProgramError(f"{text[:60]!r} is no Pauli string: write it as 'X0 Z1', with a qubit after each letter.")
    qubits = [int(qubit) for _letter, qubit in letters]
    if beyond := [qubit for qubit in qubits if qubit >= n_qubits]:
        raise ProgramError(
            f"The Pauli string {text[:60]!r} names the qubit {beyond[0]}, and the program has the qubits 0 to"
            f" {n_qubits - 1}: mend it."
        )
    if twice := [qubit for qubit in qubits if qubits.count(qubit) > 1]:
        raise ProgramError(f"The Pauli string {text[:60]!r} names the qubit {twice[0]} twice: mend it.")
    return "".join(letter for letter, _qubit in letters), qubits


def estimate(
    circuit: QuantumCircuit,
    operator: SparsePauliOp,
    model: DeviceModel,
    mitigation: str,
    shots: int,
    seed: int,
    limits: Limits,
) -> Estimate:
    """The expectation value of ``operator`` after ``circuit``, with ``shots`` of each group of terms read together.

    Raises:
        ProgramError: an unknown mitigation, or more bits than it can take.
        Refused: over a limit by its estimate.
    """
    terms = {label: float(coefficient.real) for label, coefficient in operator.simplify(atol=0.0).to_list()}
    if mitigation != "none" and not model.ideal:
        return _mitigated(circuit, terms_of(terms, circuit.num_qubits), model, mitigation, shots, seed, limits)
    value, error, metadata = mean_of_terms(circuit, terms, model, shots=shots, seed=seed, limits=limits)
    return {"exp_value": value, "stds": error}, metadata


def _mitigated(
    circuit: QuantumCircuit,
    terms: Mapping[Letters, float],
    model: DeviceModel,
    method: str,
    shots: int,
    seed: int,
    limits: Limits,
) -> Estimate:
    """The same from the mitigated counts of each group; the standard error is that of these counts."""
    groups = read_together(terms)

    def measured(number: int) -> Part:
        basis, members = groups[number]
        turned = in_basis(circuit, basis, model)
        samples = shots_of(turned, model, shots=shots, seed=extend(seed, number), limits=limits)
        counts = mitigate(samples.counts(), turned, model, method)
        column = {qubit: bit for bit, qubit in enumerate(sorted(basis))}  # in the last register, bit 0 rightmost
        readings = [key.split(" ")[0][::-1] for key in counts]
        values = np.zeros(len(readings))
        for letters in members:
            signs = [(-1) ** sum(reading[column[qubit]] == "1" for qubit, _ in letters) for reading in readings]
            values += terms[letters] * np.array(signs)
        weights = np.array(list(counts.values())) / shots
        mean = float(values @ weights)
        return Part(samples.metadata, {"mean": np.array([mean, float((values - mean) ** 2 @ weights) / shots])})

    found = list(parts(len(groups), measured, BASES))
    value, variance = np.sum([part.arrays["mean"] for part in found] or [np.zeros(2)], axis=0)
    estimated = {"exp_value": float(value) + terms.get((), 0.0), "stds": float(np.sqrt(variance))}
    return estimated, {**combined([part.members for part in found]), "readout_mitigation": method}
