"""The result of a primitive: pub results with their metadata, as ``RuntimeEncoder`` would write them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import qiskit
from qiskit.circuit import QuantumCircuit, Qubit

from qumulus.core.programs import Limits
from qumulus.core.results import Outcome
from qumulus.simulation.errors import Refused

_REPORTED = ("method", "engine", "approximation", "accuracy", "seconds")


def simulation(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What the result says of how a circuit was simulated."""
    return {name: metadata[name] for name in _REPORTED if name in metadata}


def check_size(bits: int, limits: Limits) -> None:
    """Refuse a job whose shots would be too many, before anything is run.

    Raises:
        Refused: the packed bits exceed a result, or the unpacked ones a quarter of the memory.
    """
    size = -(-bits // 8)
    if size > limits.result_bytes or bits > limits.memory_bytes // 4:
        most = min(limits.result_bytes, limits.memory_bytes // 32)
        raise Refused(
            f"The result would have {size} bytes and a job's may have {most}: ask for fewer shots.",
            {"result_bytes": size},
        )


def outcome(
    pub_results: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any], report: Mapping[str, Any]
) -> Outcome:
    """The outcome of a primitive; ``report`` says how it was simulated."""
    value = {"pub_results": pub_results, "metadata": {**metadata, "version": 2}}
    return encoded({"__type__": "PrimitiveResult", "__value__": value}, report)


def encoded(document: Mapping[str, Any], report: Mapping[str, Any]) -> Outcome:
    """A JSON document as the outcome of a program."""
    result = json.dumps(document, separators=(",", ":")).encode()
    return Outcome(result=result, metadata={**report, "qiskit": qiskit.__version__})


def checked() -> Outcome:
    """The outcome of a job whose inputs were only to be checked, and are valid: no result."""
    return Outcome(metadata={"dry_run": True, "qiskit": qiskit.__version__})


def executed(runs: Iterable[tuple[QuantumCircuit, int]]) -> dict[str, Any]:
    """What the metrics of a job say of its circuits, each given with the number of its executions: sets of values times shots."""
    runs = list(runs)
    return {
        "number": len(runs),
        "executions": sum(executions for _, executions in runs),
        "qubits": [len(_used(circuit)) for circuit, _ in runs],
        "depths": [circuit.depth() for circuit, _ in runs],
    }


def _used(circuit: QuantumCircuit) -> set[Qubit]:
    """The qubits that something is done to."""
    return {qubit for instruction in circuit if instruction.name != "barrier" for qubit in instruction.qubits}
