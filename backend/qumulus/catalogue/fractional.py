"""Fractional gates: rx and rzz at any angle, which Heron and Nighthawk processors have.

The snapshots of these processors leave them out of the configuration, as the client's default does. Most have them in
the properties, measured like any other gate. Where an entry lacks (Nighthawk), it is derived: rx is one pulse like sx, and rzz one
interaction like cz, so each takes over length, error and date of that gate on the same qubits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FAMILIES = frozenset({"Heron", "Nighthawk"})
LIKE = {"rx": "sx", "rzz": "cz"}
_DEFINITIONS = {
    "rx": "gate rx(theta) q { U(theta, -pi/2, pi/2) q; }",
    "rzz": "gate rzz(theta) q0, q1 { CX q0, q1; U(0, 0, theta) q1; CX q0, q1; }",
}


def has(configuration: Mapping[str, Any]) -> bool:
    """Say whether the processor of a device has fractional gates."""
    return (configuration.get("processor_type") or {}).get("family") in FAMILIES


def in_configuration(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with rx and rzz, on the qubits of sx and cz."""
    couplings = {gate["name"]: gate.get("coupling_map") for gate in configuration["gates"]}
    gates = [
        {"name": name, "parameters": ["theta"], "qasm_def": _DEFINITIONS[name], "coupling_map": couplings[model]}
        for name, model in LIKE.items()
        if name not in couplings and model in couplings
    ]
    more = [gate["name"] for gate in gates]
    return {
        **configuration,
        "basis_gates": [*configuration["basis_gates"], *more],
        "supported_instructions": [*configuration["supported_instructions"], *more],
        "gates": [*configuration["gates"], *gates],
    }


def in_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with an entry of rx and rzz wherever sx and cz have one."""
    measured = {gate["gate"] for gate in properties["gates"]}
    lacking = {model: name for name, model in LIKE.items() if name not in measured}
    derived = [
        {**gate, "gate": name, "name": gate["name"].replace(gate["gate"], name, 1)}
        for gate in properties["gates"]
        if (name := lacking.get(gate["gate"]))
    ]
    return {**properties, "gates": [*properties["gates"], *derived]}
