"""Qiskit's target of a device, from its configuration and its calibration as documents.

The client package builds the same in ``convert_to_target``; importing it takes a second, so the worker builds its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import Any

from qiskit.circuit import Gate, Instruction, Parameter
from qiskit.circuit.controlflow import ForLoopOp, IfElseOp, SwitchCaseOp, WhileLoopOp
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.providers import QubitProperties
from qiskit.transpiler import InstructionProperties, Target

from .noise import calibrated_values

CONTROL_FLOW: dict[str, type[Instruction]] = {
    "if_else": IfElseOp,
    "while_loop": WhileLoopOp,
    "for_loop": ForLoopOp,
    "switch_case": SwitchCaseOp,
}
_NOT_UNITARY = ("measure", "delay", "reset")
_TIMING = ("granularity", "min_length", "pulse_alignment", "acquire_alignment")

Placements = dict[tuple[int, ...], InstructionProperties | None]


def build_target(configuration: Mapping[str, Any], properties: Mapping[str, Any]) -> Target:
    """The target that `qiskit-ibm-runtime` would show for the same documents; faulty qubits and gates are left out."""
    n_qubits = configuration["n_qubits"]
    qubits = [calibrated_values(entries) for entries in properties["qubits"]]
    working = [qubit for qubit in range(n_qubits) if not qubits or qubits[qubit].get("operational", 1)]
    timing = configuration.get("timing_constraints") or {}
    target = Target(
        num_qubits=n_qubits,
        dt=configuration["dt"] * 1e-9 if configuration.get("dt") else None,
        qubit_properties=[
            QubitProperties(t1=q.get("T1"), t2=q.get("T2"), frequency=q.get("frequency")) for q in qubits
        ],
        **{name: timing[name] for name in _TIMING if name in timing},
    )
    placements = _placements(configuration, properties, set(working))
    supported = configuration.get("supported_instructions") or _NOT_UNITARY
    for name in dict.fromkeys([*configuration["basis_gates"], *(n for n in _NOT_UNITARY if n in supported)]):
        everywhere: Placements = {(qubit,): None for qubit in working}
        bounds = [(0.0, pi / 2)] if name == "rzz" else None
        target.add_instruction(
            _instruction(name, configuration),
            placements.get(name, everywhere if name in _NOT_UNITARY else None),
            name=name,
            angle_bounds=bounds,
        )
    for signature in configuration.get("instruction_signatures") or ():
        name = signature["name"]
        parameters = [Parameter(parameter) for parameter in signature["parameters"]]
        instruction = Instruction(name, signature["num_qubits"], signature["num_clbits"], parameters)
        target.add_instruction(instruction, placements.get(name), name=name)
    for name in CONTROL_FLOW.keys() & set(supported):
        target.add_instruction(CONTROL_FLOW[name], name=name)
    return target


def _instruction(name: str, configuration: Mapping[str, Any]) -> Instruction:
    """The instruction of a basis gate: Qiskit's own, else an opaque gate with the configured width."""
    known = get_standard_gate_name_mapping().get(name)
    if known is not None:
        return known
    config = next(gate for gate in configuration["gates"] if gate["name"] == name)
    return Gate(name, len(config["coupling_map"][0]), [Parameter(parameter) for parameter in config["parameters"]])


def _placements(
    configuration: Mapping[str, Any], properties: Mapping[str, Any], working: set[int]
) -> dict[str, Placements]:
    """On which qubits each instruction may stand, with its length and error."""
    found: dict[str, Placements] = {
        gate["name"]: {tuple(qubits): None for qubits in gate["coupling_map"]}
        for gate in configuration["gates"]
        if gate.get("coupling_map")
    }
    for gate in properties["gates"]:
        values, qubits = calibrated_values(gate["parameters"]), tuple(gate["qubits"])
        where = found.setdefault(gate["gate"], {})
        if values.get("operational", 1) and working.issuperset(qubits):
            where[qubits] = InstructionProperties(error=values.get("gate_error"), duration=values.get("gate_length"))
        else:
            where.pop(qubits, None)
    found["measure"] = {
        (qubit,): InstructionProperties(error=values.get("readout_error"), duration=values.get("readout_length"))
        for qubit in working
        for values in [calibrated_values(properties["qubits"][qubit])]
    }
    return found
