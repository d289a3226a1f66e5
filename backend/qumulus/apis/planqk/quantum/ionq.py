"""IonQ's circuits (`ionq.circuit.v1`) for `azure.ionq.simulator`, and histograms of probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .formats import Done, Format


def _parameters(given: Any, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The client looks for the number of qubits among the parameters of the stored job."""
    qubits = given.get("qubits") if isinstance(given, dict) else None
    return {**parameters, "qubits": str(qubits)}


def _write(done: Done) -> Mapping[str, Any]:
    """Keys with qubit 0 as the lowest bit; the older client, which sends no meas_map, reads it as the highest."""
    (circuit,) = done.circuits
    order = slice(None) if "meas_map" in done.parameters else slice(None, None, -1)
    return {"histogram": {str(int(bits[order], 2)): count / done.shots for bits, count in circuit["counts"].items()}}


FORMAT = Format("IONQ_CIRCUIT_V1", _write, _parameters)
