"""Shots of qubits that nobody resets between them: each begins where the last one ended.

A measured qubit ends in a state of the computational basis, which relaxes by T1 while the device waits for the next shot. So
the shots are a Markov chain over these states: one evolution from each state that comes up gives where the next shot ends.
What a qubit waits before its first gate within a shot is short beside the delay between shots, and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit

from qumulus.core.programs import Limits

from . import dense
from .blocks import fuse
from .circuits import ActiveCircuit, scan
from .devices import DeviceModel
from .errors import ProgramError, Refused
from .machine import slowness
from .sampling import Bits, Samples
from .seeds import Seed, extend, generator
from .steps import Binding, Channel
from .tasks import Task
from .transfer import MEASURE, Matrix

MOST_QUBITS = 10
_FLIP = np.diag([1.0, 1.0, -1.0, -1.0])
_USUAL_DELAY = 250e-6
"""Seconds between two shots where the configuration of a device does not say it."""


def delay_between_shots(model: DeviceModel) -> float:
    """The seconds between two shots that a device has where a job does not choose them."""
    told = model.configuration.get("default_rep_delay")
    return _USUAL_DELAY if told is None else float(told) * 1e-6


def carried_sweep(
    circuit: QuantumCircuit,
    model: DeviceModel,
    bindings: Sequence[Binding],
    *,
    shots: int,
    seed: Seed,
    delay: float,
    limits: Limits | None = None,
) -> list[Samples]:
    """Shots for each set of parameter values; the first shot of each set begins in |0…0⟩, ``delay`` seconds lie between two.

    Raises:
        ProgramError: a qubit ends in a state that is not known, because nothing measures it at the end, or the circuit is
            dynamic.
        Refused: it has too many qubits, or would take too long.
    """
    active = scan(circuit, model)
    if active.dynamic or len(active.terminal) < active.n_qubits:
        raise ProgramError(
            "Qubits keep their state from shot to shot only where each one that the circuit uses is measured at its end, and "
            "nothing depends on a measurement: measure all of them once, at the end, or leave init_qubits at True."
        )
    if active.n_qubits > MOST_QUBITS:
        raise Refused(
            f"The circuit has {active.n_qubits} active qubits, and at most {MOST_QUBITS} keep their state from shot to shot: "
            "leave init_qubits at True.",
            {"qubits": active.n_qubits},
        )
    return [
        _samples(active, circuit, binding, shots, extend(seed, k), delay, limits or Limits())
        for k, binding in enumerate(bindings)
    ]


@dataclass(eq=False)
class _Ends:
    """Where a shot ends, as distributions over the states of the active qubits, by the state that it begins in."""

    active: ActiveCircuit
    binding: Binding
    known: dict[int, Matrix] = field(default_factory=dict)

    def cumulative(self, start: int) -> Matrix:
        """The cumulative distribution of the final state; bit q of a state is that of qubit q."""
        if start not in self.known:
            flips = [Channel((q,), _FLIP, "x") for q in range(self.active.n_qubits) if start >> q & 1]
            channels = [step for step in self.active.steps if isinstance(step, Channel)]
            fused = fuse([*flips, *channels], self.binding)
            joint, order = np.ones(1), list[int]()
            for factor in dense.contract(fused, dict.fromkeys(range(self.active.n_qubits), MEASURE)):
                joint, order = np.multiply.outer(joint, factor.tensor.reshape(-1)).reshape(-1), [*order, *factor.qubits]
            values = np.zeros(len(joint))
            places = np.arange(len(joint))
            state = sum(((places >> (len(order) - 1 - k)) & 1) << qubit for k, qubit in enumerate(order))
            values[state] = joint
            self.known[start] = np.cumsum(values.clip(0.0))
        return self.known[start]


def _samples(
    active: ActiveCircuit,
    circuit: QuantumCircuit,
    binding: Binding,
    shots: int,
    seed: Seed,
    delay: float,
    limits: Limits,
) -> Samples:
    began = perf_counter()
    task = Task(active, circuit, shots, limits, binding)
    needed = dense.METHOD.estimate(task).seconds * min(2**active.n_qubits, shots) * slowness()
    if needed > limits.seconds:
        raise Refused(
            f"Following the states of {active.n_qubits} qubits from shot to shot would take {needed:.3g} s, and a job may take "
            f"{limits.seconds:.3g} s: use fewer qubits or fewer gates.",
            {"seconds": needed},
        )
    random, ends, state = generator(seed), _Ends(active, binding), 0
    kept = _kept(active, delay)
    final = np.zeros((shots, active.n_qubits), np.uint8)
    draws, decays = random.random(shots), random.random((shots, active.n_qubits)) < kept
    weights = 1 << np.arange(active.n_qubits)
    for shot in range(shots):
        cumulative = ends.cumulative(state)
        state = int(np.searchsorted(cumulative, draws[shot] * cumulative[-1], side="right"))
        final[shot] = (state >> np.arange(active.n_qubits)) & 1
        state &= int(decays[shot] @ weights)
    return Samples(shots, _read(active, final, random), _metadata(seed, perf_counter() - began))


def _kept(active: ActiveCircuit, delay: float) -> Matrix:
    """How probably each excited qubit is still excited when the next shot begins."""
    noise = active.model.noise
    return np.ones(active.n_qubits) if noise is None else np.exp(-delay / noise.t1[list(active.physical)])


def _read(active: ActiveCircuit, final: Bits, random: np.random.Generator) -> dict[str, Bits]:
    """The registers as they are read, misreadings included."""
    memory = np.zeros((len(final), active.n_bits), np.uint8)
    for qubit, bit in active.terminal.items():
        misread = active.confusion(qubit)[1 - final[:, qubit], final[:, qubit]]
        memory[:, bit] = final[:, qubit] ^ (random.random(len(final)) < misread)
    return {name: memory[:, list(places)] for name, places in active.registers.items()}


def _metadata(seed: Seed, seconds: float) -> dict[str, Any]:
    return {
        "method": "carried",
        "engine": dense.METHOD.engine,
        "approximation": None,
        "accuracy": {},
        "seed": extend(seed)[0],
        "seconds": seconds,
    }
