"""The backends that are answered for: what the clients' own tables know by these ids, and what runs their jobs here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qumulus.core.errors import UnknownDevice

from . import aqt, braket, ibm, ionq, qsim, qudora
from .formats import Format

IDEAL = "qulacs"  # the device without noise that computes what simulators do
SHOTS = 100_000
SEVERAL = 100  # circuits in one job
ONE_QUBIT = ("h", "x", "y", "z", "s", "sdg", "t", "tdg", "sx", "rx", "ry", "rz")
CIRCUITS = (*ONE_QUBIT, "cx", "cz", "swap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One backend."""

    id: str
    provider: str
    hardware: str
    name: str
    format: Format
    device: str = IDEAL  # the core's
    gates: tuple[str, ...] = ()  # of a simulator; a device has those of its calibration
    qubits: int = 25  # of a simulator
    circuits: int = 1  # in one job
    for_tests: bool = False

    @property
    def simulator(self) -> bool:
        """Whether it computes without noise, and has no calibration and no sessions."""
        return self.device == IDEAL

    @property
    def device_name(self) -> str:
        """What its own provider calls it."""
        return self.name if self.simulator else f"ibm_{self.device}"


def _simulators() -> tuple[Known, ...]:
    return (
        Known(id="kipu.sim.qsim", provider="KIPU", hardware="KIPU", name="qsim", gates=CIRCUITS, format=qsim.FORMAT),
        Known(
            id="aws.sim.sv1",
            provider="AWS",
            hardware="AWS",
            name="SV1",
            gates=braket.OPERATIONS,
            format=braket.FORMAT,
            qubits=34,
            circuits=SEVERAL,
        ),
        Known(
            id="aws.sim.dm1",
            provider="AWS",
            hardware="AWS",
            name="DM1",
            gates=braket.OPERATIONS,
            format=braket.FORMAT,
            qubits=17,
            circuits=SEVERAL,
        ),
        Known(
            id="azure.ionq.simulator",
            provider="AZURE",
            hardware="IONQ",
            name="IonQ Simulator",
            gates=(*ONE_QUBIT, "cx", "swap"),
            format=ionq.FORMAT,
            qubits=29,
        ),
        Known(
            id="aqt.sim.ideal",
            provider="AQT",
            hardware="AQT",
            name="Ideal Simulator",
            gates=("r", "rz", "rxx"),
            format=aqt.FORMAT,
            qubits=20,
            circuits=SEVERAL,
        ),
        Known(
            id="qudora.sim.xg1",
            provider="QUDORA",
            hardware="QUDORA",
            name="XG1 Simulator",
            gates=CIRCUITS,
            format=qudora.FORMAT,
            circuits=SEVERAL,
        ),
    )


PROCESSORS = (  # the newer client's, then those that the older one alone knows
    *("aachen", "berlin", "boston", "fez", "kingston", "marrakesh", "miami", "pittsburgh"),
    *("brussels", "strasbourg", "torino"),
)
NEWER = frozenset(PROCESSORS[:8])
TESTS = {"eagle": "brisbane", "heron": "fez", "nighthawk": "nighthawk"}  # the processor that stands for a family


def _ibm(name: str, device: str, *, for_tests: bool = False) -> Known:
    place = "test" if for_tests else "qpu"
    return Known(
        id=f"ibm.{place}.{name}",
        provider="IBM",
        hardware="IBM",
        name=f"IBM {name.capitalize()}",
        format=ibm.FORMAT,
        device=device,
        circuits=SEVERAL,
        for_tests=for_tests,
    )


BACKENDS: Mapping[str, Known] = {
    each.id: each
    for each in (
        *_simulators(),
        *(_ibm(name, name) for name in PROCESSORS),
        *(_ibm(family, device, for_tests=True) for family, device in TESTS.items()),
    )
}


def backend(backend_id: str) -> Known:
    """The backend.

    Raises:
        UnknownDevice
    """
    try:
        return BACKENDS[backend_id]
    except KeyError:
        raise UnknownDevice(backend_id) from None


def device_of(backend_id: str) -> str:
    """The core's name of the device behind a backend; the id itself where there is none."""
    known = BACKENDS.get(backend_id)
    return known.device if known else backend_id
