"""Clifford circuits of any width by Stim, with the noise twirled to Pauli errors.

A Clifford gate maps Pauli strings to Pauli strings: its transfer matrix is a signed permutation, which is Stim's tableau.
Of each error channel only the diagonal is kept, which is what averaging over random Pauli frames would leave. With
W_PQ = ±1 as P and Q commute or not, the probabilities of the Pauli errors are

    p = W diag(R) / 4^n.

The twirl forgets in which direction qubits relax, so it is worst for qubits with a short T1: the metadata name the longest
gate in units of T1. Readout errors stay asymmetric: Stim's bits are flipped afterwards.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.metadata import version
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from .devices import DeviceModel
from .gates import ideal
from .seeds import Seed, extend, generator, integer
from .steps import UNREAD, Channel, Measure
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
_SECONDS_TO_START, _SECONDS_PER_STEP, _SECONDS_PER_BIT = 4e-3, 1e-5, 1e-8


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
    lines = list[str]()
    for line in _tableau(np.round(gate).astype(np.int8).tobytes()).splitlines():
        operation, *targets = line.split()
        lines.append(" ".join([operation, *(str(physical[int(target)]) for target in targets)]))
    return "\n".join([*lines, _twirled(error, physical)])


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
    if step.name in ("error", "delay", UNREAD):
        return _twirled(
            step.transfer if isinstance(step.transfer, np.ndarray) else step.transfer(task.binding), physical
        )
    return _instructions(active.model, step.name, tuple(map(task.value, step.parameters)), physical)


def _objection(task: Task) -> str | None:
    if task.active.model.ideal:
        return "the device has no noise"
    for step in task.active.steps:
        if not isinstance(step, Channel | Measure):
            return "it depends on what was measured"
        if isinstance(step, Channel) and _lines(step, task) is None:
            return f"{step.name} is not a Clifford gate at this angle"
    return None


def _waits(task: Task) -> bool:
    """Whether a qubit relaxes in a delay: twirled, that forgets more than a gate does."""
    return any(isinstance(step, Channel) and step.name == "delay" for step in task.active.steps)


def _estimate(task: Task) -> Estimate:
    bits = task.shots * (len(task.active.terminal) + task.active.n_bits)
    seconds = _SECONDS_TO_START + len(task.active.steps) * _SECONDS_PER_STEP + bits * _SECONDS_PER_BIT
    return Estimate(seconds, 4.0 * bits)


def _circuit(task: Task) -> tuple[stim.Circuit, list[tuple[int, int]]]:
    """The circuit as Stim reads it, on physical qubits, and for each of its records which qubit is read into which bit."""
    import stim

    readings = [Measure(qubit, bit) for qubit, bit in task.active.terminal.items()]
    records, lines = list[tuple[int, int]](), list[str]()
    for step in (*task.active.steps, *readings):
        if isinstance(step, Measure):
            lines.append(f"M {task.active.physical[step.qubit]}")
            records.append((step.qubit, step.bit))
        elif isinstance(step, Channel):
            lines.append(_lines(step, task) or "")
    return stim.Circuit("\n".join(lines)), records


def _sample(task: Task, seed: Seed) -> Drawn:
    circuit, records = _circuit(task)
    chunks = [
        _chunk(task, circuit, records, min(CHUNK, task.shots - start), extend(seed, number))
        for number, start in enumerate(range(0, max(task.shots, 1), CHUNK))
    ]
    return Drawn(np.concatenate(chunks), _accuracy(task))


def _chunk(task: Task, circuit: stim.Circuit, records: list[tuple[int, int]], shots: int, seed: Seed) -> Memory:
    """Shots of one seed, misread afterwards; a bit that is read twice keeps the later reading."""
    read = circuit.compile_sampler(seed=integer(seed)).sample(shots).astype(np.uint8)
    random, memory = generator(seed), np.zeros((shots, task.active.n_bits), np.uint8)
    for record, (qubit, bit) in enumerate(records):
        misread = task.active.confusion(qubit)[1 - read[:, record], read[:, record]]
        memory[:, bit] = read[:, record] ^ (random.random(shots) < misread)
    return memory


def _accuracy(task: Task) -> dict[str, float | str]:
    """The longest gate or delay in units of the T1 of a qubit that it acts on, with a warning where that is long."""
    longest, where = 0.0, ""
    for step in task.active.steps:
        if isinstance(step, Channel):
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
    if step.name == "delay":
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
