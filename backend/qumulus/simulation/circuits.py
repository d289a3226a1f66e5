"""From a circuit to steps: one linear scan.

`scan` walks a circuit once and gives an `ActiveCircuit`: channels and measurements on relabelled qubits, with the noise of
the device in every channel. What no output depends on is left out: operations after the last measurement of all that they
touch, and qubits that only stand in the register. A measurement after which neither its qubit nor its bit is touched
again is *terminal* and needs no branching.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from qiskit.circuit import Clbit, ParameterExpression, QuantumCircuit
from qiskit.circuit.classical import expr
from qiskit.utils.units import apply_prefix

from . import gates, length, schedule
from .classical import bits_of, compile_lvalue, compile_value
from .devices import DeviceModel
from .durations import linear
from .errors import ProgramError, Refused
from .formulas import TRUE, Formula, formula_of, matches, stored
from .steps import (
    Assign,
    Barrier,
    Binding,
    Channel,
    Choose,
    Measure,
    Repeat,
    Step,
    finite,
    needed,
    number,
    qubits_of,
    relabelled,
)
from .transfer import RESET, Matrix

MOST_STEPS = 2_000_000
"""Steps of one circuit with all its loops unrolled."""


@dataclass(frozen=True, slots=True, eq=False)
class ActiveCircuit:
    """What of a circuit has to be simulated. Active qubits are numbered from 0 in the order of their first use."""

    model: DeviceModel
    physical: tuple[int, ...]  # of each active qubit
    steps: tuple[Step, ...]  # everything before the terminal measurements
    terminal: Mapping[int, int]  # active qubit -> classical bit
    registers: Mapping[str, tuple[int, ...]]  # name -> classical bits, the least significant first
    n_bits: int  # classical bits of the circuit
    n_memory: int  # the same with the bits of its variables
    parametric: bool
    ignored: frozenset[int] = frozenset()  # bits that are no outputs
    wires: int = 0  # further qubits that hold bits, after the active ones; see `deferral`
    recorded: frozenset[int] = frozenset()  # wires, and qubits that became one: what they hold was read already

    @property
    def dynamic(self) -> bool:
        """Whether something is measured before the end or depends on a classical value."""
        return not all(isinstance(step, Channel) for step in self.steps)

    @property
    def n_qubits(self) -> int:
        """The number of active qubits and wires."""
        return len(self.physical) + self.wires

    def confusion(self, qubit: int) -> Matrix:
        """The readout confusion of an active qubit, confusion[read, true]; shape (2, 2)."""
        noise = self.model.noise
        return np.eye(2) if noise is None or qubit in self.recorded else noise.confusion[self.physical[qubit]]


def too_long() -> Refused:
    """The error of a circuit with too many steps."""
    return Refused(f"The circuit has more than {MOST_STEPS} steps when its loops are unrolled.", {"steps": MOST_STEPS})


def scan(
    circuit: QuantumCircuit, model: DeviceModel, *, observed: Iterable[int] = (), ignored: Iterable[Clbit] = ()
) -> ActiveCircuit:
    """Read a circuit once; ``observed`` qubits (physical) count as outputs even if nothing measures them.

    The bits are outputs but for the ``ignored`` ones, which only steer.

    Raises:
        ProgramError: the circuit uses more qubits than the device has, or something that cannot be simulated.
        Refused: unrolled, it is too long.
    """
    if not model.ideal and circuit.num_qubits > model.n_qubits:
        raise ProgramError(
            f"The circuit has {circuit.num_qubits} qubits and {model.name} only {model.n_qubits}: "
            "transpile it for the device."
        )
    if length.steps(circuit) > MOST_STEPS:
        raise too_long()
    scanner = _Scanner(circuit, model)
    steps = list(scanner.read(circuit, range(circuit.num_qubits), scanner.bits, {}))
    if model.scheduled:
        steps = schedule.with_waits(steps, model, observed=observed, joined=scanner.memory_size > len(scanner.bits))
    without = frozenset(scanner.bits[bit] for bit in ignored)
    kept, terminal = needed(steps, set(observed), without)
    physical = tuple(dict.fromkeys([*chain.from_iterable(map(qubits_of, kept)), *terminal, *observed]))
    active = {qubit: index for index, qubit in enumerate(physical)}
    return ActiveCircuit(
        model=model,
        physical=physical,
        steps=tuple(relabelled(step, active) for step in kept),
        terminal={active[qubit]: bit for qubit, bit in terminal.items()},
        registers={r.name: tuple(scanner.bits[bit] for bit in r) for r in circuit.cregs},
        n_bits=circuit.num_clbits,
        n_memory=scanner.memory_size,
        parametric=scanner.parametric,
        ignored=without,
    )


@dataclass(eq=False)
class _Scanner:
    circuit: QuantumCircuit
    model: DeviceModel
    bits: dict[Clbit, int] = field(init=False)
    variables: dict[Any, tuple[int, ...]] = field(default_factory=dict)
    memory_size: int = field(init=False)
    parametric: bool = False
    _left: int = MOST_STEPS

    def __post_init__(self) -> None:
        self.bits = {bit: index for index, bit in enumerate(self.circuit.clbits)}
        self.memory_size = len(self.bits)

    def read(
        self, circuit: QuantumCircuit, qubits: Sequence[int], bits: Mapping[Clbit, int], binding: Binding
    ) -> Iterator[Step]:
        """The steps of a circuit whose qubits and bits stand for physical qubits and bits of the whole circuit."""
        where = dict(zip(circuit.qubits, qubits, strict=True))
        for variable in circuit.iter_declared_vars():
            width = getattr(variable.type, "width", 1)
            self.variables[variable] = tuple(range(self.memory_size, self.memory_size + width))
            self.memory_size += width
        if circuit.num_input_vars:
            raise ProgramError("The circuit has input variables and nobody gives their values: declare them instead.")
        for instruction in circuit.data:
            self._count()
            physical = tuple([where[qubit] for qubit in instruction.qubits])
            if 0 < len(physical) <= 2 and instruction.is_standard_gate():  # most are
                yield self._gate(instruction.name, instruction.params, physical, binding)
            else:
                yield from self._steps(instruction, physical, [bits[bit] for bit in instruction.clbits], bits, binding)

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise too_long()

    def _steps(
        self,
        instruction: Any,
        physical: tuple[int, ...],
        clbits: Sequence[int],
        bits: Mapping[Clbit, int],
        binding: Binding,
    ) -> Iterator[Step]:
        name = instruction.name
        if instruction.is_standard_gate():
            if physical:
                yield from self.read(instruction.operation.definition, physical, {}, binding)
        elif reader := _READERS.get(name):
            yield from reader(self, instruction, physical, clbits, bits, binding)
        elif not getattr(instruction.operation, "_directive", False):
            yield from self._custom(instruction, physical, clbits, binding)
        elif name == "barrier" and self.model.scheduled:
            yield Barrier(physical)

    def _gate(self, name: str, parameters: Sequence[Any], physical: tuple[int, ...], binding: Binding) -> Channel:
        if not parameters:
            return Channel(physical, gates.standard(self.model, name, (), physical), name)
        values = [_bound(parameter, binding) for parameter in parameters]
        if any(isinstance(value, ParameterExpression) for value in values):
            self.parametric = True
            model = self.model

            def transfer(given: Binding) -> Matrix:
                return gates.standard(model, name, [number(value, given) for value in values], physical)

            return Channel(physical, transfer, name, tuple(values))
        return Channel(physical, gates.standard(self.model, name, values, physical), name, tuple(values))

    def _custom(
        self, instruction: Any, physical: tuple[int, ...], clbits: Sequence[int], binding: Binding
    ) -> Iterator[Step]:
        operation = instruction.operation
        definition = getattr(operation, "definition", None)
        if definition is not None:
            inner = dict(zip(definition.clbits, clbits, strict=True))
            yield from self.read(definition, physical, inner, binding)
        elif len(physical) <= 2:
            yield Channel(physical, gates.custom(self.model, operation, physical), operation.name)
        else:
            raise ProgramError(f"The instruction {instruction.name!r} on {len(physical)} qubits has no definition.")

    def _measure(self, instruction: Any, physical: tuple[int, ...], clbits: Sequence[int], *_: Any) -> Iterator[Step]:
        error = self.model.error(instruction.name, physical)
        if error is not None:
            yield Channel(physical, error, "error")
        yield Measure(physical[0], clbits[0], instruction.name)

    def _reset(self, instruction: Any, physical: tuple[int, ...], *_: Any) -> Iterator[Step]:
        error = self.model.error(instruction.name, physical)
        lasts = self.model.cycles(instruction.name, physical) * self.model.cycle
        yield Channel(physical, RESET if error is None else error @ RESET, "reset", lasts=lasts)

    def _delay(
        self, instruction: Any, physical: tuple[int, ...], _clbits: Any, _bits: Any, binding: Binding
    ) -> Iterator[Step]:
        noise = self.model.noise
        if noise is None:
            return
        length, unit = instruction.params[0], instruction.operation.unit
        if isinstance(length, expr.Expr):
            unit, length = "s", linear(length, self.model.cycle).constant() * self.model.cycle
        duration = _bound(length, binding)
        if unit == "dt" and self.model.dt is None:
            raise ProgramError(f"{self.model.name} has no dt: give delays in seconds.")
        scale = self.model.cycle if unit == "dt" else apply_prefix(1.0, unit)

        def relaxation(value: float) -> Matrix:
            if value < 0:
                raise ProgramError(f"A delay of {value:g} {unit} is not possible: give one that is not negative.")
            return noise.relaxation(physical[0], value * scale)

        if isinstance(duration, ParameterExpression):
            self.parametric = True
            yield Channel(
                physical,
                lambda given: relaxation(number(duration, given)),
                "delay",
                lasts=lambda given: number(duration, given) * scale,
            )
        elif duration:
            yield Channel(physical, relaxation(duration), "delay", lasts=float(duration) * scale)

    def _body(
        self, block: QuantumCircuit, physical: tuple[int, ...], clbits: Sequence[int], binding: Binding
    ) -> tuple[Step, ...]:
        return tuple(self.read(block, physical, dict(zip(block.clbits, clbits, strict=True)), binding))

    def _if(
        self,
        instruction: Any,
        physical: tuple[int, ...],
        clbits: Sequence[int],
        bits: Mapping[Clbit, int],
        binding: Binding,
    ) -> Iterator[Step]:
        operation = instruction.operation
        value = compile_value(operation.condition, bits, self.variables)
        then, *otherwise = (self._body(block, physical, clbits, binding) for block in operation.blocks)
        cases = (((1,), then), *((None, body) for body in otherwise))

        def formulas() -> list[Formula | None]:
            return [formula_of(operation.condition, bits, self.variables), *(TRUE for _ in otherwise)]

        yield Choose(value, cases, bits_of(operation.condition, bits), formulas)

    def _switch(
        self,
        instruction: Any,
        physical: tuple[int, ...],
        clbits: Sequence[int],
        bits: Mapping[Clbit, int],
        binding: Binding,
    ) -> Iterator[Step]:
        operation = instruction.operation
        value = compile_value(operation.target, bits, self.variables)
        cases = tuple(
            (
                None if any(not isinstance(label, int) for label in labels) else tuple(int(label) for label in labels),
                self._body(block, physical, clbits, binding),
            )
            for labels, block in operation.cases_specifier()
        )

        def formulas() -> list[Formula | None]:
            found = (
                TRUE if labels is None else matches(operation.target, labels, bits, self.variables)
                for labels, _ in cases
            )
            return list(found)

        yield Choose(value, cases, bits_of(operation.target, bits), formulas)

    def _for(
        self, instruction: Any, physical: tuple[int, ...], clbits: Sequence[int], _bits: Any, binding: Binding
    ) -> Iterator[Step]:
        indices, parameter, body = instruction.operation.params
        for index in indices:
            self._count()  # a body may be empty
            yield from self._body(
                body, physical, clbits, binding if parameter is None else {**binding, parameter: index}
            )

    def _while(
        self,
        instruction: Any,
        physical: tuple[int, ...],
        clbits: Sequence[int],
        bits: Mapping[Clbit, int],
        binding: Binding,
    ) -> Iterator[Step]:
        operation = instruction.operation
        value = compile_value(operation.condition, bits, self.variables)
        body = self._body(operation.blocks[0], physical, clbits, binding)
        yield Repeat(value, body, bits_of(operation.condition, bits))

    def _box(
        self, instruction: Any, physical: tuple[int, ...], clbits: Sequence[int], _bits: Any, binding: Binding
    ) -> Iterator[Step]:
        yield from self._body(instruction.operation.blocks[0], physical, clbits, binding)

    def _store(
        self, instruction: Any, _physical: Any, _clbits: Any, bits: Mapping[Clbit, int], _binding: Binding
    ) -> Iterator[Step]:
        operation = instruction.operation
        yield Assign(
            compile_lvalue(operation.lvalue, bits, self.variables),
            compile_value(operation.rvalue, bits, self.variables),
            bits_of(operation.lvalue, bits),
            bits_of(operation.rvalue, bits),
            lambda: stored(operation.lvalue, operation.rvalue, bits, self.variables),
        )

    def _jump(self, instruction: Any, *_: Any) -> Iterator[Step]:
        raise ProgramError(f"{instruction.name} is not simulated: leave the loop by its condition.")


_READERS: dict[str, Callable[..., Iterator[Step]]] = {
    "measure": _Scanner._measure,
    "measure_2": _Scanner._measure,
    "reset": _Scanner._reset,
    "reset_2": _Scanner._reset,
    "delay": _Scanner._delay,
    "if_else": _Scanner._if,
    "switch_case": _Scanner._switch,
    "for_loop": _Scanner._for,
    "while_loop": _Scanner._while,
    "box": _Scanner._box,
    "store": _Scanner._store,
    "break_loop": _Scanner._jump,
    "continue_loop": _Scanner._jump,
}
"""Operations that are not gates, by name."""


def _bound(parameter: Any, binding: Binding) -> Any:
    """A number where it can be known from the loops around, else the expression."""
    if not isinstance(parameter, ParameterExpression):
        return finite(parameter)
    if parameter.parameters <= binding.keys():
        return number(parameter, binding)
    known = {p: binding[p] for p in parameter.parameters if p in binding}
    return parameter.bind(known) if known else parameter
