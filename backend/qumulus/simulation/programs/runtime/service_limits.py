"""The limits of the service itself, for programs: see `payloads.runtime_limits` for what they are and who says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qiskit.circuit import ClassicalRegister, QuantumCircuit
from qiskit.circuit.classical import expr, types

from qumulus.payloads import runtime_errors as errors
from qumulus.payloads import runtime_limits as limits
from qumulus.simulation.devices import DeviceModel

from .failures import objection

_ARITHMETIC = frozenset({expr.Binary.Op.ADD, expr.Binary.Op.SUB, expr.Binary.Op.MUL, expr.Binary.Op.DIV})
_WITHOUT_EXPRESSIONS = frozenset({"measure", "measure_2", "reset", "reset_2", "barrier"})
_MOST_WEIGHT = max(limits.CONTROL_INSTRUCTIONS.values())
_PAIR = limits.CONTROL_INSTRUCTIONS["ecr"]
_SAYS = "IBM's backends take only if_test of control flow"


@dataclass(frozen=True, slots=True, eq=False)
class ServiceLimits:
    """What jobs on a device are held to."""

    model: DeviceModel

    def dynamic(self, circuit: QuantumCircuit) -> None:
        """See that a circuit has no control flow that hardware does not take.

        Raises:
            ProgramError: it has a loop, a switch, a condition within a condition, something under a condition that may not
                stand there, a comparison of too many bits, or arithmetic.
        """
        for line in _flat(circuit):
            if line.is_standard_gate():  # most are
                continue
            _check_operands(line)
            if line.name in limits.NO_CONTROL_FLOW:
                raise objection(errors.NOT_SUPPORTED, line.name, detail=f"{_SAYS}.")
            if line.name == "if_else":
                for block in line.operation.blocks:
                    _check_body(block)

    def static(self, circuit: QuantumCircuit) -> None:
        """See that a circuit has no control flow at all, which the estimator does not take.

        Raises:
            ProgramError: it has some.
        """
        for line in _flat(circuit):
            if line.is_control_flow() and line.name != "box":
                raise objection(
                    errors.NOT_SUPPORTED, line.name, detail="The estimator takes no dynamic circuits: use the sampler."
                )

    def twirled(self, circuit: QuantumCircuit, *, gates: bool, measurements: bool) -> None:
        """See that what is twirled can be twirled.

        Raises:
            ProgramError: fractional gates or stretches under gate twirling, or a store under measurement twirling.
        """
        if not (gates or measurements):
            return
        names = {line.name for line in _flat(circuit)}
        if gates and not names.isdisjoint(limits.FRACTIONAL_GATES):
            raise objection(errors.TWIRLED_FRACTIONAL)
        if gates and circuit.num_stretches:
            raise objection(errors.INVALID, detail="Gate twirling does not go with stretches: turn one of them off.")
        if measurements and "store" in names:
            raise objection(errors.INVALID, detail="Measurement twirling does not go with the store instruction.")

    def executions(self, number: int) -> None:
        """See that a sampler job has no more executions than a result may hold.

        Raises:
            ProgramError: it has.
        """
        most = _value(limits.SAMPLER_EXECUTIONS)
        if number > most:
            raise objection(
                errors.TOO_MANY_SHOTS,
                number,
                most,
                detail="A sampler job may have so many executions, sets of values times shots: send several jobs.",
            )

    def delay(self, rep_delay: float | None) -> None:
        """See that the device can wait so long between two shots.

        Raises:
            ProgramError: it can't.
        """
        known = self.model.configuration.get("rep_delay_range")
        if rep_delay is None or not known:
            return
        shortest, longest = (float(end) * 1e-6 for end in known)
        if not shortest * (1 - 1e-9) <= rep_delay <= longest * (1 + 1e-9):
            raise objection(
                errors.DELAY_NOT_SUPPORTED, f"{rep_delay:g} s", detail=f"It may be {shortest:g} to {longest:g} s here."
            )

    def sizes(self, circuits: Sequence[QuantumCircuit], *, reset: bool, folded: float = 1.0) -> None:
        """See that the circuits of a job are not too large; gates on two qubits are run ``folded`` times.

        Raises:
            ProgramError: a circuit has too many gates, or a qubit too many instructions of the control system.
        """
        for circuit in circuits:
            _check_gates(circuit.count_ops(), folded)
        most = _value(limits.QUBIT_INSTRUCTIONS)
        if sum(len(circuit.data) + 1 for circuit in circuits) * _MOST_WEIGHT * folded <= most:
            return  # whichever qubit they are on
        weights = Counter[int]()
        for circuit in circuits:
            _weigh(circuit, weights, reset=reset, folded=folded)
        if (largest := max(weights.values(), default=0)) > most:
            raise objection(
                errors.TOO_LONG,
                detail=f"A qubit has {largest:,} instructions of the control system and may have {most:,}.",
            )


def _check_gates(counted: Mapping[str, int], folded: float) -> None:
    """See that a circuit has no more gates than one may have."""
    pairs = sum(n for name, n in counted.items() if limits.CONTROL_INSTRUCTIONS.get(name) == _PAIR) * folded
    for what, number, limit in (
        ("rz gates", counted.get("rz", 0), limits.RZ_GATES),
        ("sx gates", counted.get("sx", 0), limits.SX_GATES),
        ("gates on two qubits", pairs, limits.TWO_QUBIT_GATES),
    ):
        if number > _value(limit):
            detail = f"A circuit has {number:,.0f} {what} and may have {_value(limit):,}."
            raise objection(errors.TOO_LONG, detail=detail)


def _weigh(circuit: QuantumCircuit, weights: Counter[int], *, reset: bool, folded: float) -> None:
    """Add the instructions of the control system that a circuit has on each qubit."""
    for line in circuit.data:
        weight = limits.CONTROL_INSTRUCTIONS.get(line.name, 0) * (folded if len(line.qubits) == 2 else 1.0)
        weights.update({circuit.find_bit(qubit).index: round(weight) for qubit in line.qubits})
    if reset:
        weights.update(dict.fromkeys(range(circuit.num_qubits), limits.CONTROL_INSTRUCTIONS["init"]))


def _flat(circuit: QuantumCircuit) -> Iterator[Any]:
    """The instructions of a circuit, those of its boxes among them; the bodies of other control flow are left to the caller."""
    for line in circuit.data:
        yield line
        if line.name == "box":
            yield from _flat(line.operation.blocks[0])


def _check_body(block: QuantumCircuit) -> None:
    """See that what stands under a condition may stand there."""
    for line in _flat(block):
        _check_operands(line)
        if line.name in limits.NOT_IN_CONDITIONALS:
            raise objection(
                errors.NOT_SUPPORTED,
                line.name,
                detail="It stands under a condition, where IBM's backends don't take it.",
            )
        if line.is_control_flow() and line.name != "box":
            raise objection(
                errors.NOT_SUPPORTED, line.name, detail="It stands under a condition; nested conditions are not taken."
            )


def _check_operands(line: Any) -> None:
    """See that conditions compare few bits, and that nothing is computed but with bits."""
    if line.name in _WITHOUT_EXPRESSIONS:
        return
    condition = getattr(line.operation, "condition", None)
    expressions = [value for value in (condition, *line.params) if isinstance(value, expr.Expr)]
    widths = [condition[0].size] if isinstance(condition, tuple) and isinstance(condition[0], ClassicalRegister) else []
    for node in _nodes(expressions):
        if isinstance(node, expr.Binary) and node.op in _ARITHMETIC and not isinstance(node.type, types.Duration):
            raise objection(
                errors.NOT_SUPPORTED, line.name, detail="It computes with numbers, which IBM's backends don't take."
            )
        if isinstance(node, expr.Var) and isinstance(node.type, types.Uint) and line.is_control_flow():
            widths.append(node.type.width)
    most = _value(limits.OPERAND_BITS)
    if any(width > most for width in widths):
        raise objection(
            errors.NOT_SUPPORTED,
            line.name,
            detail=f"It compares {max(widths)} bits, and may compare {most}: compare single bits, or a smaller register.",
        )


def _nodes(expressions: Iterable[expr.Expr]) -> Iterator[expr.Expr]:
    """The expressions with all that they are made of."""
    left = list(expressions)
    while left:
        node = left.pop()
        yield node
        left += [
            value for value in map(_member(node), ("operand", "left", "right", "target", "index")) if value is not None
        ]


def _member(node: expr.Expr) -> Any:
    return lambda name: value if isinstance(value := getattr(node, name, None), expr.Expr) else None


def _value(limit: limits.Limit) -> int:
    """The value of a limit that is enforced."""
    if limit.value is None:
        raise ValueError("This limit is not enforced.")
    return round(limit.value)
