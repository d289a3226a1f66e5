"""`device_info.zip`: the qubits of a device, what connects them, and how good both are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from qumulus.core.devices import Calibration, Device, DeviceKind
from qumulus.core.errors import UnknownDevice
from qumulus.core.ports import Catalogue, DeviceBoard

from . import job_files
from .names import name_of

NAME = "device_info.zip"
ENTRY = "device_info.json"
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def packed(name: str, devices: Catalogue, board: DeviceBoard) -> bytes:
    """The zip file: what the device's engine uploaded, else what its calibration says.

    Raises:
        UnknownDevice
    """
    device = devices.device(name)
    reported = board.report(device.name).information
    return reported if reported is not None else _packed(described(device, devices))


def described(device: Device, devices: Catalogue) -> str:
    """The content as JSON text."""
    if device.kind is DeviceKind.SIMULATOR:
        qubits = [{"id": index, "physical_id": index} for index in range(device.n_qubits)]
        return json.dumps({"device_id": name_of(device), "qubits": qubits, "couplings": []})
    return _described(name_of(device), _Known(devices.calibration(device.name)))


def keep(place: str, content: bytes, devices: Catalogue, board: DeviceBoard) -> None:
    """Store an upload for `DEVICE/device_info.zip`, as it is.

    Raises:
        UnknownDevice: the place is no device's.
    """
    name, _, file_name = place.partition("/")
    if file_name != NAME:
        raise UnknownDevice(place)
    device = devices.device(name).name
    board.set_report(device, replace(board.report(device), information=content))


def pack(text: str) -> bytes:
    """A zip file with the JSON text as its only entry."""
    return job_files.pack(ENTRY, text)


@lru_cache(maxsize=128)
def _packed(text: str) -> bytes:
    return pack(text)


class _Known:
    """A calibration, told apart by its id: equal ones are described once."""

    def __init__(self, calibration: Calibration) -> None:
        self.properties: Mapping[str, Any] = calibration.properties
        self._id = calibration.device, calibration.id

    def __hash__(self) -> int:
        return hash(self._id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and other._id == self._id


@lru_cache(maxsize=128)
def _described(name: str, calibration: _Known) -> str:
    gates = [(gate["gate"], gate["qubits"], _values(gate["parameters"])) for gate in calibration.properties["gates"]]
    durations: dict[int, dict[str, float]] = {}
    for gate, on, values in gates:
        if len(on) == 1 and "gate_length" in values:
            durations.setdefault(on[0], {})[gate] = values["gate_length"]
    qubits = [
        _qubit(index, _values(entries), durations.get(index, {}))
        for index, entries in enumerate(calibration.properties["qubits"])
    ]
    couplings = [
        {
            "control": on[0],
            "target": on[1],
            "fidelity": 1.0 - values.get("gate_error", 0.0),
            "gate_duration": {gate: values.get("gate_length", 0.0)},
        }
        for gate, on, values in gates
        if len(on) == 2
    ]
    return json.dumps({"device_id": name, "qubits": qubits, "couplings": couplings}, separators=(",", ":"))


def _qubit(index: int, values: Mapping[str, float], durations: Mapping[str, float]) -> dict[str, Any]:
    return {
        "id": index,
        "physical_id": index,
        "meas_error": {
            "prob_meas1_prep0": values.get("prob_meas1_prep0"),
            "prob_meas0_prep1": values.get("prob_meas0_prep1"),
            "readout_assignment_error": values.get("readout_error"),
        },
        "qubit_lifetime": {"t1": values.get("T1"), "t2": values.get("T2")},
        "gate_duration": dict(durations),
    }


def _values(entries: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Name to value, times in seconds."""
    return {
        entry["name"]: entry["value"] * _SECONDS.get(entry["unit"], 1.0)
        for entry in entries
        if entry["value"] is not None
    }
