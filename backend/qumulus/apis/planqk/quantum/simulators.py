"""The simulators that are answered for: what the clients' own tables of backends know by these ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qumulus.core.devices import IDEAL
from qumulus.core.errors import UnknownDevice

from . import braket, ionq, qsim
from .formats import Format

QUBITS = 25
SHOTS = 100_000
ONE_QUBIT = ("h", "x", "y", "z", "s", "sdg", "t", "tdg", "sx", "rx", "ry", "rz")


@dataclass(frozen=True, slots=True)
class Simulator:
    """One backend."""

    id: str
    provider: str
    hardware: str
    name: str
    gates: tuple[str, ...]
    format: Format
    technology: str = "UNKNOWN_TECHNOLOGY"
    device: str = IDEAL


SIMULATORS: Mapping[str, Simulator] = {
    each.id: each
    for each in (
        Simulator("kipu.sim.qsim", "KIPU", "KIPU", "qsim", (*ONE_QUBIT, "cx", "cz", "swap"), qsim.FORMAT),
        Simulator("aws.sim.sv1", "AWS", "AWS", "SV1", braket.OPERATIONS, braket.FORMAT),
        Simulator("azure.ionq.simulator", "AZURE", "IONQ", "IonQ Simulator", (*ONE_QUBIT, "cx", "swap"), ionq.FORMAT),
    )
}


def simulator(backend_id: str) -> Simulator:
    """The backend.

    Raises:
        UnknownDevice
    """
    try:
        return SIMULATORS[backend_id]
    except KeyError:
        raise UnknownDevice(backend_id) from None
