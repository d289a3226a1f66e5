"""The estimator: expectation values of observables, mitigated as the resilience level asks.

Emulates the ``estimator`` program of Qiskit Runtime, version 2 (models: ``ibm_quantum_schemas.estimator.version_0_1``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, prod, sqrt
from typing import Any, cast

from ibm_quantum_schemas.estimator.version_0_1 import OptionsModel
from qiskit.circuit import QuantumCircuit

from qumulus.core.programs import Limits, Program
from qumulus.core.results import Outcome
from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.errors import Refused
from qumulus.simulation.expectation import Measured, shots_for
from qumulus.simulation.progress import progress
from qumulus.simulation.reports import combined
from qumulus.simulation.seeds import extend

from . import drifting, estimates, learned, results
from .cancellation import Cancelled, layer_noise
from .conditions import Conditions, conditions, tell
from .failures import Log, coded, invalid
from .folding import Amplifier, folded
from .observables import in_paulis
from .options import validated
from .pubs import EstimatorPub, estimator_pubs
from .readout import Calibration, calibrated
from .resilience import USUAL, Resilience, resilience
from .submission import read
from .twirling import product, randomizations
from .values import Array, DataBin, Record

_CALIBRATION, _FOLDS, _SIGNS = -1, -2, -4
"""Members of the seeds' paths for what is no measurement of a pub's parameter set."""

_BYTES = 10  # a reading of the calibration, with the random number that it is drawn from


@coded
def run(program: Program, log: Log) -> Outcome:
    """Run an estimator job.

    Raises:
        ProgramError: a pub or an option is not valid on the device.
        Refused: it is over a limit.
    """
    submission = read(program)
    options = validated(OptionsModel, submission.params.get("options"), submission.allowance, log)
    wanted = resilience(submission.params.get("resilience_level", USUAL), options)
    if not options.execution.init_qubits:
        raise invalid(
            "The means of qubits that keep their state from shot to shot are not estimated: leave execution.init_qubits at "
            "True, or sample the circuit."
        )
    brought = learned.accepted(options, submission)
    under = conditions(
        submission,
        options,
        log,
        twirl_gates=wanted.twirl_gates,
        twirl_measurements=wanted.twirl_measurements,
        seed=options.seed_estimator,
    )
    pubs = list(estimator_pubs(submission))
    if submission.dry_run:
        return results.checked()
    progress().pubs = len(pubs)
    limits = submission.limits.shared(len(pubs), 1 if wanted.zne is None else len(wanted.zne.factors))
    ended = [_estimated(pub, index, wanted, options, under, limits) for index, pub in enumerate(pubs)]
    estimated = [result for result, _ in ended]
    metadata = {
        "dynamical_decoupling": options.dynamical_decoupling.model_dump(exclude={"skip_reset_qubits"}),
        "twirling": {
            **options.twirling.model_dump(),
            "enable_gates": wanted.twirl_gates,
            "enable_measure": wanted.twirl_measurements,
            "interleave_randomizations": True,
        },
        "resilience": wanted.metadata() | ({} if brought is None else {"layer_noise_model": brought}),
    }
    told = [result.members["metadata"] for result in estimated]
    for index, each in enumerate(told):
        tell(log, index, each["simulation"])
    circuits = results.executed((pub.circuit, runs) for pub, (_, runs) in zip(pubs, ended, strict=True))
    report = {"seed": under.seed, "pubs": [each["simulation"] for each in told], "circuits": circuits}
    return results.outcome(submission.form, estimated, metadata, report)


def _estimated(
    pub: EstimatorPub,
    index: int,
    wanted: Resilience,
    options: OptionsModel,
    under: Conditions,
    limits: Limits,
) -> tuple[Record, int]:
    """The result of one pub, and how many executions of circuits it took."""
    progress().reaches(index, pub.circuit.size() * prod(pub.values.shape[:-1]))
    precision, shots = _precision(pub, options)
    metadata: dict[str, Any] = {"target_precision": precision, "circuit_metadata": pub.circuit.metadata or {}}
    told, cancelled = _layers(pub.circuit, wanted, options, under)
    factor = 1.0 if cancelled is None else cancelled.overhead
    if shots is not None and (wanted.twirl_gates or wanted.twirl_measurements):
        twirls = randomizations(shots, options.twirling.num_randomizations, options.twirling.shots_per_randomization)
        shots = twirls.number * twirls.shots
        metadata["num_randomizations"] = ceil(twirls.number * factor)
    metadata |= {"shots": None if shots is None else ceil(shots * factor), "resilience": told}
    flat = [in_paulis(terms) if wanted.measure_mitigation else terms for terms in pub.observables.ravel()]
    elements, sets = pub.elements(), pub.bindings()
    cases = [
        (sets[row], list(dict.fromkeys(letters for _, k in wanted_here for letters in flat[k] if letters)))
        for row, wanted_here in elements.items()
    ]
    calibration = _calibration(cases, wanted, under, shots, index, limits)
    measured = [
        drifting.measured(
            circuit,
            cases,
            model,
            shots=shots,
            seed=(under.seed, index, f),
            method=under.method,
            limits=limits,
        )
        for f, (circuit, model) in enumerate(_amplified(pub.circuit, wanted, cancelled, under, index))
    ]
    runs = _executions(measured, calibration, metadata["shots"], shots)
    if cancelled is not None:
        seeds = ((under.seed, index, _SIGNS, k) for k in range(len(cases)))
        measured = [[cancelled.scattered(each, shots, seed) for each, seed in zip(measured[0], seeds, strict=True)]]
    found: dict[int, Mapping[str, Any]] = {}
    used = set[str]()
    for at_factors, wanted_here in zip(zip(*measured, strict=True), elements.values(), strict=True):
        means = estimates.Means(at_factors, calibration)
        fits, best = estimates.fitted(means, wanted.zne) if wanted.zne else ([], [])
        used |= {wanted.zne.extrapolators[e] for e in best} if wanted.zne else set()
        for place, k in wanted_here:
            found[place] = (
                estimates.at_zero_noise(means, flat[k], wanted.zne, fits, best)
                if wanted.zne
                else estimates.direct(means, flat[k])
            )
    if wanted.zne:
        metadata["resilience"]["zne"] = {"extrapolator": [e for e in wanted.zne.extrapolators if e in used]}
    metadata["simulation"] = under.report(combined([case.metadata for at_factor in measured for case in at_factor]))
    fields = dict(estimates.stacked([found[place] for place in range(len(found))], pub.shape))
    data = DataBin({name: Array(values) for name, values in fields.items()}, pub.shape)
    return Record("PubResult", {"data": data, "metadata": metadata}), runs


def _executions(
    measured: Sequence[Sequence[Measured]], calibration: Calibration | None, shots: int | None, calibrating: int | None
) -> int:
    """How often circuits are executed: at each noise factor, for each set of values, in each basis, and to calibrate the
    readout. An exact value counts as one."""
    bases = sum(len(of_set.groups) for at_factor in measured for of_set in at_factor)
    return bases * (shots or 1) + (0 if calibration is None else calibrating or 1)


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


def _amplified(
    circuit: QuantumCircuit, wanted: Resilience, cancelled: Cancelled | None, under: Conditions, index: int
) -> list[tuple[QuantumCircuit, DeviceModel]]:
    """The circuit and the device at each noise factor."""
    prepared, zne = under.prepared(circuit), wanted.zne
    if cancelled is not None:
        return [(prepared, under.amplified(cancelled.gain))]
    if zne is None:
        return [(prepared, under.model)]
    if zne.folds:
        seed, amplifier = extend(under.seed, index, _FOLDS), cast("Amplifier", zne.amplifier)
        return [
            (folded(prepared, factor, amplifier, extend(seed, f)), under.model) for f, factor in enumerate(zne.factors)
        ]
    return [(prepared, under.amplified(factor)) for factor in zne.factors]


def _calibration(
    cases: Sequence[tuple[Any, Sequence[Any]]],
    wanted: Resilience,
    under: Conditions,
    shots: int | None,
    index: int,
    limits: Limits,
) -> Calibration | None:
    """The calibration of the readout of all qubits that a pub measures."""
    if not wanted.measure_mitigation:
        return None
    qubits = sorted({qubit for _, terms in cases for letters in terms for qubit, _ in letters})
    if shots is not None and shots * len(qubits) * _BYTES > limits.memory_bytes:
        raise Refused(
            f"Calibrating the readout of {len(qubits)} qubits by {shots} shots takes more memory than a job may: "
            "ask for a larger precision.",
            {"shots": shots, "qubits": len(qubits)},
        )
    return calibrated(under.model, qubits, shots=shots, seed=extend(under.seed, index, _CALIBRATION))
