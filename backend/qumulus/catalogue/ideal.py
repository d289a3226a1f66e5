"""The ideal simulators: devices without noise, on which every qubit is joined with every other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

IDEAL = "qulacs"  # the ideal simulator, named as the clients of OQTOPUS name theirs
IDEALS = (IDEAL, "sse")  # and the same once more, under the name that programs beside a device use
N_QUBITS = 28  # the state vector that the default memory limit of 4 GiB holds: 2^28 amplitudes of 16 bytes
SINCE = datetime(2024, 1, 1, tzinfo=UTC)
_NO_PARAMETER = (
    *("id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg"),
    *("cx", "cy", "cz", "ch", "csx", "swap", "iswap", "ecr", "ccx", "cswap"),
)
_PARAMETERS = {
    **dict.fromkeys(("rx", "ry", "rz", "p", "crx", "cry", "crz", "cp", "rxx", "ryy", "rzz", "rzx"), ("theta",)),
    "u": ("theta", "phi", "lambda"),
}
_CONTROL = ("measure", "reset", "delay", "barrier", "if_else", "for_loop", "while_loop", "switch_case", "store")


def configuration(name: str) -> dict[str, Any]:
    """Return the simulator's configuration, in the form of a device's."""
    gates = [{"name": name, "parameters": list(_PARAMETERS.get(name, ()))} for name in (*_NO_PARAMETER, *_PARAMETERS)]
    return {
        "backend_name": name,
        "backend_version": "1.0.0",
        "n_qubits": N_QUBITS,
        "basis_gates": [gate["name"] for gate in gates],
        "gates": gates,
        "supported_instructions": [*(gate["name"] for gate in gates), *_CONTROL],
        "local": False,
        "simulator": True,
        "conditional": True,
        "open_pulse": False,
        "memory": True,
        "max_shots": 10_000_000,
        "coupling_map": None,
        "online_date": SINCE.isoformat(),
        "description": "Ideal simulator without noise",
    }


def properties(name: str) -> dict[str, Any]:
    """Return a document without calibrations: a simulator has none."""
    return {
        "backend_name": name,
        "backend_version": "1.0.0",
        "last_update_date": SINCE.isoformat(),
        "qubits": [],
        "gates": [],
        "general": [],
    }
