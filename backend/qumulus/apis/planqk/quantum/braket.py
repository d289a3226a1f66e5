"""Amazon Braket's OpenQASM 3 for `aws.sim.sv1` and `aws.sim.dm1`, its task results and its device capabilities.

The forms are those of the package amazon-braket-schemas (`braket.task_result`, `braket.device_schema.simulators`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .formats import Circuit, Done, Format, big_endian, width

OPERATIONS = (
    "ccnot",
    "cnot",
    "cphaseshift",
    "cswap",
    "cy",
    "cz",
    "h",
    "i",
    "phaseshift",
    "rx",
    "ry",
    "rz",
    "s",
    "si",
    "swap",
    "t",
    "ti",
    "v",
    "vi",
    "x",
    "y",
    "z",
)
RESULT_TYPES = [{"name": "Probability", "observables": None, "minShots": 1, "maxShots": 100_000}]


def _header(name: str, version: str = "1") -> dict[str, str]:
    return {"name": f"braket.{name}", "version": version}


def _write(done: Done) -> Mapping[str, Any]:
    """The result of a task, or of a program set where several programs were sent."""
    if isinstance(done.given, dict):
        return _program_set(done)
    (circuit,) = done.circuits
    return {
        "braketSchemaHeader": _header("task_result.gate_model_task_result"),
        **_measured(circuit),
        "taskMetadata": {
            "braketSchemaHeader": _header("task_result.task_metadata"),
            "id": done.job_id,
            "shots": done.shots,
            "deviceId": _arn(done.device),
            "status": "COMPLETED",
        },
        "additionalMetadata": {
            "action": {"braketSchemaHeader": _header("ir.openqasm.program"), "source": done.codes[0]},
        },
    }


def _measured(circuit: Circuit) -> Mapping[str, Any]:
    counts = big_endian(circuit["counts"])
    return {
        "measurements": [[int(bit) for bit in bits] for bits, count in counts.items() for _ in range(count)],
        "measuredQubits": list(range(width(counts))),
    }


def _program_set(done: Done) -> Mapping[str, Any]:
    programs = [
        {
            "braketSchemaHeader": _header("task_result.program_result"),
            "executableResults": [
                {
                    "braketSchemaHeader": _header("task_result.program_set_executable_result"),
                    "inputsIndex": 0,
                    **_measured(circuit),
                }
            ],
            "source": {"braketSchemaHeader": _header("ir.openqasm.program"), "source": code},
            "additionalMetadata": {
                "action": {"braketSchemaHeader": _header("ir.openqasm.program"), "source": code},
                "simulatorMetadata": {
                    "braketSchemaHeader": _header("task_result.simulator_metadata"),
                    "executionDuration": 0,
                },
            },
        }
        for circuit, code in zip(done.circuits, done.codes, strict=True)
    ]
    return {
        "braketSchemaHeader": _header("task_result.program_set_task_result"),
        "programResults": programs,
        "taskMetadata": {
            "braketSchemaHeader": _header("task_result.program_set_task_metadata"),
            "id": done.job_id,
            "deviceId": _arn(done.device),
            "requestedShots": done.shots,
            "successfulShots": sum(circuit["shots"] for circuit in done.circuits),
            "programMetadata": [{"executables": [{}]} for _ in programs],
            "status": "COMPLETED",
            "totalFailedExecutables": 0,
        },
    }


def _arn(device: str) -> str:
    return f"arn:aws:braket:::device/quantum-simulator/amazon/{device.lower()}"


def capabilities(qubits: int, shots: int) -> Mapping[str, Any]:
    """What the client makes its target from."""
    return {
        "braketSchemaHeader": _header("device_schema.simulators.gate_model_simulator_device_capabilities"),
        "service": {
            "braketSchemaHeader": _header("device_schema.device_service_properties"),
            "executionWindows": [
                {"executionDay": "Everyday", "windowStartHour": "00:00:00", "windowEndHour": "23:59:59"}
            ],
            "shotsRange": [1, shots],
        },
        "action": {
            "braket.ir.openqasm.program": {
                "version": ["1"],
                "actionType": "braket.ir.openqasm.program",
                "supportedOperations": list(OPERATIONS),
                "supportedResultTypes": RESULT_TYPES,
            }
        },
        "paradigm": {
            "braketSchemaHeader": _header("device_schema.simulators.gate_model_simulator_paradigm_properties"),
            "qubitCount": qubits,
        },
        "deviceParameters": {},
    }


FORMAT = Format("BRAKET_OPEN_QASM_V3", _write)
