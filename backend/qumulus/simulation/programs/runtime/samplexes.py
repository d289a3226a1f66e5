"""Samplexes: distributions over the parameters of a circuit, from which randomized circuits are drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import PauliLindbladMap
from samplomatic.quantum_program import SamplexItem
from samplomatic.samplex import Samplex
from samplomatic.serialization import samplex_from_json
from samplomatic.ssv import SSV

from qumulus.core.programs import Limits
from qumulus.simulation.errors import Refused, of_reader

from .circuits import check_headers
from .failures import invalid
from .tensors import from_tensor, is_tensor
from .wire import Allowance, from_base64

PARAMETERS = "parameter_values"


def samplex_item(
    item: Mapping[str, Any], circuit: QuantumCircuit, allowance: Allowance, *, compressed: bool, newest: int | None
) -> SamplexItem:
    """An item of a quantum program with its samplex ready to be sampled.

    Raises:
        ProgramError: the samplex or its arguments are malformed, of a newer version, or do not fit each other.
    """
    samplex = _samplex(item.get("samplex"), newest)
    arguments = item.get("samplex_arguments") or {}
    shape = item.get("shape") or []
    if not isinstance(arguments, Mapping) or not isinstance(shape, list):
        raise invalid("A samplex item has samplex_arguments and a shape.")
    values = {str(name): _argument(value, allowance, compressed=compressed) for name, value in arguments.items()}
    try:
        found = SamplexItem(circuit, samplex, samplex_arguments=values, shape=tuple(shape))
        samplex.finalize()
    except BaseException as error:  # what the library finds wrong so late, it says in whatever way comes first
        if not of_reader(error):
            raise
        raise invalid(
            f"The samplex of an item does not go with its arguments: {str(error).partition(chr(10))[0][:300]}"
        ) from error
    return found


def sampled(item: SamplexItem, rng: np.random.Generator, limits: Limits) -> dict[str, NDArray[Any]]:
    """Draw the circuit's parameters, and what else the samplex gives, for the whole item; arrays (*shape, …).

    Along axes on which an argument varies, each of its values gets randomizations of its own; the other axes enumerate
    randomizations.

    Raises:
        Refused: the arrays would be too large.
    """
    given, shape = item.samplex_arguments, item.shape
    padded = (1,) * (len(shape) - given.ndim) + given.shape
    swept = [axis for axis, length in enumerate(padded) if length > 1]
    number = prod(length for axis, length in enumerate(shape) if axis not in swept)
    size = item.samplex.outputs().num_bytes(num_randomizations=prod(shape))
    if size > limits.memory_bytes // 4:
        raise Refused(f"The randomizations of an item take {size} bytes: ask for fewer of them.", {"bytes": size})
    arrays: dict[str, NDArray[Any]] = {}
    for index in np.ndindex(*(shape[axis] for axis in swept)):
        at = dict(zip(swept, index, strict=True))
        own = tuple(at.get(axis + len(shape) - given.ndim, 0) for axis in range(given.ndim))
        drawn = item.samplex.sample(given[own], num_randomizations=number, rng=rng, max_workers=1)
        place = tuple(at.get(axis, slice(None)) for axis in range(len(shape)))
        for name, values in drawn.items():
            if name not in arrays:
                arrays[name] = np.empty((*shape, *values.shape[1:]), values.dtype)
            rest = tuple(length for axis, length in enumerate(shape) if axis not in swept)
            arrays[name][place] = values.reshape((*rest, *values.shape[1:]))
    return arrays


def _samplex(value: object, newest: int | None) -> Samplex:
    text = value.get("samplex_json") if isinstance(value, Mapping) else None
    version = value.get("ssv") if isinstance(value, Mapping) else None
    if not isinstance(text, str) or not isinstance(version, int):
        raise invalid("A samplex item has a samplex: its samplex_json and its version, ssv.")
    known = SSV if newest is None else min(SSV, newest)
    if version > known:
        raise invalid(f"The samplex has the version {version}; the newest known to this schema version is {known}.")
    _check_table(text)
    try:
        return samplex_from_json(text)
    except BaseException as error:  # any error of the parser says the same: the samplex is broken
        if not of_reader(error):
            raise
        raise invalid("The samplex of an item is not valid: write it with samplomatic.") from error


def _check_table(text: str) -> None:
    """Look at the circuit in which a samplex keeps its parameters, as at every other one; what has none the library refuses.

    Raises:
        ProgramError: its QPY says more than it holds: reading it could take hours.
    """
    try:
        table = json.loads(json.loads(text)["attrs"]["param_table"])["circuit_base64"]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return
    check_headers(from_base64(table, "samplex of an item"), Limits())


def _argument(value: Any, allowance: Allowance, *, compressed: bool) -> Any:
    if is_tensor(value):
        return from_tensor(value, allowance, "argument of a samplex", compressed=compressed)
    if isinstance(value, Mapping):
        try:
            terms = [(str(paulis), list(qubits), float(rate)) for paulis, qubits, rate in value["sparse_terms"]]
            return PauliLindbladMap.from_sparse_list(terms, int(value["num_qubits"]))
        except (KeyError, TypeError, ValueError) as error:
            raise invalid("An argument of a samplex is neither a tensor nor a Pauli-Lindblad map.") from error
    return value
