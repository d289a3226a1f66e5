"""The index: what lists show of every device, generated from the snapshots and committed beside this module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID, uuid5

from qumulus.core.devices import Device, DeviceKind, from_values

from . import ideal, snapshots, uniform

FILE = "index.json"
CALIBRATIONS = UUID("6f2a1c52-5a0e-4c0e-9a55-3d1f0c9b7e11")  # the space that calibration ids are made in


def calibration_id(device: str, at: datetime) -> str:
    """Return the id of a device's calibration: the same on every machine and in every release."""
    return str(uuid5(CALIBRATIONS, f"{device} {at.isoformat()}"))


def build() -> dict[str, Any]:
    """Return the index from the installed snapshots."""
    rows = [_snapshot(name) for name in snapshots.names()]
    rows += [row(name, ideal.configuration(name), ideal.properties(name)) for name in ideal.IDEALS]
    return {"source": snapshots.source(), "devices": rows}


def text(index: Mapping[str, Any]) -> str:
    """Return the index as it is committed: a line a device, so that a change can be reviewed."""
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in index["devices"])
    return f'{{"source": {json.dumps(index["source"])}, "devices": [\n{rows}\n]}}\n'


@cache
def load() -> Mapping[str, Device]:
    """Return all devices by name, in the order of the names, the ideal simulators last."""
    index = json.loads((files("qumulus.catalogue") / FILE).read_bytes())
    return {row["name"]: from_values(row) for row in index["devices"]}


def _snapshot(name: str) -> dict[str, Any]:
    properties = snapshots.read(name, "props")
    return row(name, uniform.configuration(snapshots.read(name, "conf"), lambda: properties), properties)


def row(name: str, configuration: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what lists show of a device, as JSON has it."""
    processor = configuration.get("processor_type") or {}
    shown = {
        "name": name,
        "kind": DeviceKind.SIMULATOR if configuration["simulator"] else DeviceKind.QPU,
        "n_qubits": configuration["n_qubits"],
        "basis_gates": configuration["basis_gates"],
        "instructions": configuration.get("supported_instructions"),
        "family": processor.get("family"),
        "revision": processor.get("revision") and str(processor["revision"]),
        "segment": processor.get("segment"),
        "version": configuration["backend_version"],
        "online_at": _utc(configuration["online_date"]),
        "calibrated_at": _utc(properties["last_update_date"]),
        "max_shots": configuration["max_shots"],
        "quantum_volume": configuration.get("quantum_volume"),
        "clops": configuration.get("clops_h") or configuration.get("clops"),
        "two_qubit_error_best": _best_two_qubit_error(properties),
        "two_qubit_error_layered": uniform.layered_error(properties),
        "description": configuration["description"],
    }
    return {key: value for key, value in shown.items() if value is not None}


def _utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


def _best_two_qubit_error(properties: Mapping[str, Any]) -> float | None:
    """Return the least calibrated error of a two-qubit gate."""
    return min(uniform.two_qubit_errors(properties), default=None)
