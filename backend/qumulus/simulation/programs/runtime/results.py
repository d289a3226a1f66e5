"""The result of a primitive: pub results with their metadata."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import qiskit
from qiskit.circuit import QuantumCircuit

from qumulus.core.programs import Limits
from qumulus.core.results import Outcome
from qumulus.simulation.errors import Refused

from .values import Form, Record

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


@dataclass(frozen=True, slots=True, eq=False)
class _PrimitiveResult:
    """The results of all pubs, whose list has another name in each form."""

    pub_results: Sequence[Record]
    metadata: Mapping[str, Any]

    def typed(self) -> Any:
        """Return the form that the client decodes."""
        return Record("PrimitiveResult", {"pub_results": self.pub_results, "metadata": self.metadata}).typed()

    def plain(self) -> Any:
        """Return the form in pure JSON."""
        return {"results": self.pub_results, "metadata": self.metadata}


def outcome(
    form: Form, pub_results: Sequence[Record], metadata: Mapping[str, Any], report: Mapping[str, Any]
) -> Outcome:
    """The outcome of a primitive; ``report`` says how it was simulated."""
    return encoded(form, _PrimitiveResult(pub_results, {**metadata, "version": 2}), report)


def encoded(form: Form, document: Any, report: Mapping[str, Any]) -> Outcome:
    """A document as the outcome of a program."""
    return Outcome(result=form.written(document), metadata={**report, "qiskit": qiskit.__version__})


def executed(runs: Iterable[tuple[QuantumCircuit, int]]) -> dict[str, Any]:
    """What the metrics of a job say of its circuits, each given with the number of its executions: sets of values times shots."""
    runs = list(runs)
    return {
        "number": len(runs),
        "executions": sum(executions for _, executions in runs),
        "qubits": [circuit.num_qubits for circuit, _ in runs],
        "depths": [depth(circuit) for circuit, _ in runs],
    }


def depth(circuit: QuantumCircuit) -> int:
    """What `QuantumCircuit.depth` gives, which looks up each gate as an object of Python and takes three times as long."""
    depths = defaultdict[Any, int](int)
    for line in circuit.data:
        wires = line.qubits + line.clbits
        counts = line.is_standard_gate() or not line.is_directive()
        if len(wires) == 1:
            depths[wires[0]] += counts
            continue
        reached = max([depths[wire] for wire in wires], default=0) + counts
        for wire in wires:
            depths[wire] = reached
    return max(depths.values(), default=0)
