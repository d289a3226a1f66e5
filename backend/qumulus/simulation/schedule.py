"""When each operation of a circuit happens, and how long its qubits wait for others.

As on the service, every operation begins as late as what follows it allows, with the lengths that the calibration says:

    distance(operation) = max over its wires of distance(next on the wire) + length(next on the wire),

the distance from its end to the end of the circuit. A qubit waits between an operation's end and the begin of the next
one on it, and relaxes meanwhile. Before its first operation a qubit is in |0⟩, which does not decay.

Wires are qubits and classical bits (b is written ~b): what reads a bit begins when the bit is known. A conditional lasts
`FEED_FORWARD` and then as long as its longest body. A loop whose rounds nobody knows beforehand lasts one round for those
who wait for it. Times count in cycles of the device, see `DeviceModel.cycle`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from .devices import DeviceModel
from .formulas import TRUE
from .steps import Assign, Barrier, Binding, Channel, Choose, Measure, Repeat, Step, bodies, touched
from .transfer import Matrix

FEED_FORWARD = 60e-9
"""Seconds from the end of a measurement to the begin of what depends on it. IBM's guide to circuit timing prints 15 cycles
of 4 ns between the two (https://quantum.cloud.ibm.com/docs/guides/qiskit-runtime-circuit-timing)."""

VIRTUAL = frozenset({"rz", "p", "u1", "delay"})
"""Operations that commute with relaxation, so that what a qubit waits before and after them is one wait."""

_VARIABLES = -(1 << 62)
"""The wire of all classical variables of a circuit together."""

Emit = Callable[[int, int], Channel | None]
"""What a wait of a qubit for some cycles becomes; None where it is nothing."""


class Backwards:
    """Places operations from the last to the first, each as late as those after it allow."""

    __slots__ = ("busy",)

    def __init__(self, busy: Iterable[int] = ()) -> None:
        """``busy`` wires are used when everything ends."""
        self.busy = dict.fromkeys(busy, 0)  # wire -> cycles from the begin of what is next on it to the end

    def place(self, wires: Iterable[int], length: int) -> int:
        """The cycles from an operation's end to the end of all; its wires are taken from its begin on."""
        busy, end = self.busy, 0
        for wire in wires:
            taken = busy.get(wire, 0)
            if taken > end:
                end = taken
        for wire in wires:
            busy[wire] = end + length
        return end

    @property
    def length(self) -> int:
        """The cycles from the first begin to the end of all."""
        return max(self.busy.values(), default=0)


def feed_forward(model: DeviceModel) -> int:
    """The cycles that a conditional waits for its condition."""
    return round(FEED_FORWARD / model.cycle)


def with_waits(
    steps: Sequence[Step], model: DeviceModel, *, observed: Iterable[int] = (), joined: bool = False
) -> list[Step]:
    """The steps of a circuit on physical qubits with a channel for each wait, and without barriers.

    What ``observed`` qubits wait for before the end counts. ``joined`` says that the circuit has classical variables, so
    that everything classical stays in order.
    """
    observed = tuple(observed)
    if not any(_by_values(step) for step in steps):

        def emit(qubit: int, cycles: int) -> Channel | None:
            return Channel((qubit,), model.wait(qubit, cycles), "wait") if cycles else None

        return _Walk(model, emit, {}, joined).walk(steps, observed)
    waits = _WaitsByValues(steps, model, observed, joined)
    return _Walk(model, waits.emit, None, joined, by_values=True).walk(steps, observed)


def _by_values(step: Step) -> bool:
    """Whether a step lasts as long as the values of parameters say."""
    if isinstance(step, Channel):
        return callable(step.lasts)
    if isinstance(step, Measure | Barrier):
        return False
    return any(_by_values(inner) for body in bodies(step) for inner in body)


@dataclass(eq=False)
class _WaitsByValues:
    """The waits of a circuit that depend on the values of its parameters, in the order in which they are asked for."""

    steps: Sequence[Step]
    model: DeviceModel
    observed: tuple[int, ...]
    joined: bool
    _asked: int = 0
    _last: tuple[Binding, list[int]] | None = field(default=None, repr=False)

    def emit(self, qubit: int, _cycles: int) -> Channel:
        """A channel for each place where a qubit may have to wait, which waits as the values say."""
        place = self._asked
        self._asked += 1

        def transfer(binding: Binding) -> Matrix:
            return self.model.wait(qubit, self._cycles(binding)[place])

        return Channel((qubit,), transfer, "wait")

    def _cycles(self, binding: Binding) -> list[int]:
        if self._last is None or self._last[0] is not binding:
            found: list[int] = []
            count = _Walk(self.model, lambda _, cycles: found.append(cycles), binding, self.joined, by_values=True)
            count.walk(self.steps, self.observed)
            self._last = (binding, found)
        return self._last[1]


@dataclass(eq=False)
class _Walk:
    """One walk through a circuit from its end. ``emit`` is asked for every wait, in an order that no value changes."""

    model: DeviceModel
    emit: Emit
    binding: Binding | None  # None: what lasts by values is not known, and its waits are only counted
    joined: bool
    by_values: bool = False

    def walk(self, steps: Sequence[Step], ends: Iterable[int]) -> list[Step]:
        """The steps with the waits between them; ``ends`` are qubits that are used when all has ended."""
        return [*reversed(self._backwards(steps, ends)[0])]

    def _backwards(self, steps: Sequence[Step], ends: Iterable[int]) -> tuple[list[Step], Backwards, dict[int, int]]:
        """The steps from the last to the first, how they are placed, and what qubits wait between the first and what is before."""
        placed, waits, found = Backwards(ends), dict[int, int](), list[Step]()
        busy, cycles = placed.busy, self.model.cycles
        for step in reversed(steps):
            if not isinstance(step, Channel):
                self._place(step, placed, waits, found)
                continue
            qubits = step.qubits
            length = cycles(step.name, qubits) if step.lasts is None else self._lasts(step)
            if step.name in VIRTUAL:
                if step.lasts is not None or length:
                    self._hold(qubits, placed, waits, length)
            elif len(qubits) == 1:
                (qubit,) = qubits
                taken = busy.get(qubit)
                if taken is not None:
                    self._wait(qubit, waits.pop(qubit, 0), found)
                busy[qubit] = (taken or 0) + length
            else:
                known = [(qubit, busy[qubit]) for qubit in qubits if qubit in busy]
                end = placed.place(qubits, length)
                for qubit, taken in known:
                    self._wait(qubit, waits.pop(qubit, 0) + end - taken, found)
            found.append(step)
        return found, placed, waits

    def _wait(self, qubit: int, cycles: int, found: list[Step]) -> None:
        channel = self.emit(qubit, cycles)
        if channel is not None:
            found.append(channel)

    def _place(self, step: Step, placed: Backwards, waits: dict[int, int], found: list[Step]) -> None:
        """Place what is no channel."""
        if isinstance(step, Barrier):
            self._hold(step.qubits, placed, waits, 0)
            return
        qubits = tuple(dict.fromkeys(touched(step)))
        known = [(qubit, placed.busy[qubit]) for qubit in qubits if qubit in placed.busy]
        step, length, before = self._whole(step, qubits)
        end = placed.place((*qubits, *_classical(step, joined=self.joined)), length)
        for qubit, taken in known:
            self._wait(qubit, waits.pop(qubit, 0) + end - taken, found)
        found.append(step)
        waits.update(before)

    def _hold(self, qubits: tuple[int, ...], placed: Backwards, waits: dict[int, int], length: int) -> None:
        """Place what does nothing but take time: waits before and after it are one."""
        before = [(qubit, placed.busy.get(qubit)) for qubit in qubits]
        end = placed.place(qubits, length)
        for qubit, taken in before:
            if taken is None and end + length == 0 and not self.by_values:
                del placed.busy[qubit]  # nothing follows on it that it could wait for
            elif end > (taken or 0):
                waits[qubit] = waits.get(qubit, 0) + end - (taken or 0)

    def _lasts(self, step: Channel) -> int:
        """The cycles of a channel that says how long it lasts."""
        lasts = step.lasts
        if isinstance(lasts, int | float):
            return round(lasts / self.model.cycle)
        return 0 if lasts is None or self.binding is None else round(lasts(self.binding) / self.model.cycle)

    def _whole(self, step: Step, qubits: tuple[int, ...]) -> tuple[Step, int, dict[int, int]]:
        """A step with the waits in its bodies, its length, and what its qubits wait in any case before its bodies begin."""
        if isinstance(step, Measure):
            return step, self.model.cycles(step.name, (step.qubit,)), {}
        if isinstance(step, Choose):
            return self._choice(step, qubits)
        if isinstance(step, Repeat):
            found, length, waits = self._body(step.body, qubits)
            latency = feed_forward(self.model)
            ahead = {qubit: cycles + latency for qubit, cycles in waits.items()}
            return replace(step, body=self._begun(found, ahead)), length + latency, {}
        return step, 0, {}

    def _choice(self, step: Choose, qubits: tuple[int, ...]) -> tuple[Choose, int, dict[int, int]]:
        """A conditional. What its qubits wait whichever case is taken stands before it, so that its bodies stay short.

        Where no case is taken, waits that are as short as a pulse are left out: a conditional pulse stays one.
        """
        cases = [(labels, *self._body(body, qubits)) for labels, body in step.cases]
        otherwise = all(labels is not None for labels, *_ in cases)
        if otherwise:
            cases.append((None, [], 0, dict.fromkeys(qubits, 0)))
        longest, latency = max(length for _, _, length, _ in cases), feed_forward(self.model)
        ahead = [{q: cycles + longest - length for q, cycles in waits.items()} for _, _, length, waits in cases]
        always = {qubit: min(each[qubit] for each in ahead) for qubit in qubits}
        if otherwise:
            ahead[-1] = {q: always[q] if cycles - always[q] <= latency else cycles for q, cycles in ahead[-1].items()}
        chosen = [
            (labels, self._begun(found, {qubit: cycles - always[qubit] for qubit, cycles in each.items()}))
            for (labels, found, _, _), each in zip(cases, ahead, strict=True)
        ]
        before = {qubit: cycles + latency for qubit, cycles in always.items()}
        if not otherwise:
            return replace(step, cases=tuple(chosen)), longest + latency, before
        if not chosen[-1][1]:
            return replace(step, cases=tuple(chosen[:-1])), longest + latency, before
        formulas = step.formulas
        whole = replace(step, cases=tuple(chosen), formulas=lambda: [*formulas(), TRUE])
        return whole, longest + latency, before

    def _body(self, body: Sequence[Step], qubits: tuple[int, ...]) -> tuple[list[Step], int, dict[int, int]]:
        """A body from its last step to its first, its length, and what each qubit waits before its first step in it."""
        found, placed, waits = self._backwards(body, qubits)
        length = placed.length
        return found, length, {qubit: waits.get(qubit, 0) + length - placed.busy[qubit] for qubit in qubits}

    def _begun(self, found: list[Step], ahead: dict[int, int]) -> tuple[Step, ...]:
        """A body in order, with what its qubits wait before their first steps."""
        for qubit, cycles in ahead.items():
            self._wait(qubit, cycles, found)
        return (*reversed(found),)


def _classical(step: Step, *, joined: bool) -> set[int]:
    """The wires of the bits that a step or its bodies read and write; ``joined``: in the order of the whole circuit."""
    found = {_VARIABLES} if joined else set[int]()
    if isinstance(step, Measure):
        found.add(~step.bit)
    elif isinstance(step, Assign):
        found.update(~bit for bit in step.writes | step.reads)
    elif isinstance(step, Choose | Repeat):
        found.update(~bit for bit in step.reads)
    for body in bodies(step):
        for inner in body:
            if not isinstance(inner, Channel | Barrier):
                found |= _classical(inner, joined=False)
    return found
