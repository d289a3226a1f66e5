"""Primitive unified blocs (pubs): a circuit with what to do with it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from math import inf, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import Parameter, ParameterExpression, QuantumCircuit, Qubit

from qumulus.payloads.runtime_errors import FIRST_VERSION

from . import circuits
from .failures import invalid, objection
from .isa import check_rzz
from .observables import observables, width
from .submission import Submission
from .wire import array

VERSION = 2
"""Of the primitives whose jobs are run."""

MOST_SETS = 1_000_000
"""Sets of parameter values in one pub."""


@dataclass(frozen=True, slots=True, eq=False)
class SamplerPub:
    """A circuit, its parameters' values with shape (*shape, parameters), and how many shots of each set."""

    circuit: QuantumCircuit
    values: NDArray[np.float64]
    shots: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the sets of values; () for a single one."""
        return self.values.shape[:-1]

    def bindings(self) -> list[dict[Parameter, float]]:
        """The values of the parameters, one mapping a set, in row-major order."""
        return bindings(self.circuit, self.values)

    def first_binding(self) -> dict[Parameter, float]:
        """The values of the first set; nothing where there is none."""
        return first_binding(self.circuit, self.values)

    def effort(self) -> Hashable:
        """What is equal for pubs that take equally long: gates of each kind, sets and shots."""
        return tuple(sorted(self.circuit.count_ops().items())), prod(self.shape), self.shots


@dataclass(frozen=True, slots=True, eq=False)
class EstimatorPub:
    """A circuit, observables, the parameters' values, and a precision; None where the pub names none.

    The shape of the pub is the one that observables and sets of values are broadcast to.
    """

    circuit: QuantumCircuit
    observables: NDArray[np.object_]
    values: NDArray[np.float64]
    precision: float | None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the expectation values."""
        return np.broadcast_shapes(self.observables.shape, self.values.shape[:-1])

    def bindings(self) -> list[dict[Parameter, float]]:
        """The values of the parameters, one mapping a set, in row-major order."""
        return bindings(self.circuit, self.values)

    def elements(self) -> dict[int, list[tuple[int, int]]]:
        """For each set of values: the observables to estimate with it, as (place in the result, flat index)."""
        shape = self.shape
        found: dict[int, list[tuple[int, int]]] = {}
        pairs = zip(_indices(self.values.shape[:-1], shape), _indices(self.observables.shape, shape), strict=True)
        for place, (row, observable) in enumerate(pairs):
            found.setdefault(row, []).append((place, observable))
        return found


def _indices(shape: tuple[int, ...], target: tuple[int, ...]) -> list[int]:
    return np.broadcast_to(np.arange(prod(shape)).reshape(shape), target).ravel().tolist()


def sampler_pubs(submission: Submission, default_shots: int) -> Iterator[SamplerPub]:
    """The pubs of a sampler, checked against the device.

    The shots that the job names for all its pubs go before ``default_shots``, which the options give.

    Raises:
        ProgramError: a pub is malformed or does not fit the device.
    """
    of_the_job = submission.params.get("shots")
    for index, pub in enumerate(_members(submission)):
        circuit, values, shots, *rest = [*pub, *[None] * (3 - len(pub))]
        if rest:
            raise invalid(f"Pub {index} has more than three members: send [circuit, parameter values, shots].")
        loaded, sets = checked_circuit(submission, circuit, values)
        shots = of_the_job if shots is None else shots
        if shots is not None and (not isinstance(shots, int) or isinstance(shots, bool) or shots < 1):
            raise invalid(f"Pub {index} asks for {str(shots)[:40]} shots: send a positive integer.")
        yield SamplerPub(loaded, sets, default_shots if shots is None else shots)


def estimator_pubs(submission: Submission) -> Iterator[EstimatorPub]:
    """The pubs of an estimator, checked against the device.

    The precision that the job names holds for all its pubs without one.

    Raises:
        ProgramError: a pub is malformed or does not fit the device.
    """
    for index, pub in enumerate(_members(submission)):
        circuit, observed, values, precision, *rest = [*pub, *[None] * (4 - len(pub))]
        if rest:
            raise invalid(
                f"Pub {index} has more than four members: send [circuit, observables, parameter values, precision]."
            )
        precision = submission.params.get("precision") if precision is None else precision
        if precision is not None and not (isinstance(precision, int | float) and 0 <= precision < inf):
            raise invalid(
                f"Pub {index} asks for the precision {str(precision)[:40]}: send a number, 0 for exact values."
            )
        loaded, sets = checked_circuit(submission, circuit, values)
        if submission.service is not None:
            submission.service.static(loaded)
        if isinstance(circuit, str):
            loaded = _widened(loaded, width(observed), submission)
        array = observables(observed, loaded.num_qubits)
        try:
            shape = np.broadcast_shapes(array.shape, sets.shape[:-1])
        except ValueError as error:
            raise invalid(
                f"The observables of pub {index} have the shape {array.shape} and its parameter values {sets.shape[:-1]}: "
                "they cannot be broadcast together."
            ) from error
        if prod(shape) > MOST_SETS:
            raise invalid(f"A pub may have {MOST_SETS} expectation values; pub {index} has {prod(shape)}.")
        yield EstimatorPub(loaded, array, sets, precision)


def _widened(circuit: QuantumCircuit, width: int, submission: Submission) -> QuantumCircuit:
    """The circuit of an OpenQASM text, on the whole device where its observables are as wide.

    The text names the device's own qubits, and no more of them than it uses.
    """
    if width == circuit.num_qubits or width != submission.model.n_qubits:
        return circuit
    whole = QuantumCircuit([Qubit() for _ in range(width)], circuit.clbits, *circuit.cregs)
    whole.compose(circuit, range(circuit.num_qubits), circuit.clbits, inplace=True)
    return whole


def checked_circuit(
    submission: Submission, circuit: object, values: object
) -> tuple[QuantumCircuit, NDArray[np.float64]]:
    """The circuit of a pub with its parameters' values, both checked against the device.

    Raises:
        ProgramError: either is malformed or does not fit.
    """
    loaded = circuits.circuit(circuit, submission.allowance, submission.limits)
    if submission.service is not None:
        submission.service.dynamic(loaded)
    angles = submission.instructions.check(loaded)
    sets = _values(values, loaded, submission)
    if angles:
        check_angles(angles, bindings(loaded, sets))
    return loaded, sets


def bindings(circuit: QuantumCircuit, values: NDArray[np.float64]) -> list[dict[Parameter, float]]:
    """Values of shape (…, parameters) as one mapping a set, in row-major order."""
    parameters = tuple(circuit.parameters)
    rows = values.reshape(prod(values.shape[:-1]), len(parameters))
    return [dict(zip(parameters, row, strict=True)) for row in rows.tolist()]


def first_binding(circuit: QuantumCircuit, values: NDArray[np.float64]) -> dict[Parameter, float]:
    """The first of the values of shape (…, parameters) as a mapping; nothing where there is none."""
    rows = values.reshape(prod(values.shape[:-1]), values.shape[-1])
    return dict(zip(circuit.parameters, rows[0].tolist(), strict=True)) if len(rows) else {}


def _members(submission: Submission) -> list[list[Any]]:
    pubs, version = submission.params.get("pubs"), submission.params.get("version", VERSION)
    if (pubs is None and "circuits" in submission.params) or version == 1:
        raise objection(FIRST_VERSION)
    if str(version) != str(VERSION):
        raise invalid(f"There is no version {str(version)[:20]!r} of the primitives: send {VERSION}.")
    if not isinstance(pubs, list) or not pubs:
        raise invalid("The job has no pubs: send a list with at least one.")
    if not all(isinstance(pub, list) and pub for pub in pubs):
        raise invalid("A pub is a list that begins with a circuit.")
    return pubs


def _values(given: object, circuit: QuantumCircuit, submission: Submission) -> NDArray[np.float64]:
    """The values with shape (*shape, parameters); one set may come without the last axis if there is one parameter."""
    parameters = tuple(circuit.parameters)
    if isinstance(given, Mapping) and "__type__" not in given:
        given = _by_name(given, parameters)
    numbers = array([] if given is None else given, submission.allowance, "array of parameter values")
    if numbers.dtype.kind == "c":
        raise invalid("The values of parameters are real numbers.")
    if numbers.size == 0 and not parameters and numbers.ndim <= 1:
        return np.zeros((0,))
    if numbers.ndim == 0 or numbers.shape[-1] != len(parameters):
        if len(parameters) != 1:
            raise invalid(
                f"The circuit has {len(parameters)} parameters and the array of their values the shape {numbers.shape}: "
                "its last axis runs over the parameters."
            )
        numbers = numbers[..., np.newaxis]
    if prod(numbers.shape[:-1]) > MOST_SETS:
        raise invalid(f"A pub may have {MOST_SETS} sets of parameter values; this one has the shape {numbers.shape}.")
    if not np.isfinite(numbers).all():
        raise invalid("The values of parameters are finite numbers.")
    return numbers.astype(np.float64)


def _by_name(given: Mapping[str, Any], parameters: tuple[Parameter, ...]) -> list[Any]:
    """Values that a person wrote by the names of the parameters, as OpenQASM programs have them."""
    names = [parameter.name for parameter in parameters]
    if set(given) != set(names):
        raise invalid(f"The circuit has the parameters {', '.join(names) or 'none'}: give a value for each of them.")
    try:
        columns = np.broadcast_arrays(*(np.asarray(given[name], float) for name in names))
    except (TypeError, ValueError) as error:
        raise invalid("The values of the parameters are not numbers, or their arrays do not go together.") from error
    return np.stack(columns, axis=-1).tolist()


def check_angles(angles: list[ParameterExpression], sets: list[dict[Parameter, float]]) -> None:
    """Check the angles of rzz that depend on parameters.

    Raises:
        ProgramError: one lies outside [0, π/2].
    """
    for angle in angles:
        for values in sets:
            used = {parameter: values[parameter] for parameter in angle.parameters}
            check_rzz(float(angle.bind(used).numeric()), used)
