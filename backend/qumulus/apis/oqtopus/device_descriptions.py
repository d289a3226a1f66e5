"""What `device_info` says of a device that is simulated here: the figures of its calibration, as OQTOPUS' engine writes them.

Lifetimes are in µs, durations of gates in ns. The position of a qubit is where the drawing of a chip has it, with y upwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from math import ceil, sqrt
from typing import Any

from qumulus.core.devices import Calibration, Device, DeviceKind
from qumulus.core.ports import Catalogue

from .names import name_of

_NANOSECONDS = {"ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}
_MICROSECOND = 1e3
FAILED = 1.0  # the error of a gate whose calibration failed: what it connects is no coupling, as an engine has it


def described(device: Device, devices: Catalogue) -> str:
    """Return `device_info` as JSON text."""
    if device.kind is DeviceKind.SIMULATOR:
        return _ideal(name_of(device), device.n_qubits)
    return _described(name_of(device), _Known(devices.calibration(device.name), devices))


class _Known:
    """A calibration, told apart by its id: equal ones are described once."""

    def __init__(self, calibration: Calibration, devices: Catalogue) -> None:
        self.properties: Mapping[str, Any] = calibration.properties
        self._id = calibration.device, calibration.id
        self._devices = devices

    def places(self) -> Iterator[Mapping[str, float]]:
        """Where the qubits are drawn, in their order; on a grid where a document that was imported has no pair for each."""
        rows_and_columns, width = self._devices.configuration(self._id[0]).get("coords"), len(self.properties["qubits"])
        if rows_and_columns is None or [len(each) for each in rows_and_columns] != [2] * width:
            return _grid(width)
        return ({"x": column, "y": -row} for row, column in rows_and_columns)

    def __hash__(self) -> int:
        return hash(self._id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and other._id == self._id


@lru_cache(maxsize=16)
def _ideal(name: str, width: int) -> str:
    none = {"prob_meas1_prep0": 0.0, "prob_meas0_prep1": 0.0, "readout_assignment_error": 0.0}
    qubits = [
        {"id": index, "physical_id": index, "position": place, "fidelity": 1.0, "meas_error": none}
        for index, place in enumerate(_grid(width))
    ]
    return _text({"device_id": name, "qubits": qubits, "couplings": []})


@lru_cache(maxsize=128)
def _described(name: str, calibration: _Known) -> str:
    gates = [(gate["gate"], gate["qubits"], _values(gate["parameters"])) for gate in calibration.properties["gates"]]
    broken = {
        index
        for index, entries in enumerate(calibration.properties["qubits"])
        if not _values(entries).get("operational", 1)
    }
    gates = [each for each in gates if each[2].get("operational", 1) and broken.isdisjoint(each[1])]
    single: dict[int, list[tuple[str, Mapping[str, float]]]] = {}
    for gate, on, values in gates:
        if len(on) == 1:
            single.setdefault(on[0], []).append((gate, values))
    qubits = [
        _qubit(index, place, _values(entries), single.get(index, ()))
        for index, (entries, place) in enumerate(
            zip(calibration.properties["qubits"], calibration.places(), strict=True)
        )
    ]
    couplings = [
        {
            "control": on[0],
            "target": on[1],
            "fidelity": 1.0 - values.get("gate_error", 0.0),
            "gate_duration": {gate: values.get("gate_length", 0.0)},
        }
        for gate, on, values in gates
        if len(on) == 2 and values.get("gate_error", 0.0) < FAILED
    ]
    return _text({"device_id": name, "qubits": qubits, "couplings": couplings})


def _qubit(
    index: int,
    place: Mapping[str, float],
    values: Mapping[str, float],
    gates: Sequence[tuple[str, Mapping[str, float]]],
) -> dict[str, Any]:
    """A qubit is as good as the worst of its gates."""
    lifetimes = {name: values[name.upper()] / _MICROSECOND if name.upper() in values else None for name in ("t1", "t2")}
    return {
        "id": index,
        "physical_id": index,
        "position": place,
        "fidelity": 1.0 - max(chain((0.0,), (each.get("gate_error", 0.0) for _, each in gates))),
        "meas_error": {
            "prob_meas1_prep0": values.get("prob_meas1_prep0"),
            "prob_meas0_prep1": values.get("prob_meas0_prep1"),
            "readout_assignment_error": values.get("readout_error"),
        },
        "qubit_lifetime": lifetimes,
        "gate_duration": {gate: each["gate_length"] for gate, each in gates if "gate_length" in each},
    }


def _values(entries: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Name to value, times in ns."""
    return {
        entry["name"]: entry["value"] * _NANOSECONDS.get(entry["unit"], 1.0)
        for entry in entries
        if entry["value"] is not None
    }


def _grid(width: int) -> Iterator[Mapping[str, float]]:
    """Places for qubits of which nobody knows any."""
    columns = ceil(sqrt(width))
    return ({"x": index % columns, "y": -(index // columns)} for index in range(width))


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"))
