"""Amazon Braket's OpenQASM 3 for `aws.sim.sv1`, its task results and its device capabilities.

The forms are those of the package amazon-braket-schemas (`braket.task_result`, `braket.device_schema.simulators`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .formats import Done, Format, as_sent, big_endian

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
DEVICE = "arn:aws:braket:::device/quantum-simulator/amazon/sv1"
RESULT_TYPES = [{"name": "Probability", "observables": None, "minShots": 1, "maxShots": 100_000}]


def _header(name: str, version: str = "1") -> dict[str, str]:
    return {"name": f"braket.{name}", "version": version}


def _write(done: Done) -> Mapping[str, Any]:
    counts = big_endian(done.counts)
    qubits = len(next(iter(counts), ""))
    return {
        "braketSchemaHeader": _header("task_result.gate_model_task_result"),
        "measurements": [[int(bit) for bit in bits] for bits, count in counts.items() for _ in range(count)],
        "measuredQubits": list(range(qubits)),
        "taskMetadata": {
            "braketSchemaHeader": _header("task_result.task_metadata"),
            "id": done.job_id,
            "shots": done.shots,
            "deviceId": DEVICE,
            "status": "COMPLETED",
        },
        "additionalMetadata": {
            "action": {"braketSchemaHeader": _header("ir.openqasm.program"), "source": done.code},
        },
    }


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


FORMAT = Format("BRAKET_OPEN_QASM_V3", as_sent, _write)
