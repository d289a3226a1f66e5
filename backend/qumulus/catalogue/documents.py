"""The documents of a device as IBM's client prints them: a configuration, and the properties of a calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qumulus.core.errors import InvalidRequest

from .reading import (
    MOST_QUBITS,
    anything,
    date,
    either,
    flag,
    listed,
    members,
    number,
    text,
    whole,
)

# Basis gates that need no entry of their own: every simulator knows them.
KNOWN = frozenset(
    (
        *("id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "rx", "ry", "rz", "p", "u", "u1", "u2", "u3"),
        *("cx", "cy", "cz", "ch", "csx", "swap", "iswap", "ecr", "crx", "cry", "crz", "cp", "rxx", "ryy", "rzz", "rzx"),
        *("ccx", "cswap", "reset", "measure", "delay"),
    )
)

_TIMES = ("T1", "T2")
_PROBABILITIES = ("gate_error", "readout_error", "prob_meas0_prep1", "prob_meas1_prep0")
_MOST = {**dict.fromkeys(_PROBABILITIES, 1.0), "gate_length": 1e12, "readout_length": 1e12}

_qubits = listed(whole, MOST_QUBITS)
_numbers = listed(number)
_texts = listed(text, 1000)

_gate = members(
    {"name": text, "parameters": _texts, "qasm_def": text, "coupling_map": listed(_qubits)}, required=("name",)
)
_signature = members(
    {
        "name": text,
        "description": text,
        "num_qubits": whole,
        "num_clbits": whole,
        "parameters": _texts,
        "return_type": text,
    },
    required=("name", "num_qubits", "num_clbits", "parameters"),
)

_CONFIGURATION = members(
    {
        "backend_name": text,
        "backend_version": text,
        "n_qubits": whole,
        "basis_gates": _texts,
        "gates": listed(_gate, 1000),
        "coupling_map": listed(_qubits),
        "supported_instructions": _texts,
        "supported_features": _texts,
        "instruction_signatures": listed(_signature, 1000),
        "processor_type": members({"family": text, "revision": either(text, number), "segment": text}),
        "timing_constraints": anything(text, whole),
        "rep_delay_range": _numbers,
        "default_rep_delay": number,
        "dynamic_reprate_enabled": flag,
        "dt": number,
        "dtm": number,
        "rep_times": _numbers,
        "coords": listed(listed(whole, 3)),
        "meas_map": listed(_qubits),
        "online_date": date,
        "description": text,
        "sample_name": text,
        "max_shots": whole,
        "max_experiments": whole,
        "quantum_volume": whole,
        "clops": whole,
        "clops_h": whole,
        "clops_v": whole,
        "multi_meas_enabled": flag,
        "measure_esp_enabled": flag,
        "parallel_compilation": flag,
        "conditional_latency": listed(_numbers),
        "acquisition_latency": listed(_numbers),
    },
    required=("n_qubits", "basis_gates"),
)

_value = members({"date": date, "name": text, "unit": text, "value": number}, required=("name",))
_values = listed(_value, 100)

_PROPERTIES = members(
    {
        "backend_name": text,
        "backend_version": text,
        "last_update_date": date,
        "qubits": listed(_values, MOST_QUBITS),
        "gates": listed(
            members({"qubits": _qubits, "gate": text, "name": text, "parameters": _values}, ("qubits", "gate"))
        ),
        "general": listed(_value),
    },
    required=("qubits", "gates", "last_update_date"),
)


def configuration(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration of which all members are what they should be.

    Raises:
        InvalidRequest
    """
    read = _CONFIGURATION(document, "configuration")
    n_qubits = read["n_qubits"]
    if not 1 <= n_qubits <= MOST_QUBITS:
        raise InvalidRequest(f"configuration.n_qubits is {n_qubits}: a device here has 1 to {MOST_QUBITS} qubits.")
    gates = [{"parameters": [], **gate} for gate in read.get("gates", ())]
    placed = {gate["name"] for gate in gates if gate.get("coupling_map")}
    if unknown := sorted({*read["basis_gates"]} - KNOWN - placed):
        raise InvalidRequest(f"configuration.gates says nothing of the basis gate {unknown[0]!r}: add an entry for it.")
    for pairs in (read.get("coupling_map", ()), *(gate.get("coupling_map", ()) for gate in gates)):
        _check(pairs, n_qubits)
    fixed = {"local": False, "simulator": False, "conditional": False, "open_pulse": False, "memory": True}
    return {
        "backend_version": "1.0.0",
        **read,
        "gates": gates,
        "coupling_map": read.get("coupling_map") or (_coupling(gates) if n_qubits > 1 else None),
        **fixed,
    }


def properties(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a calibration of which all members are what they should be.

    Raises:
        InvalidRequest
    """
    read = _PROPERTIES(document, "properties")
    at = read["last_update_date"]
    _check((gate["qubits"] for gate in read["gates"]), len(read["qubits"]))
    gates = [
        {
            **gate,
            "name": gate.get("name") or f"{gate['gate']}{'_'.join(map(str, gate['qubits']))}",
            "parameters": _known(gate.get("parameters", ()), at),
        }
        for gate in read["gates"]
    ]
    return {
        "backend_version": "1.0.0",
        **read,
        "qubits": [_known(qubit, at) for qubit in read["qubits"]],
        "gates": gates,
        "general": _known(read.get("general", ()), at),
    }


def _known(entries: Iterable[Mapping[str, Any]], at: str) -> list[dict[str, Any]]:
    """The entries that have a value, with all of their members. A time that is not above zero is one that could not be measured.

    Raises:
        InvalidRequest: a probability is none, or a length is below zero.
    """
    known: list[dict[str, Any]] = [{"date": at, "unit": "", **entry} for entry in entries if "value" in entry]
    for entry in known:
        if (most := _MOST.get(entry["name"])) is not None and not 0 <= entry["value"] <= most:
            raise InvalidRequest(f"{entry['name']} is {entry['value']}: it has to be between 0 and {most:g}.")
    return [entry for entry in known if entry["name"] not in _TIMES or entry["value"] > 0]


def _check(groups: Any, n_qubits: int) -> None:
    for qubits in groups:
        if not qubits or len({*qubits}) != len(qubits) or max(qubits) >= n_qubits:
            raise InvalidRequest(f"{qubits} are no different qubits of a device that has {n_qubits}: mend the file.")


def _coupling(gates: list[dict[str, Any]]) -> list[list[int]]:
    """The pairs that have a gate."""
    pairs = {tuple(qubits) for gate in gates for qubits in gate.get("coupling_map", ()) if len(qubits) == 2}
    return [list(pair) for pair in sorted(pairs)]
