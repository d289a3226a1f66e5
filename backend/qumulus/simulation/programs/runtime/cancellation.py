"""Probabilistic error cancellation, and what both it and error amplification tell of the noise of layers.

The twirled noise of a layer of gates is a Pauli channel with rates r. Its inverse is no channel but a mixture of Paulis with
signs, whose weights add up to γ = exp(2 Σ r): drawn as a mixture, with the signs counted and the result multiplied by γ, it
cancels the noise. The expectation value is then that without the noise; each shot counts ±γ, so that the variance of
the mean of N shots is (γ² − ⟨P⟩²) / N, and the service draws γ² times as many randomizations
(E. van den Berg, Z. Minev, A. Kandala, K. Temme, Nature Physics 19, 1116, 2023).

The noise of a device is known here. So the value is drawn with the noise that is left, from as many shots as were asked for,
and what the signs add to its scatter is added: with γ² N shots, ⟨P⟩² (1 − 1/γ²) / N, the same for all terms that are read
together, whose signs are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp, inf, isinf, log, sqrt
from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit

from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.expectation import Measured
from qumulus.simulation.seeds import Seed, extend, generator

from .failures import invalid
from .layers import Strategy, counted_layers
from .learned import NOT_CLIFFORD, layer_rates
from .resilience import Cancellation

_LARGEST_EXPONENT = 700.0  # of what a double holds


@dataclass(frozen=True, slots=True)
class LayerNoise:
    """The sampling overhead γ² of each unique layer of a circuit, and how often it comes; the most frequent first."""

    overheads: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def overhead(self) -> float:
        """γ² of the whole circuit."""
        exponent = sum(count * log(each) for each, count in zip(self.overheads, self.counts, strict=True))
        return exp(exponent) if exponent < _LARGEST_EXPONENT else inf

    def metadata(self) -> dict[str, Any]:
        """As the service's metadata show it."""
        return {
            "noise_overhead": _shown(self.overhead),
            "total_mitigated_layers": sum(self.counts),
            "unique_mitigated_layers": len(self.counts),
            "unique_mitigated_layers_noise_overhead": [_shown(each) for each in self.overheads],
        }


def layer_noise(circuit: QuantumCircuit, model: DeviceModel, strategy: Strategy) -> LayerNoise:
    """The overheads of the layers of a circuit. Gates that are no Clifford gates are not twirled, and their noise stays.

    Raises:
        ProgramError: the circuit is dynamic.
    """
    counted = counted_layers([circuit], strategy)
    twirled = [replace(layer, gates=frozenset(g for g in layer.gates if g[0] not in NOT_CLIFFORD)) for layer in counted]
    exponents = [4 * sum(layer_rates(layer, model).values()) for layer in twirled]
    return LayerNoise(
        tuple(exp(each) if each < _LARGEST_EXPONENT else inf for each in exponents), tuple(counted.values())
    )


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How much of the noise of a circuit is cancelled: ``gain`` times the noise is left, for γ² = ``overhead``."""

    gain: float
    overhead: float

    @classmethod
    def of(cls, noise: LayerNoise, wanted: Cancellation) -> Cancelled:
        """What the options ask for; the automatic gain is the least one that keeps to the overhead that is allowed.

        Raises:
            ProgramError: the overhead is infinite.
        """
        whole, most = noise.overhead, inf if wanted.max_overhead is None else wanted.max_overhead
        gain = wanted.gain
        if gain is None:
            gain = 0.0 if whole <= most else 1.0 if isinf(whole) else max(0.0, 1.0 - log(max(most, 1.0)) / log(whole))
        if isinf(whole) and gain < 1.0:
            raise invalid(
                "The noise of a gate of this circuit is too strong to be cancelled: choose other qubits, or set "
                "resilience.pec.max_overhead."
            )
        return cls(gain, whole ** max(0.0, 1.0 - gain))

    def scattered(self, measured: Measured, shots: int | None, seed: Seed) -> Measured:
        """What was drawn without the noise, with the scatter of the signs and of their larger covariance."""
        if shots is None or self.overhead <= 1.0:
            return measured
        groups, variance = [], (1.0 - 1.0 / self.overhead) / shots
        for g, group in enumerate(measured.groups):
            sign = float(generator(extend(seed, g)).standard_normal()) * sqrt(variance)
            means = group.means * (1.0 + sign)
            groups.append(
                replace(group, means=means, covariance=group.covariance + variance * np.outer(group.means, group.means))
            )
        return replace(measured, groups=groups)

    def metadata(self) -> Mapping[str, Any]:
        """As the service's metadata show it."""
        return {"num_randomizations_scaling": self.overhead}


def _shown(overhead: float) -> float | str:
    return "infinity" if isinf(overhead) else overhead
