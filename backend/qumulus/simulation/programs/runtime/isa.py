"""Whether a circuit is written in the instructions of the device, as the service checks it before it runs a primitive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import pi
from typing import Any

from qiskit.circuit import ParameterExpression, QuantumCircuit

from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.steps import Binding

from .failures import not_isa

_ANYWHERE = frozenset({"barrier", "store"})
_LARGEST_RZZ = pi / 2 + 1e-10  # the client allows for as much of rounding


@dataclass(eq=False)
class Instructions:
    """The instructions of one device."""

    model: DeviceModel
    device: str

    def check(self, circuit: QuantumCircuit) -> list[ParameterExpression]:
        """Check a circuit and give the angles of rzz that are known only with the parameters' values.

        Raises:
            ProgramError: the circuit has more qubits than the device, an instruction that the device does not have on
                those qubits, or an rzz beyond [0, π/2].
        """
        if self.model.ideal:
            return []
        if circuit.num_qubits > self.model.n_qubits:
            raise not_isa(
                f"The circuit has {circuit.num_qubits} qubits but the target system requires {self.model.n_qubits} qubits."
            )
        angles = list(self._angles(circuit, range(circuit.num_qubits)))
        for angle in angles:
            if not isinstance(angle, ParameterExpression):
                check_rzz(float(angle))
        return [angle for angle in angles if isinstance(angle, ParameterExpression)]

    def has(self, name: str, qubits: tuple[int, ...]) -> bool:
        """Whether the device has an instruction on these qubits."""
        return name in _ANYWHERE or self.model.supports(name, qubits)

    def _angles(self, circuit: QuantumCircuit, places: Any) -> Iterator[Any]:
        where = dict(zip(circuit.qubits, places, strict=False))
        for instruction in circuit.data:
            name, qubits = instruction.name, tuple([where[qubit] for qubit in instruction.qubits])
            if not self.has(name, qubits):
                raise self._missing(name, qubits)
            if name == "rzz":
                yield instruction.params[0]
            if instruction.is_control_flow():
                for block in instruction.operation.blocks:
                    yield from self._angles(block, qubits)

    def _missing(self, name: str, qubits: tuple[int, ...]) -> Exception:
        faulty = [q for q in qubits if not self.model.isa_target.instruction_supported("measure", (q,))]
        if faulty:
            return not_isa(f"The instruction {name} acts on qubit {faulty[0]}, which is faulty on {self.device}.")
        return not_isa(f"The instruction {name} on qubits {qubits} is not supported by the target system.")


def check_rzz(angle: float, values: Binding | Mapping[Any, float] | None = None) -> None:
    """Check the angle of an rzz: it is calibrated for [0, π/2] only.

    Raises:
        ProgramError: the angle lies outside; ``values`` are named in the message.
    """
    if 0.0 <= angle <= _LARGEST_RZZ:
        return
    given = ", ".join(f"{parameter.name}={value}" for parameter, value in (values or {}).items())
    raise not_isa(
        f"The instruction rzz is supported only for angles in the range [0, pi/2], but an angle ({angle}) outside of "
        f"this range has been requested{f'; via {given}' if given else ''}."
    )
