"""IBM's properties of a device as a calibration of the platform: microseconds, nanoseconds and probabilities."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from qumulus.apis.planqk.quantum.known import Known
from qumulus.core.devices import Calibration

UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "": 1.0}
OF_QUBITS = {  # IBM's name -> the platform's, and its unit in seconds (1 for what has none)
    "T1": ("t1_us", 1e-6),
    "T2": ("t2_us", 1e-6),
    "readout_error": ("readout_error", 1.0),
    "readout_length": ("readout_length_ns", 1e-9),
    "prob_meas0_prep1": ("prob_meas0_prep1", 1.0),
    "prob_meas1_prep0": ("prob_meas1_prep0", 1.0),
}
OF_GATES = {"gate_error": ("error", 1.0), "gate_length": ("length_ns", 1e-9)}
MEDIANS = ("t1_us", "t2_us", "readout_error", "readout_length_ns")
NO_GATES = frozenset({"reset", "measure", "delay"})

Values = dict[str, Any]


def calibration(known: Known, found: Calibration) -> Values:
    """A calibration as the wire has it."""
    return {
        "backend_id": known.id,
        "calibrated_at": found.at.isoformat().replace("+00:00", "Z"),
        "calibration": _gate_based(found.properties),
    }


def _gate_based(properties: Mapping[str, Any]) -> Values:
    qubits: list[Values] = [
        {"qubit": index, "operational": _operational(each), **_values(each, OF_QUBITS), "gates": {}}
        for index, each in enumerate(properties["qubits"])
    ]
    pairs: dict[tuple[int, ...], Values] = {}
    everywhere: dict[str, list[Values]] = {}
    for gate in properties["gates"]:
        name, places = gate["gate"], gate["qubits"]
        if name in NO_GATES:
            continue
        told = {"operational": _operational(gate["parameters"]), **_values(gate["parameters"], OF_GATES)}
        everywhere.setdefault(name, []).append(told)
        if len(places) == 1:
            qubits[places[0]]["gates"][name] = told
        elif len(places) == 2:
            directed = f"{name}_{places[0]}_{places[1]}"
            pairs.setdefault(tuple(sorted(places)), {})[directed] = told
    return {
        "type": "gate_based",
        "medians": {
            **_medians(qubits, MEDIANS),
            "gates": {
                name: {"operational": True, **_medians(told, ("error", "length_ns"))}
                for name, told in everywhere.items()
            },
        },
        "qubits": qubits,
        "qubit_pairs": [{"qubits": list(pair), "gates": gates} for pair, gates in sorted(pairs.items())],
    }


def _values(parameters: Iterable[Mapping[str, Any]], names: Mapping[str, tuple[str, float]]) -> Values:
    found = {}
    for each in parameters:
        if each["name"] in names:
            name, unit = names[each["name"]]
            found[name] = each["value"] if unit == 1.0 else each["value"] * UNITS[each["unit"]] / unit
    return found


def _operational(parameters: Iterable[Mapping[str, Any]]) -> bool:
    return all(each["value"] for each in parameters if each["name"] == "operational")


def _medians(told: Sequence[Values], names: Iterable[str]) -> Values:
    """Over what is operational and says it."""
    found = {}
    for name in names:
        values = [each[name] for each in told if each["operational"] and name in each]
        if values:
            found[name] = statistics.median(values)
    return found
