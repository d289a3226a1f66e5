"""OQTOPUS' device_info: qubits with their lifetimes and readout, couplings with their fidelity.

Lifetimes are in µs and durations of gates in ns, as OQTOPUS' engine writes them. Earlier versions of this product wrote both in seconds, which
is told by how small they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qumulus.core.errors import InvalidRequest

from .reading import MOST_QUBITS, anything, date, listed, members, number, share, text, whole
from .sketch import PARAMETERS, VIRTUAL

BASIS = ("cx", "id", "rz", "sx", "x")
_A_SECOND = 1e-2  # below this a lifetime or duration is in seconds

_readout = members({"prob_meas1_prep0": share, "prob_meas0_prep1": share, "readout_assignment_error": share})
_read = members(
    {
        "device_id": text,
        "calibrated_at": date,
        "timestamp": date,
        "basis_gates": listed(text, 100),
        "qubits": listed(
            members(
                {
                    "id": whole,
                    "fidelity": share,
                    "meas_error": _readout,
                    "qubit_lifetime": members({"t1": number, "t2": number}),
                    "gate_duration": anything(text, number),
                },
                required=("id",),
            ),
            MOST_QUBITS,
        ),
        "couplings": listed(
            members(
                {"control": whole, "target": whole, "fidelity": share, "gate_duration": anything(text, number)},
                required=("control", "target"),
            )
        ),
    },
    required=("qubits",),
)


def documents(info: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the configuration and the properties of a device_info.

    Raises:
        InvalidRequest
    """
    read = _read(info, "device_info")
    qubits = {qubit["id"]: qubit for qubit in read["qubits"]}
    if not qubits or sorted(qubits) != list(range(len(read["qubits"]))):
        raise InvalidRequest("device_info.qubits has to name each qubit once, from 0 on.")
    couplings = read.get("couplings", [])
    at = read.get("calibrated_at") or read.get("timestamp") or "2026-01-01T00:00:00+00:00"
    named = {"backend_name": read["device_id"]} if "device_id" in read else {}
    pair_gate = _pair_gate(read.get("basis_gates"), couplings)
    single = [name for name in read.get("basis_gates", BASIS) if name != pair_gate and name not in PAIRS]
    placed = {name: [[qubit] for qubit in qubits] for name in single}
    if couplings:
        placed[pair_gate] = [[each["control"], each["target"]] for each in couplings]
    configuration = {
        **named,
        "n_qubits": len(qubits),
        "basis_gates": list(placed),
        "gates": [
            {"name": name, "parameters": PARAMETERS.get(name, []), "coupling_map": where}
            for name, where in placed.items()
        ],
        "coupling_map": placed.get(pair_gate),
        "processor_type": {"family": "OQTOPUS", "revision": "1"},
        "description": f"{len(qubits)} qubit device of OQTOPUS",
        "online_date": at,
    }
    properties = {
        **named,
        "last_update_date": at,
        "qubits": [_qubit(qubits[index]) for index in range(len(qubits))],
        "gates": [
            *(_single(name, qubits[index]) for name in single for index in range(len(qubits))),
            *(_pair(pair_gate, each) for each in couplings),
        ],
        "general": [],
    }
    return {"configuration": configuration, "properties": properties}


PAIRS = frozenset({"cx", "cz", "ecr", "rzz"})


def _pair_gate(basis: Sequence[str] | None, couplings: Sequence[Mapping[str, Any]]) -> str:
    """The gate of couplings: the basis says it, else the durations that this product writes, else the usual one."""
    names = [*(basis or ()), *(name for each in couplings for name in each.get("gate_duration", ()))]
    return next((name for name in names if name in PAIRS), "cx")


def _qubit(qubit: Mapping[str, Any]) -> list[dict[str, Any]]:
    lifetime, readout = qubit.get("qubit_lifetime", {}), qubit.get("meas_error", {})
    return [
        *({"name": name.upper(), **_time(value, "us", 1e6)} for name, value in lifetime.items() if value > 0),
        *(
            {"name": name.replace("readout_assignment_error", "readout_error"), "unit": "", "value": value}
            for name, value in readout.items()
        ),
    ]


def _single(name: str, qubit: Mapping[str, Any]) -> dict[str, Any]:
    error = 0.0 if name in VIRTUAL else 1 - qubit.get("fidelity", 1.0)
    length = qubit.get("gate_duration", {}).get(name, 0.0)
    return _gate(name, [qubit["id"]], error, length)


def _pair(name: str, coupling: Mapping[str, Any]) -> dict[str, Any]:
    durations = coupling.get("gate_duration", {})
    length = durations.get(name, max(durations.values(), default=0.0))
    return _gate(name, [coupling["control"], coupling["target"]], 1 - coupling.get("fidelity", 1.0), length)


def _gate(name: str, qubits: Sequence[int], error: float, length: float) -> dict[str, Any]:
    entries = [
        {"name": "gate_error", "unit": "", "value": error},
        {"name": "gate_length", **_time(length, "ns", 1e9)},
    ]
    return {"qubits": list(qubits), "gate": name, "parameters": entries}


def _time(value: float, unit: str, seconds: float) -> dict[str, Any]:
    return {"unit": unit, "value": value * seconds if 0 < value < _A_SECOND else value}
