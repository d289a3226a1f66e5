"""Shots of a circuit on a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from qumulus.core.programs import Limits

from .choice import choose
from .circuits import ActiveCircuit, scan
from .devices import DeviceModel
from .meter import meter
from .seeds import Seed, extend
from .sharing import SETS, Part, parts
from .steps import Binding
from .tasks import Task

Bits = NDArray[np.uint8]

_LEAST_BUDGET = 1.0  # seconds of a run: what takes less is done exactly, however many runs there are


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Shots in the order in which they were drawn.

    ``bits`` has an array of shape (shots, width) for each classical register; entry k of a row is bit k of the register,
    so the last one is what Qiskit prints first. ``metadata`` names method, engine, its version, the seed, what was
    approximated and how accurately, and the seconds that it took.
    """

    shots: int
    bits: Mapping[str, Bits]
    metadata: Mapping[str, Any]

    def counts(self) -> dict[str, int]:
        """How often each outcome came, in Qiskit's notation: the last register first, a blank between registers."""
        if not self.bits:
            return {}
        blank = np.full((self.shots, 1), ord(" "), np.uint8)
        columns = list[Bits]()
        for bits in reversed(list(self.bits.values())):
            columns += [blank, bits[:, ::-1] + np.uint8(ord("0"))]
        text = np.ascontiguousarray(np.concatenate(columns[1:], axis=1))
        width = text.shape[1]
        if width == 0:
            return {"": self.shots}
        outcomes, numbers = np.unique(text.view(f"S{width}"), return_counts=True)
        return {outcome.decode(): int(number) for outcome, number in zip(outcomes, numbers, strict=True)}


def sample(
    circuit: QuantumCircuit,
    model: DeviceModel,
    *,
    shots: int,
    seed: Seed,
    method: str = "auto",
    limits: Limits | None = None,
    binding: Binding | None = None,
) -> Samples:
    """Run a circuit and draw shots.

    Args:
        circuit: as the device takes it, or any circuit on the ideal simulator.
        model: the device with its calibration.
        shots: how many.
        seed: the job's seed, or its path to this unit of work, such as ``(seed, pub)``.
        method: a method of `choice.METHODS`, "exact" for any that approximates nothing, or "auto".
        limits: what the run may use.
        binding: values of the circuit's parameters.

    Raises:
        ProgramError: the circuit does not fit the device, or a parameter has no value.
        Refused: it is over a limit.
    """
    active = scan(circuit, model)
    return draw(
        active, circuit, shots=shots, seed=seed, method=method, limits=limits or Limits(), binding=binding or {}
    )


def sample_sweep(
    circuit: QuantumCircuit,
    model: DeviceModel,
    bindings: Sequence[Binding],
    *,
    shots: int,
    seed: Seed,
    method: str = "auto",
    limits: Limits | None = None,
    alike: int = 1,
) -> list[Samples]:
    """Shots for each set of parameter values, with the circuit read once; set k is drawn from the seed's path (…, k).

    ``alike`` is how many such sweeps the job has still to run, this one included.

    Raises:
        ProgramError, Refused: as `sample`, and if all that is still to run takes longer than the limit.
    """
    active = scan(circuit, model)

    def drawn(k: int) -> Part:
        runs = (len(bindings) - k) * alike
        within = limits or Limits()
        found = draw(
            active,
            circuit,
            shots=shots,
            seed=extend(seed, k),
            method=method,
            limits=within,
            binding=bindings[k],
            runs=runs,
        )
        return Part(found.metadata, found.bits)

    return [Samples(shots, part.arrays, part.members) for part in parts(len(bindings), drawn, SETS)]


def draw(
    active: ActiveCircuit,
    circuit: QuantumCircuit,
    *,
    shots: int,
    seed: Seed,
    method: str,
    limits: Limits,
    binding: Binding,
    runs: int = 1,
) -> Samples:
    """Shots of a scanned circuit by the method that fits, if there is time for so many ``runs`` like it."""
    start = perf_counter()
    budget = max(limits.pub_budget / runs, _LEAST_BUDGET)
    chosen = choose(Task(active, circuit, shots, limits, binding, budget=budget), method)
    chosen.check(runs)
    drawn, metadata = chosen.sample(seed)
    return Samples(
        shots=shots,
        bits={name: drawn.memory[:, list(places)] for name, places in active.registers.items()},
        metadata={**metadata, "seed": extend(seed)[0], "seconds": meter().since(start)},
    )
