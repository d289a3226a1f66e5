"""The steps of a circuit: what the methods of simulation work on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from qiskit.circuit import Parameter, ParameterExpression

from .classical import Memory, Value
from .errors import ProgramError
from .formulas import Formula
from .transfer import DEPHASING, Matrix

UNREAD = "measure"
"""The name of the channel that a measurement is whose bit nothing reads."""

Binding = Mapping[Parameter, float]
Transfer = Matrix | Callable[[Binding], Matrix]


@dataclass(frozen=True, slots=True)
class Channel:
    """A gate, a reset, a delay, an error or a reading that nobody reads, with its noise.

    A parametric one computes its matrix from the values.
    """

    qubits: tuple[int, ...]
    transfer: Transfer
    name: str  # Qiskit's name of the operation; "delay", "wait" for others, or "error" for one that stands alone
    parameters: tuple[Any, ...] = ()  # numbers or expressions
    lasts: float | Callable[[Binding], float] | None = None  # seconds of a delay; None for what lasts as calibrated


@dataclass(frozen=True, slots=True)
class Measure:
    """A reading of ``qubit`` into the classical ``bit``."""

    qubit: int
    bit: int
    name: str = "measure"  # of the operation: devices have several, of different lengths


@dataclass(frozen=True, slots=True)
class Barrier:
    """What stands before it on any of its qubits ends before anything behind it begins. Only `schedule` sees it."""

    qubits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Choose:
    """The body of the first case whose label is the value; a case without labels takes all that is left."""

    value: Value
    cases: tuple[tuple[tuple[int, ...] | None, tuple[Step, ...]], ...]
    reads: frozenset[int]  # the bits that the value depends on
    formulas: Callable[[], Sequence[Formula | None]]  # for each case whether it is that, where it is a formula


@dataclass(frozen=True, slots=True)
class Repeat:
    """The body, as long as the value is not zero."""

    value: Value
    body: tuple[Step, ...]
    reads: frozenset[int]


@dataclass(frozen=True, slots=True)
class Assign:
    """A classical variable, a bit or a register gets a value."""

    write: Callable[[Memory, Any], None]
    value: Value
    writes: frozenset[int]  # the bits that it sets; variables are none
    reads: frozenset[int]  # the bits that the value depends on
    formulas: Callable[[], Mapping[int, Formula] | None]  # what each place of the memory gets, where these are formulas


Step = Channel | Measure | Barrier | Choose | Repeat | Assign


def bodies(step: Step) -> Sequence[tuple[Step, ...]]:
    """The bodies of a conditional step or a loop."""
    if isinstance(step, Choose):
        return [body for _, body in step.cases]
    return (step.body,) if isinstance(step, Repeat) else ()


def touched(step: Step) -> Iterator[int]:
    """All qubits that a step or its bodies touch."""
    if isinstance(step, Channel | Barrier):
        yield from step.qubits
    elif isinstance(step, Measure):
        yield step.qubit
    else:
        for body in bodies(step):
            for inner in body:
                yield from qubits_of(inner)


def qubits_of(step: Step) -> Iterable[int]:
    """The same, without a generator where the step has no bodies: most steps are channels."""
    return step.qubits if isinstance(step, Channel) else touched(step)


def needed(steps: list[Step], observed: set[int], ignored: Iterable[int] = ()) -> tuple[list[Step], dict[int, int]]:
    """The steps that an output depends on, in order, and the terminal measurements.

    Backwards: a qubit is live once something kept touches it, and a channel on no live qubit changes no output. A reading
    of a bit that nothing reads and that is no output, because it is written again or one of the ``ignored``, dephases its
    qubit if that is live, and is nothing else. A measurement is terminal if its qubit is not live, nothing depends on its
    bit, and nothing writes it again, not even perhaps.
    """
    live, unwanted, read, written = set(observed), set(ignored), set[int](), set[int]()
    kept, terminal = list[Step](), dict[int, int]()
    for step in reversed(steps):
        if isinstance(step, Channel):
            if not live.isdisjoint(step.qubits):
                kept.append(step)
                live.update(step.qubits)
            continue
        if isinstance(step, Measure):
            was_read, was_written = step.bit in read, step.bit in written
            read.discard(step.bit)
            if step.bit in unwanted:
                if step.qubit in live:
                    kept.append(Channel((step.qubit,), DEPHASING, UNREAD))
                continue
            unwanted.add(step.bit)
            if step.qubit not in live and not was_read and not was_written:
                terminal[step.qubit] = step.bit
                live.add(step.qubit)
                continue
        elif _changes_nothing(step, live, unwanted):
            continue
        else:
            depends = set(bits_read(step))
            read |= depends
            unwanted -= depends
            written.update(bits_written(step))
        kept.append(step)
        live.update(touched(step))
    kept.reverse()
    return kept, dict(reversed(terminal.items()))


def _changes_nothing(step: Step, live: set[int], unwanted: set[int]) -> bool:
    """Whether a conditional step touches no live qubit and sets no bit that counts. Loops may not end, and variables count."""
    if isinstance(step, Repeat) or (isinstance(step, Assign) and not step.writes):
        return False
    inner = (one for body in bodies(step) for one in body)
    return (
        live.isdisjoint(touched(step))
        and unwanted.issuperset(bits_written(step))
        and all(isinstance(one, Channel | Measure) or _changes_nothing(one, live, unwanted) for one in inner)
    )


def bits_read(step: Step) -> Iterator[int]:
    """The bits that a step or its bodies depend on."""
    if isinstance(step, Channel):  # most are
        return
    if isinstance(step, Choose | Repeat | Assign):
        yield from step.reads
    for body in bodies(step):
        for inner in body:
            yield from bits_read(inner)


def bits_written(step: Step, *, stored: bool = True) -> Iterator[int]:
    """The bits that a step or its bodies write, by storing a value only if ``stored``."""
    if isinstance(step, Channel):  # most are
        return
    if isinstance(step, Measure):
        yield step.bit
    if stored and isinstance(step, Assign):
        yield from step.writes
    for body in bodies(step):
        for inner in body:
            yield from bits_written(inner, stored=stored)


def relabelled(step: Step, active: Mapping[int, int]) -> Step:
    """The same step on active qubits."""
    if isinstance(step, Channel):
        return Channel(tuple([active[qubit] for qubit in step.qubits]), step.transfer, step.name, step.parameters)
    if isinstance(step, Measure):
        return Measure(active[step.qubit], step.bit, step.name)
    if isinstance(step, Choose):
        return Choose(
            step.value,
            tuple((labels, tuple(relabelled(inner, active) for inner in body)) for labels, body in step.cases),
            step.reads,
            step.formulas,
        )
    if isinstance(step, Repeat):
        return Repeat(step.value, tuple(relabelled(inner, active) for inner in step.body), step.reads)
    return step


def number(value: Any, given: Binding) -> float:
    """The number of a parameter, with all values given.

    Raises:
        ProgramError: an expression has no finite real value.
    """
    if not isinstance(value, ParameterExpression):
        return value
    if isinstance(value, Parameter):
        return finite(given[value])
    try:
        return finite(value.bind({parameter: given[parameter] for parameter in value.parameters}).numeric())
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ProgramError(
            f"The expression {str(value)[:80]} has no finite real value: change it or the values in it."
        ) from error


def finite(value: Any) -> float:
    """A number of a gate or a delay.

    Raises:
        ProgramError: it is infinite or none: what is computed with it would be nothing that a device does.
    """
    found = float(value)
    if not isfinite(found):
        raise ProgramError(f"An angle or a duration is {found}: give finite numbers.")
    return found
