"""Clifford circuits of any width by Stim, with the noise twirled to Pauli errors.

A Clifford gate maps Pauli strings to Pauli strings: its transfer matrix is a signed permutation, which is Stim's tableau.
Of each error channel only the diagonal is kept, which is what averaging over random Pauli frames would leave. With
W_PQ = ±1 as P and Q commute or not, the probabilities of the Pauli errors are

    p = W diag(R) / 4^n.

The twirl forgets in which direction qubits relax, so it is worst for qubits with a short T1: the metadata name the longest
gate in units of T1. Readout errors stay asymmetric: Stim's bits are flipped afterwards.

Pauli gates under a condition, whatever it is, are one more Pauli frame: Stim's frames of all shots are followed step by
step, the condition is computed from each shot's own misread bits, and where it holds the frame is multiplied by the gate
and by an error drawn for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .devices import DeviceModel
from .gates import ideal
from .seeds import Seed, extend, generator, integer
from .steps import UNREAD, Assign, Channel, Choose, Measure, Repeat, Step, bodies
from .tasks import Drawn, Estimate, Memory, Method, Task
from .transfer import GROUND, Matrix

if TYPE_CHECKING:
    import stim

CHUNK = 8192
"""Shots drawn from one seed: Stim's shots depend on how many are drawn together."""

WORST_LENGTH = 0.02
"""Of a gate in units of T1: beyond, marginals of that qubit were wrong by up to 0.03."""

_COMMUTATION_1 = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])
_LETTERS = "_XYZ"
_SIGNS = {"I": (1, 1, 1, 1), "X": (1, 1, -1, -1), "Y": (1, -1, 1, -1), "Z": (1, -1, -1, 1)}
_ERRORS = frozenset({"error", "delay", "wait", UNREAD})
_SECONDS_TO_START, _SECONDS_PER_STEP, _SECONDS_PER_BIT = 4e-3, 1e-5, 1e-8
_SECONDS_PER_MASKED, _SECONDS_PER_FLIP = 1e-9, 3e-8


def pauli_probabilities(error: Matrix) -> Matrix:
    """The probability of each Pauli string in the twirled channel, I…I first; shape (4^n,)."""
    commutation = _COMMUTATION_1 if error.shape[0] == 4 else np.kron(_COMMUTATION_1, _COMMUTATION_1)
    return np.maximum(commutation @ np.diag(error) / error.shape[0], 0.0)


def is_clifford(gate: Matrix) -> bool:
    """Whether an ideal gate maps Pauli strings to Pauli strings."""
    return bool(np.abs(gate - np.round(gate)).max() < 1e-9)


@cache
def _tableau(rounded: bytes) -> str:
    """Stim's instructions for a signed permutation of Pauli strings on qubits 0 and, where there is one, 1."""
    import stim

    gate = np.frombuffer(rounded, np.int8)
    size = int(np.sqrt(len(gate)))
    gate = gate.reshape(size, size)
    n_qubits = 1 if size == 4 else 2

    def image(letter: int, qubit: int) -> stim.PauliString:
        column = gate[:, letter * 4 ** (n_qubits - 1 - qubit)]
        row = int(np.flatnonzero(column)[0])
        letters = [row // 4 ** (n_qubits - 1 - place) % 4 for place in range(n_qubits)]
        return stim.PauliString(("+" if column[row] > 0 else "-") + "".join(_LETTERS[one] for one in letters))

    images = {letter: [image(letter, qubit) for qubit in range(n_qubits)] for letter in (1, 3)}
    return str(stim.Tableau.from_conjugated_generators(xs=images[1], zs=images[3]).to_circuit())


@lru_cache(maxsize=1 << 14)
def _instructions(
    model: DeviceModel, name: str, parameters: tuple[float, ...], physical: tuple[int, ...]
) -> str | None:
    """Stim's lines for a gate or a reset with its error on physical qubits; None if it is no Clifford gate."""
    error = model.error(name, physical)
    if name == "reset":  # what the error makes of the ground state needs no twirl: it is a flip
        flips = 0.0 if error is None else (1.0 - (error @ GROUND)[3]) / 2
        return f"R {physical[0]}\nX_ERROR({flips}) {physical[0]}"
    try:
        gate = ideal(name, parameters)
    except KeyError:
        return None
    if not is_clifford(gate):
        return None
    return f"{stim_lines(gate, physical)}\n{_twirled(error, physical)}"


def stim_lines(gate: Matrix, qubits: Sequence[int]) -> str:
    """Stim's lines for a Clifford gate, given as its transfer matrix, on these qubits."""
    lines = list[str]()
    for line in _tableau(np.round(gate).astype(np.int8).tobytes()).splitlines():
        operation, *targets = line.split()
        lines.append(" ".join([operation, *(str(qubits[int(target)]) for target in targets)]))
    return "\n".join(lines)


def _twirled(error: Matrix | None, physical: tuple[int, ...]) -> str:
    """Stim's line for the twirl of an error."""
    if error is None:
        return ""
    probabilities = ",".join(repr(float(p)) for p in pauli_probabilities(error)[1:])
    return f"PAULI_CHANNEL_{len(physical)}({probabilities}) {' '.join(map(str, physical))}"


def _lines(step: Channel, task: Task) -> str | None:
    """Stim's lines for a channel; None if it is no Clifford gate."""
    active = task.active
    physical = tuple(active.physical[qubit] for qubit in step.qubits)
    if step.name in _ERRORS:
        return _twirled(
            step.transfer if isinstance(step.transfer, np.ndarray) else step.transfer(task.binding), physical
        )
    return _instructions(active.model, step.name, tuple(map(task.value, step.parameters)), physical)


def _objection(task: Task) -> str | None:
    if task.active.model.ideal:
        return "the device has no noise"
    for step in task.active.steps:
        if isinstance(step, Channel) and _lines(step, task) is None:
            return f"{step.name} is not a Clifford gate at this angle"
        if isinstance(step, Repeat) or (isinstance(step, Choose) and not _flips_only(step, task)):
            return "more than Pauli gates depends on what was measured"
    return None


def _flips_only(step: Choose, task: Task) -> bool:
    """Whether all that stands under a condition is a Pauli gate or an error, of one qubit."""
    return all(
        _flips_only(inner, task) if isinstance(inner, Choose) else isinstance(inner, Channel) and _flip(inner, task)
        for body in bodies(step)
        for inner in body
    )


@dataclass(frozen=True, slots=True)
class _Flip:
    """A Pauli gate of one qubit and the chances of X, Y and Z after it; I where there is only the error."""

    letter: str
    errors: tuple[float, ...]


def _flip(step: Channel, task: Task) -> _Flip | None:
    """A channel under a condition; None if it is no Pauli gate."""
    if len(step.qubits) > 1 or step.name == "reset":
        return None
    if step.name in _ERRORS:
        matrix = step.transfer if isinstance(step.transfer, np.ndarray) else step.transfer(task.binding)
        return _Flip("I", tuple(pauli_probabilities(matrix)[1:].tolist()))
    physical = (task.active.physical[step.qubits[0]],)
    return _flip_of(task.active.model, step.name, tuple(map(task.value, step.parameters)), physical)


@lru_cache(maxsize=1 << 12)
def _flip_of(model: DeviceModel, name: str, parameters: tuple[float, ...], physical: tuple[int, ...]) -> _Flip | None:
    try:
        gate = ideal(name, parameters)
    except KeyError:
        return None
    letter = next((letter for letter, signs in _SIGNS.items() if np.abs(gate - np.diag(signs)).max() < 1e-9), None)
    if letter is None:
        return None
    error = model.error(name, physical)
    return _Flip(letter, (0.0, 0.0, 0.0) if error is None else tuple(pauli_probabilities(error)[1:].tolist()))


def _waits(task: Task) -> bool:
    """Whether a qubit relaxes in a delay: twirled, that forgets more than a gate does."""
    return any(step.name == "delay" for step in _channels(task.active.steps))


def _channels(steps: Iterable[Step]) -> Iterator[Channel]:
    """All channels, those under a condition too."""
    for step in steps:
        if isinstance(step, Channel):
            yield step
        for body in bodies(step):
            yield from _channels(body)


def _estimate(task: Task) -> Estimate:
    bits = task.shots * (len(task.active.terminal) + task.active.n_bits)
    seconds = _SECONDS_TO_START + len(task.active.steps) * _SECONDS_PER_STEP + bits * _SECONDS_PER_BIT
    steered = [step for step in task.active.steps if isinstance(step, Choose)]
    together = min(task.shots, CHUNK)
    masks = len(steered) * task.active.n_qubits * task.shots * _SECONDS_PER_MASKED
    flips = sum(1 for _ in _channels(steered)) * task.shots * _SECONDS_PER_FLIP
    return Estimate(seconds + masks + flips, 4.0 * bits + 4.0 * bool(steered) * together * task.active.n_qubits)


@dataclass(slots=True)
class _Part:
    """Stim's lines, with the qubit and the bit of each of their records, and the step that depends on bits after them."""

    lines: list[str]
    records: list[tuple[int, int]]
    then: Choose | Assign | None = None

    def circuit(self) -> stim.Circuit:
        """As Stim reads it, on physical qubits."""
        import stim

        return stim.Circuit("\n".join(self.lines))


def _parts(task: Task) -> list[_Part]:
    """The circuit, cut where something depends on bits."""
    parts = [_Part([], [])]
    readings = [Measure(qubit, bit) for qubit, bit in task.active.terminal.items()]
    for step in (*task.active.steps, *readings):
        if isinstance(step, Measure):
            parts[-1].lines.append(f"M {task.active.physical[step.qubit]}")
            parts[-1].records.append((step.qubit, step.bit))
        elif isinstance(step, Channel):
            parts[-1].lines.append(_lines(step, task) or "")
        elif isinstance(step, Choose | Assign):
            parts[-1].then = step
            parts.append(_Part([], []))
    return parts


def _sample(task: Task, seed: Seed) -> Drawn:
    parts = _parts(task)
    sampled = _steered if len(parts) > 1 else _chunk
    circuits = [part.circuit() for part in parts]
    chunks = [
        sampled(task, parts, circuits, min(CHUNK, task.shots - start), extend(seed, number))
        for number, start in enumerate(range(0, max(task.shots, 1), CHUNK))
    ]
    return Drawn(np.concatenate(chunks), _accuracy(task))


def _chunk(task: Task, parts: Sequence[_Part], circuits: Sequence[stim.Circuit], shots: int, seed: Seed) -> Memory:
    """Shots of one seed, misread afterwards; a bit that is read twice keeps the later reading."""
    read = circuits[0].compile_sampler(seed=integer(seed)).sample(shots).astype(np.uint8)
    random, memory = generator(seed), np.zeros((shots, task.active.n_bits), np.uint8)
    for record, (qubit, bit) in enumerate(parts[0].records):
        memory[:, bit] = _misread(task, qubit, read[:, record], random)
    return memory


def _misread(task: Task, qubit: int, read: Memory, random: np.random.Generator) -> Memory:
    return read ^ (random.random(len(read)) < task.active.confusion(qubit)[1 - read, read])


def _steered(task: Task, parts: Sequence[_Part], circuits: Sequence[stim.Circuit], shots: int, seed: Seed) -> Memory:
    """The same where bits steer. The frames of all shots are relative to one run without noise that nothing steers."""
    import stim

    memory = np.zeros((shots, task.active.n_memory), np.uint8)
    if not shots:
        return memory[:, : task.active.n_bits]
    n_qubits = max(task.active.physical, default=0) + 1
    reference = sum(circuits, stim.Circuit()).without_noise().reference_sample()
    frames = stim.FlipSimulator(batch_size=shots, num_qubits=n_qubits, seed=integer(seed))
    random, record = generator(seed), 0
    for part, circuit in zip(parts, circuits, strict=True):
        frames.do(circuit)
        for qubit, bit in part.records:
            read = frames.get_measurement_flips(record_index=record) ^ reference[record]
            memory[:, bit] = _misread(task, qubit, read.astype(np.uint8), random)
            record += 1
        if isinstance(part.then, Assign):
            part.then.write(memory, part.then.value(memory))
        elif part.then is not None:
            flips = _Frames(*(np.zeros((n_qubits, shots), np.bool_) for _ in "xz"))
            _choose(task, part.then, memory, np.ones(shots, np.bool_), flips, random)
            frames.broadcast_pauli_errors(pauli="X", mask=flips.x)
            frames.broadcast_pauli_errors(pauli="Z", mask=flips.z)
    return memory[:, : task.active.n_bits]


@dataclass(slots=True, eq=False)
class _Frames:
    """What multiplies the frames of all shots: whether by X and by Z, for each qubit; shape (qubits, shots)."""

    x: NDArray[np.bool_]
    z: NDArray[np.bool_]

    def multiply(self, letter: str, physical: int, where: NDArray[np.bool_]) -> None:
        """By a Pauli on one qubit in some shots."""
        if letter in "XY":
            self.x[physical] ^= where
        if letter in "YZ":
            self.z[physical] ^= where


def _choose(
    task: Task,
    step: Choose,
    memory: Memory,
    here: NDArray[np.bool_],
    frames: _Frames,
    random: np.random.Generator,
) -> None:
    """The gates and errors of a conditional step: of the shots that come ``here`` each the body that its bits choose."""
    values, left = step.value(memory), here.copy()
    for labels, body in step.cases:
        taken = left if labels is None else left & np.isin(values, labels)
        left = left & ~taken
        for inner in body:
            if isinstance(inner, Choose):
                _choose(task, inner, memory, taken, frames, random)
            elif isinstance(inner, Channel) and (flip := _flip(inner, task)):
                physical = task.active.physical[inner.qubits[0]]
                frames.multiply(flip.letter, physical, taken)
                bounds = np.cumsum(flip.errors)
                drawn = np.searchsorted(bounds, random.random(len(taken)), side="right")
                for letter, chance in enumerate(flip.errors):
                    if chance > 0:
                        frames.multiply("XYZ"[letter], physical, taken & (drawn == letter))


def _accuracy(task: Task) -> dict[str, float | str]:
    """The longest gate or delay in units of the T1 of a qubit that it acts on, with a warning where that is long."""
    longest, where = 0.0, ""
    for step in _channels(task.active.steps):
        for ratio, qubit in zip(_lengths(step, task), step.qubits, strict=True):
            if ratio > longest:
                longest, where = ratio, f"{step.name} on qubit {task.active.physical[qubit]}"
    found: dict[str, float | str] = {"longest_gate_over_t1": longest}
    if longest > WORST_LENGTH:
        found["warning"] = f"{where} lasts {longest:.2g} of its T1: twirling changes what that qubit reads noticeably"
    return found


def _lengths(step: Channel, task: Task) -> list[float]:
    """How long a step lasts, in units of the T1 of each of its qubits."""
    noise, physical = task.active.model.noise, [task.active.physical[qubit] for qubit in step.qubits]
    if step.name in ("delay", "wait"):
        matrix = step.transfer if isinstance(step.transfer, np.ndarray) else step.transfer(task.binding)
        return [float(-np.log1p(-matrix[3, 0])) if matrix[3, 0] < 1 else inf]
    calibration = None if noise is None else noise.gates.get((step.name, tuple(physical)))
    if noise is None or calibration is None:
        return [0.0] * len(physical)
    return [float(calibration.length / noise.t1[qubit]) for qubit in physical]


METHOD = Method(
    name="stabilizer",
    engine=f"stim {version('stim')}",
    objection=_objection,
    estimate=_estimate,
    sample=_sample,
    approximation="noise twirled to Pauli errors",
    reluctance=2000.0,
    last_resort=_waits,
)
