"""How each pub of an estimator job is measured and mitigated, and how often its circuits are executed for that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt
from typing import Any, cast

from ibm_quantum_schemas.estimator.version_0_1 import OptionsModel
from qiskit.circuit import QuantumCircuit

from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.expectation import read_together, shots_for, terms_in
from qumulus.simulation.seeds import extend
from qumulus.simulation.steps import Binding

from .cancellation import Cancelled, layer_noise
from .conditions import Conditions
from .folding import Amplifier, folded
from .observables import Terms, in_paulis
from .pubs import EstimatorPub
from .resilience import Resilience
from .twirling import Randomizations, product, randomizations
from .usage import Load, duration

_FOLDS = -2
"""The member of a seed's path for which gates are folded."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A pub with what the options make of it.

    ``shots`` are those of each measurement, None for exact values, and ``calibration_shots`` those that calibrate the readout;
    ``told`` is what the metadata say of the noise of layers.
    """

    pub: EstimatorPub
    index: int
    wanted: Resilience
    under: Conditions
    precision: float
    shots: int | None
    calibration_shots: int | None
    twirls: Randomizations | None
    told: dict[str, Any]
    cancelled: Cancelled | None

    @classmethod
    def of(cls, pub: EstimatorPub, index: int, wanted: Resilience, options: OptionsModel, under: Conditions) -> Plan:
        """The plan of a pub.

        Raises:
            ProgramError: the noise of its layers is not known, or costs more than it may.
        """
        precision, shots = _precision(pub, options)
        told, cancelled = _layers(pub.circuit, wanted, options, under)
        twirls = None
        if shots is not None and (wanted.twirl_gates or wanted.twirl_measurements):
            chosen = options.twirling
            twirls = randomizations(shots, chosen.num_randomizations, chosen.shots_per_randomization)
            shots = twirls.number * twirls.shots
        learning = options.resilience.measure_noise_learning
        calibrating = product(learning.num_randomizations, learning.shots_per_randomization)
        calibrating = shots if shots is None or calibrating is None else calibrating
        return cls(pub, index, wanted, under, precision, shots, calibrating, twirls, told, cancelled)

    @cached_property
    def flat(self) -> list[Terms]:
        """The observables in row-major order, without projectors where the readout is mitigated."""
        mitigated = self.wanted.measure_mitigation
        return [in_paulis(terms) if mitigated else terms for terms in self.pub.observables.ravel()]

    @cached_property
    def cases(self) -> list[tuple[Binding, list[Terms]]]:
        """Each set of values with the observables that are measured for it."""
        sets = self.pub.bindings()
        return [(sets[row], [self.flat[k] for _, k in here]) for row, here in self.pub.elements().items()]

    @property
    def executed_shots(self) -> int | None:
        """The shots of each measurement with those that a cancellation of errors needs more; None for exact values."""
        overhead = 1.0 if self.cancelled is None else self.cancelled.overhead
        return None if self.shots is None else ceil(self.shots * overhead)

    def metadata(self) -> dict[str, Any]:
        """What the result tells of the plan."""
        found: dict[str, Any] = {
            "target_precision": self.precision,
            "circuit_metadata": self.pub.circuit.metadata or {},
            "shots": self.executed_shots,
            "resilience": self.told,
        }
        if self.twirls is not None:
            overhead = 1.0 if self.cancelled is None else self.cancelled.overhead
            found["num_randomizations"] = ceil(self.twirls.number * overhead)
        return found

    def amplified(self) -> list[tuple[QuantumCircuit, DeviceModel]]:
        """The circuit and the device at each noise factor."""
        return self._amplified(self.under.prepared(self.pub.circuit))

    def _amplified(self, circuit: QuantumCircuit) -> list[tuple[QuantumCircuit, DeviceModel]]:
        under, zne = self.under, self.wanted.zne
        if self.cancelled is not None:
            return [(circuit, under.amplified(self.cancelled.gain))]
        if zne is None:
            return [(circuit, under.model)]
        if zne.folds:
            seed, amplifier = extend(under.seed, self.index, _FOLDS), cast("Amplifier", zne.amplifier)
            factors = enumerate(zne.factors)
            return [(folded(circuit, factor, amplifier, extend(seed, f)), under.model) for f, factor in factors]
        return [(circuit, under.amplified(factor)) for factor in zne.factors]

    @cached_property
    def executions(self) -> int:
        """How often circuits are executed: at each noise factor, for each set of values, in each basis, and to calibrate the
        readout. An exact value counts as one."""
        factors = 1 if self.wanted.zne is None or self.cancelled is not None else len(self.wanted.zne.factors)
        return factors * self._bases * (self.executed_shots or 1) + self._calibrating

    @cached_property
    def _bases(self) -> int:
        return sum(len(read_together(terms_in(sums))) for _, sums in self.cases)

    @property
    def _calibrating(self) -> int:
        return (self.calibration_shots or 1) if self.wanted.measure_mitigation else 0

    def loads(self, *, reset: bool) -> Iterator[Load]:
        """The circuits with their executions, for the usage."""
        values = next((values for values, _ in self.cases), {})
        scheduled, model = self.under.compiled(self.pub.circuit).scheduled, self.under.model
        read = "measure" not in scheduled.count_ops()
        if self._bases:
            for circuit, _ in self._amplified(scheduled):
                seconds = duration(circuit, model, values, reset=reset, read=read)
                yield Load(self._bases * (self.executed_shots or 1), seconds)
        if self._calibrating:
            yield Load(self._calibrating, duration(QuantumCircuit(), model, {}, reset=reset, read=True))


def _precision(pub: EstimatorPub, options: OptionsModel) -> tuple[float, int | None]:
    """The precision that a pub is estimated with, and the shots of each of its measurements; None for exact values."""
    default = product(options.twirling.num_randomizations, options.twirling.shots_per_randomization)
    default = default or options.default_shots
    if pub.precision is None and default is not None:
        return 1 / sqrt(default), default
    precision = options.default_precision if pub.precision is None else pub.precision
    return precision, shots_for(precision)


def _layers(
    circuit: QuantumCircuit, wanted: Resilience, options: OptionsModel, under: Conditions
) -> tuple[dict[str, Any], Cancelled | None]:
    """What the metadata tell of the noise of layers, and how it is cancelled; nothing where it is not used."""
    dynamic = any(line.is_control_flow() for line in circuit.data)
    if not wanted.learns_layers or (dynamic and wanted.pec is None):
        return {}, None
    noise = layer_noise(circuit, under.calibrated, options.twirling.strategy)
    told: dict[str, Any] = {"layer_noise": noise.metadata()}
    if wanted.pec is None:
        return told, None
    cancelled = Cancelled.of(noise, wanted.pec)
    return told | {"pec": cancelled.metadata()}, cancelled
